export const lead: number
export function textCode(samples: readonly Uint8Array[]): { table: Uint8Array; encode: (bytes: Uint8Array) => string }
