// What scripts/build-wasm.mjs writes into rows-binary.js. The package has that file as it is.

/** assembly/rows.ts, base64. */
export const rowsModule: string
