/** What tests use of multiply-add.mjs. */
export function splitMultiplyAdds(binary: Uint8Array): {
  readonly plain: Uint8Array<ArrayBuffer>
  readonly relaxed: Uint8Array<ArrayBuffer>
}
