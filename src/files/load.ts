// loadModel: opens a file of this library or of another one. What the files of this library contain is read by revive.ts.

import { requireArguments } from '../core/arguments'
import { ArgumentError } from '../core/errors'
import { readOptions } from '../core/options'
import type { CustomObjects } from '../core/registry'
import type { Tensor } from '../ops/tensor'
import { openFile, type FileSource } from '../engine/runtime/beside'
import { naming } from '../engine/runtime/platform'
import { loader, useAllFormats } from './loader'
import { loadModelTable, requireNoInputOptions, type LoadModelOptions, type LoadSettings } from '../models/load-options'
import type { Model } from '../models/model'
import { isOfUnknownClass, modelFromBytes, type ModelSettings } from './own/revive'

/**
 * Loads a model that `model.save` wrote, or a model of Keras (`.keras`, `.h5`), TensorFlow.js or ONNX. The format is found from the content; the code
 * for other formats than that of this library is loaded when it is needed.
 *
 *   const model = await loadModel('model.safetensors', { customObjects: { Gate } })
 *   const other = await loadModel('model.keras')
 *   const detector = await loadModel('detector.onnx')
 *   const recognizer = await loadModel('recognizer/model.json')    // or its folder, or 'indexeddb://recognizer' in a page
 *
 * In TypeScript, name the types of a model with several inputs or outputs: `loadModel<{ image: Tensor },
 * Tensor>(bytes)`.
 * @param source the bytes, a path (Node), a URL (fetch), a `File` or `Blob`, or a list of `File`s:
 * the model and the files that it needs
 * @throws FormatError for a truncated, damaged or foreign file; ArgumentError for an unknown option; StateError, with
 * its cause, if the source cannot be read
 */
export async function loadModel<In = Tensor, Out = Tensor>(
  source: FileSource,
  options: LoadModelOptions = {},
): Promise<Model<In, Out>> {
  requireArguments('loadModel', arguments, 2)
  const read = readOptions('loadModel', loadModelTable, options)
  const { signal, layers, constants, shapes } = read
  useAllFormats()
  const readStored = loader.storedReader(source)
  const foreign = ({ layers: _, ...others }: typeof read): LoadSettings => {
    if (layers === null) return others
    throw new ArgumentError(
      'loadModel: layers are for files of this library. Leave them out for a file of another format.',
    )
  }
  if (readStored !== null) return readStored(foreign(read))
  const file = await openFile(source, 'loadModel', signal)
  const format = loader.formatIn(file.bytes)
  return naming(source, () => {
    if (format !== null) return format.read(file, foreign(read))
    requireNoInputOptions({ constants, shapes }, 'a file of this library')
    return modelOf(file.bytes, read)
  })
}

/** The model of a file of this library. The code of quantized layers, and of those of language models, is loaded for a file that has them. */
async function modelOf(bytes: Uint8Array, options: ModelSettings): Promise<Model> {
  try {
    return modelFromBytes(bytes, options)
  } catch (error) {
    if (!isOfUnknownClass(error) || options.layers != null) throw error
    const classes = await laterClasses().catch(() => {
      throw error
    })
    return modelFromBytes(bytes, { ...options, customObjects: { ...classes, ...options.customObjects } })
  }
}

/** The layers of sub-paths that files may name, and that a program without such files need not contain. */
async function laterClasses(): Promise<CustomObjects> {
  const [{ quantizedLayers }, { languageLayers }] = await Promise.all([
    import('../entries/thrift'),
    import('../language/language-layers'),
  ])
  return { ...quantizedLayers, ...languageLayers }
}
