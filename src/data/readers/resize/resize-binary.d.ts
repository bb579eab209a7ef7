// What scripts/build-wasm.mjs writes into resize-binary.js. The package has that file as it is.

/** assembly/resize.ts, base64. */
export const resizeModule: string
