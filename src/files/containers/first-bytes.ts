// Tests of the bytes of a file, by which format-list.ts recognises formats. They read the start and the end of a file only. A page that
// opens any file has them, so they are short.

/** Bytes as text, one character per byte. */
function latin(bytes: Uint8Array, begin: number, end: number): string {
  return Array.from(bytes.subarray(begin, end), (byte) => String.fromCharCode(byte)).join('')
}

/** Whether a file begins with characters below U+0100, one per byte. */
export function startsWith(bytes: Uint8Array, text: string): boolean {
  return latin(bytes, 0, text.length) === text
}

/** Whether a file is HDF5, which all versions of Keras write. */
export const isHdf5 = (bytes: Uint8Array): boolean => startsWith(bytes, '\x89HDF\r\n\x1a\n')

export const isZip = (bytes: Uint8Array): boolean => startsWith(bytes, 'PK\x03\x04')

/** The start and the end of a file as text. */
function endsOf(bytes: Uint8Array, start: number): string {
  return latin(bytes, 0, start) + latin(bytes, Math.max(0, bytes.length - 65_536), bytes.length)
}

/** The names of the entries of a zip archive, which are at its start and at its end; '' for other files. */
function namesIn(bytes: Uint8Array): string {
  return isZip(bytes) ? endsOf(bytes, 4096) : ''
}

/** Whether a file is a `.keras` archive. */
export function isKerasArchive(bytes: Uint8Array): boolean {
  const names = namesIn(bytes)
  return names.includes('model.weights.h5') || names.includes('config.json')
}

/** Whether a file is what `torch.save` writes. */
export const isPytorch = (bytes: Uint8Array): boolean => namesIn(bytes).includes('data.pkl')

/** Whether a file is an archive of arrays, as `numpy.savez` writes it. */
export const isNpz = (bytes: Uint8Array): boolean => namesIn(bytes).includes('.npy') && !isPytorch(bytes)

/** The start and the end of the JSON of a record; '' for other files. */
function jsonIn(bytes: Uint8Array): string {
  return /^\s*\{/.test(latin(bytes, 0, 64)) ? endsOf(bytes, 65_536) : ''
}

/** Whether a file is the JSON of a model of Keras. */
export function isKerasJson(bytes: Uint8Array): boolean {
  const text = jsonIn(bytes)
  return /"class_name"\s*:/.test(text) && !/"(?:className|modelTopology|weightsManifest)"/.test(text)
}

/** Whether a file is the model.json of TensorFlow.js. */
export const isTfjsFile = (bytes: Uint8Array): boolean => /"modelTopology"\s*:/.test(jsonIn(bytes))

/** Whether a file is the JSON of any model. */
export const isModelJson = (bytes: Uint8Array): boolean => /"(?:className|class_name)"/.test(jsonIn(bytes))

/** Whether a file is the `.weights.json` of Keras: it names the files that have the weights. */
export const isShardMap = (bytes: Uint8Array): boolean => /"weight_map"\s*:/.test(jsonIn(bytes))

/** Whether a file is a pickle of Python, of protocol 2 to 5. */
export function isPickle(bytes: Uint8Array): boolean {
  return bytes[0] === 0x80 && bytes[1]! >= 2 && bytes[1]! <= 5 && bytes.at(-1) === 0x2e
}

/** Whether a file is a model of TensorFlow Lite. */
export const isTflite = (bytes: Uint8Array): boolean => latin(bytes, 4, 8) === 'TFL3'
