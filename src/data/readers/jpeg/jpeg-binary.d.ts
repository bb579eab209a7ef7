// What scripts/build-wasm.mjs writes into jpeg-binary.js. The package has that file as it is.

/** assembly/jpeg.ts, base64. */
export const jpegModule: string
