// Recognizes files of other libraries by their first bytes, for the error that refuses them.

import { isOnnxFile } from './onnx-file'

/** How to import weights from another library. */
const BY_WEIGHTS =
  "Make the same model here and load its weights: model.loadWeights(path) for a safetensors file, written in Python by safetensors.numpy.save_file with the names that saveWeights uses, or model.setWeights for arrays from readNpz of 'myelin/data'."

/** Bytes as text, one character per byte. */
function latin(bytes: Uint8Array, begin: number, end: number): string {
  return Array.from(bytes.subarray(begin, end), (byte) => String.fromCharCode(byte)).join('')
}

/** The first bytes of HDF5. */
const HDF5 = '\x89HDF\r\n\x1a\n'
const ZIP = 'PK\x03\x04'

/** The names of the entries of a zip archive are at its start and at its end. */
function namesIn(bytes: Uint8Array): string {
  return latin(bytes, 0, 4096) + latin(bytes, Math.max(0, bytes.length - 65_536), bytes.length)
}

function isKerasArchive(names: string): boolean {
  return names.includes('model.weights.h5') || names.includes('config.json')
}

/** Whether a file is one of Keras: a `.keras` archive, or HDF5. */
export function isKerasFile(bytes: Uint8Array): boolean {
  const head = latin(bytes, 0, 8)
  return head === HDF5 || (head.startsWith(ZIP) && isKerasArchive(namesIn(bytes))) || isKerasJson(bytes)
}

/** Whether a file is the JSON of a model of Keras. */
export function isKerasJson(bytes: Uint8Array): boolean {
  return /^\s*\{/.test(latin(bytes, 0, 64)) && isKerasText(endsOf(bytes))
}

const isKerasText = (text: string): boolean =>
  /"class_name"\s*:/.test(text) && !/"(?:className|modelTopology|weightsManifest)"/.test(text)

function zipKind(bytes: Uint8Array): string {
  const names = namesIn(bytes)
  if (isKerasArchive(names)) return 'a Keras model (.keras). Load it with loadModel.'
  if (names.includes('data.pkl')) return `a PyTorch file (.pt). ${BY_WEIGHTS}`
  if (names.includes('.npy'))
    return "an archive of NumPy arrays (.npz). Read it with readNpz of 'myelin/data' and pass the arrays to model.setWeights."
  return 'a zip archive, but neither a Keras model (.keras), which has a config.json, nor an archive of NumPy arrays (.npz).'
}

/** The start and the end of a file as text. */
function endsOf(bytes: Uint8Array): string {
  return latin(bytes, 0, 65_536) + latin(bytes, Math.max(0, bytes.length - 65_536), bytes.length)
}

/** Whether a file is the model.json of TensorFlow.js. */
export function isTfjsFile(bytes: Uint8Array): boolean {
  return /^\s*\{/.test(latin(bytes, 0, 64)) && /"modelTopology"\s*:/.test(endsOf(bytes))
}

function jsonKind(text: string): string | null {
  if (/"(?:modelTopology|weightsManifest)"/.test(text))
    return 'a model of TensorFlow.js (model.json). Load it with loadModel.'
  if (isKerasText(text)) return 'the JSON of a model of Keras. Read it with modelFromJSON or loadModel.'
  if (/"(?:className|class_name)"/.test(text))
    return 'the JSON of a model, without weights. modelFromJSON reads the JSON that toJSON of this library wrote.'
  return null
}

/** The kind of a file, and what to do with it; null if unknown. */
export function foreignKind(bytes: Uint8Array): string | null {
  const head = latin(bytes, 0, 8)
  if (head.startsWith(ZIP)) return zipKind(bytes)
  if (head === HDF5)
    return "an HDF5 file, such as a Keras model (.h5, .weights.h5). Load a model with loadModel, and weights with loadKerasWeights of 'myelin/keras'."
  if (head.startsWith('\x93NUMPY'))
    return "a NumPy array (.npy). Read it with readNpy of 'myelin/data' and pass it to model.setWeights."
  if (head.startsWith('GGUF')) return `a GGUF file. ${BY_WEIGHTS}`
  if (head.endsWith('TFL3')) return `a model of TensorFlow Lite (.tflite). ${BY_WEIGHTS}`
  if (bytes[0] === 0x80 && bytes[1]! >= 2 && bytes[1]! <= 5 && bytes.at(-1) === 0x2e)
    return `a Python pickle. ${BY_WEIGHTS}`
  if (/^\s*\{/.test(latin(bytes, 0, 64))) return jsonKind(endsOf(bytes))
  return isOnnxFile(bytes) ? 'an ONNX model. Load it with loadModel.' : null
}
