// loadOnnx: the bytes of a file → its checked graph → a model whose weights have the elements of its initializers.

import { merged } from '../../core/merged'
import { requireArguments } from '../../core/arguments'
import { toBase64 } from '../../core/base64'
import { ArgumentError, quoted } from '../../core/errors'
import { abortSignal, custom, nullable, option, readOptions, recordOf } from '../../core/options'
import type { InputOptions } from '../../models/load-options'
import type { Tensor } from '../../ops/tensor'
import { openFile, type FileSource, type OpenedFile } from '../../engine/runtime/beside'
import { naming } from '../../engine/runtime/platform'
import { locationsOf, readExternal } from './external'
import { readFile } from './file'
import { inputsOf } from './graph-layer'
import { inputOptions, requireInputs, symbolsOf } from './graph-model'
import { OnnxGraph } from './layer'
import { OnnxModel } from './model'
import { structureOf } from './structure'
import { tensorFrom, type HostTensor } from './tensors'
import { initializersOf, type Initializer } from './trained-tensors'

export interface OnnxOptions extends InputOptions {
  /** The content of files with elements of initializers, by their paths in the model. Default {}: read next to it. */
  externalData?: Readonly<Record<string, Uint8Array>>
  /** Ends reading early; loadOnnx then rejects with the signal's reason. Default: none. */
  signal?: AbortSignal | null
}

const bytes = custom<Uint8Array>(
  (value, where) => {
    if (value instanceof Uint8Array) return value
    throw new ArgumentError(`${where} must be a Uint8Array, received ${quoted(value)}`)
  },
  () => null,
)

const table = merged(inputOptions, {
  externalData: option(recordOf(bytes), {}),
  signal: option(nullable(abortSignal), null),
})

/**
 * Loads an ONNX file (opset 7 to 23) as a model that can be trained.
 *
 *   const model = await loadOnnx('model.onnx')
 *   const { output, stateN } = await model.predict({ input, state })
 *   model.compile({ optimizer: 'adam', loss: 'meanSquaredError' })
 *
 * Inputs and outputs have the names and layouts of the file: images are [batch, channels, rows, columns]. One input or one
 * output is a plain tensor. Float initializers are weights under their names; `weight.trainable = false` freezes one.
 * float16 and float64 become float32, integers int32. In training, Dropout drops elements and BatchNormalization
 * normalizes by the batch.
 * @param source the bytes, a File or Blob, a path (Node), a URL (fetch), or a list of Files: the model, then those next to it
 * @throws FormatError for a damaged file, and for one with operators that are not available, which lists all of them;
 * StateError, with its cause, if the source cannot be read
 */
export async function loadOnnx<In = Tensor, Out = Tensor>(
  source: FileSource,
  options: OnnxOptions = {},
): Promise<OnnxModel<In, Out>> {
  requireArguments('loadOnnx', arguments, 2)
  const { signal, ...read } = readOptions('loadOnnx', table, options)
  const file = await openFile(source, 'loadOnnx', signal)
  return await naming(source, () => modelFromOnnx(file, read))
}

/** The model of a file that was read. */
export async function modelFromOnnx(
  { name: fileName, bytes: content, beside }: OpenedFile,
  options: Omit<OnnxOptions, 'signal'>,
): Promise<OnnxModel> {
  const file = readFile(content, fileName)
  const locations = locationsOf(file.graph, file.name)
  const files = await readExternal(locations, options.externalData ?? {}, beside)
  const inputs = inputsOf(file)
  const { constants = {}, shapes = {} } = options
  requireInputs(
    { constants, shapes },
    inputs.map((input) => input.name),
  )
  const initializers = initializersOf(file)
  const elements = ({ name, proto }: Initializer): HostTensor =>
    tensorFrom(proto, `${file.name}: the initializer '${name}'`, files)
  // Damaged weights are found before a model is made.
  const byName = new Map(initializers.map((each) => [each.name, elements(each)]))
  const structure = structureOf(content, file.graph, initializers, ({ name }) => byName.get(name)!)
  let name = 'graph'
  while (inputs.some((input) => input.name === name)) name += '_'
  const layer = new OnnxGraph({ file: toBase64(structure), constants, name })
  const { inputs: tree, outputs } = symbolsOf(layer, shapes, file.name)
  const model = new OnnxModel({ inputs: tree, outputs: outputs })
  layer.fill(({ name }) => byName.get(name)!)
  return model
}
