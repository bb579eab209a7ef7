// What scripts/build-wasm.mjs writes into csv-binary.js. The package has that file as it is.

/** assembly/csv.ts, base64. */
export const csvModule: string
