// Bytes as text.

/** The bytes of a text in base64. @throws the engine's error for another text */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))
}
