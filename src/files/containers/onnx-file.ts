// Recognises ONNX files.

/** Whether bytes are those of an ONNX file: the version of the format, and other fields of a model before its graph. */
export function isOnnxFile(bytes: Uint8Array): boolean {
  if (bytes[0] !== 8 || bytes[1] === 0 || bytes[1]! > 64) return false
  for (let at = 2; at < bytes.length;) {
    const tag = bytes[at++]!
    if (tag === GRAPH) return true
    let [value, scale] = [0, 1]
    for (; bytes[at]! > 127; scale *= 128) value += (bytes[at++]! & 127) * scale
    value += bytes[at++]! * scale
    if (tag % 8 === 2) at += value
    else if (tag % 8 !== 0) return false
  }
  return false
}

/** Starts the graph: field 7, with its length. */
const GRAPH = 0x3a
