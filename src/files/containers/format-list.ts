// The formats of files, and what is known of each without its code: the endings of its paths, the bytes by which it is recognised, and
// what errors call it. The code is in files/formats.ts for models, and in files/weights/formats.ts for weights; a format that is missing
// in one of these tables does not compile. The endings are separate values, so that a bundle that only needs
// endings does not contain the tests of bytes.

import { keysOf } from '../../core/keys'
import {
  isHdf5,
  isKerasArchive,
  isKerasJson,
  isModelJson,
  isNpz,
  isPickle,
  isPytorch,
  isShardMap,
  isTfjsFile,
  isTflite,
  isZip,
  startsWith,
} from './first-bytes'
import { isOnnxFile } from './onnx-file'

/**
 * The paths to which models are written in formats of other libraries, by the sub-path of the package with the code: endings, and
 * beginnings of addresses in the storage of a page, which end in `//`.
 */
export const modelPaths = {
  keras: ['.keras', '.h5', '.hdf5'],
  onnx: ['.onnx'],
  tfjs: ['.json', '/', 'indexeddb://', 'localstorage://'],
}
/** A format of models of another library. */
export type ModelFormat = keyof typeof modelPaths

/** The endings of paths to which weights are written. A longer one stands before one that it contains. */
export const weightEndings = {
  safetensors: '.safetensors',
  npz: '.npz',
  weightsH5: '.weights.h5',
  h5: '.h5',
}
/** The formats of weights; `h5` is the legacy one of Keras. */
export type WeightFormat = keyof typeof weightEndings

/** One kind of files of a format. */
export interface FileKind {
  /** Whether bytes are such a file. It gets files of all formats, also damaged ones. */
  isFile(bytes: Uint8Array): boolean
  /** What errors call it, with an article. */
  readonly what: string
  /** What to do with such a file, as sentences. Default: the advice for all formats of its list. */
  readonly advice?: string
}
type Kinds<Format extends string> = Readonly<Record<Format, readonly FileKind[]>>

const kerasKinds: readonly FileKind[] = [
  { isFile: isKerasArchive, what: 'a Keras model (.keras)' },
  {
    isFile: isHdf5,
    what: 'an HDF5 file, such as a Keras model (.h5, .weights.h5)',
    advice: 'Load a model with loadModel, and weights with model.loadWeights.',
  },
  { isFile: isKerasJson, what: 'the JSON of a model of Keras', advice: 'Read it with modelFromJSON or loadModel.' },
]

/** The kinds of files that `loadModel` opens, besides those of this library. */
export const modelKinds: Kinds<ModelFormat> = {
  keras: kerasKinds,
  onnx: [{ isFile: isOnnxFile, what: 'an ONNX model' }],
  tfjs: [{ isFile: isTfjsFile, what: 'a model of TensorFlow.js (model.json)' }],
}

/** The kinds of files that `loadWeights` reads. Files that no format recognises are read as safetensors. */
export const weightKinds: Kinds<WeightFormat> = {
  safetensors: [],
  npz: [{ isFile: isNpz, what: 'an archive of NumPy arrays (.npz)' }],
  // One reader reads all files of Keras, whichever version wrote them.
  h5: kerasKinds,
  weightsH5: [{ isFile: isShardMap, what: 'the list of files with weights of Keras (.weights.json)' }],
}

/** The kinds of files that nothing here reads, with the advice how their content gets here. */
const otherKinds: readonly FileKind[] = [
  { isFile: isPytorch, what: 'a PyTorch file (.pt)' },
  {
    isFile: isZip,
    what: 'a zip archive',
    advice: 'It has neither the config.json of a Keras model (.keras) nor NumPy arrays (.npz).',
  },
  {
    isFile: (bytes) => startsWith(bytes, '\x93NUMPY'),
    what: 'a NumPy array (.npy)',
    advice: "Read it with readNpy of 'myelin/data' and pass it to model.setWeights.",
  },
  { isFile: (bytes) => startsWith(bytes, 'GGUF'), what: 'a GGUF file' },
  { isFile: isTflite, what: 'a model of TensorFlow Lite (.tflite)' },
  { isFile: isPickle, what: 'a Python pickle' },
  {
    isFile: isModelJson,
    what: 'the JSON of a model, without weights',
    advice: 'modelFromJSON reads the JSON that toJSON of this library wrote.',
  },
]

/** Whether bytes are a file of one of these kinds. */
export function isFileOf(kinds: readonly FileKind[], bytes: Uint8Array): boolean {
  return kinds.some(({ isFile }) => isFile(bytes))
}

/** Whether a path is one to which a format of models is written. */
export function isPathOf(marks: readonly string[], path: string): boolean {
  return marks.some((mark) => (mark.endsWith('//') ? path.startsWith(mark) : path.toLowerCase().endsWith(mark)))
}

/** The format of another library in which a model is written to a path; undefined if there is none. */
export function modelFormatOf(path: string): ModelFormat | undefined {
  return keysOf(modelPaths).find((format) => isPathOf(modelPaths[format], path))
}

/** The format in which weights are written to a path; undefined for other endings. */
export function weightFormatOf(path: string): WeightFormat | undefined {
  return keysOf(weightEndings).find((format) => path.toLowerCase().endsWith(weightEndings[format]))
}

/** The endings of files with weights, for errors. */
export const listOfEndings = (): string => Object.values(weightEndings).join(', ')

const BY_WEIGHTS = 'Make the same model here and load its weights with model.loadWeights'

/** The kind of a file, and what to do with it; null if unknown. */
export function foreignKind(bytes: Uint8Array): string | null {
  const lists: readonly (readonly [kinds: readonly FileKind[], advice: string])[] = [
    [Object.values(modelKinds).flat(), 'Load it with loadModel.'],
    [Object.values(weightKinds).flat(), `${BY_WEIGHTS}.`],
    [
      otherKinds,
      `${BY_WEIGHTS}, from a file of safetensors.numpy.save_file or numpy.savez in Python, with the names that saveWeights uses or with a mapping.`,
    ],
  ]
  for (const [kinds, ofAll] of lists) {
    const found = kinds.find(({ isFile }) => isFile(bytes))
    if (found !== undefined) return `${found.what}. ${found.advice ?? ofAll}`
  }
  return null
}
