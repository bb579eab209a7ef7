// loadOnnx: the bytes of a file → its checked graph → a model whose weights have the elements of its initializers.

import { requireArguments } from '../core/arguments'
import type { DType } from '../core/dtypes'
import { ArgumentError, FormatError, quoted, unknownName } from '../core/errors'
import { abortSignal, custom, nullable, option, readOptions, recordOf } from '../core/options'
import type { Tree } from '../core/tree'
import { typed } from '../core/tree'
import { recordCall } from '../layers/symbol'
import { InputLayer } from '../layers/core/input-layer'
import type { Tensor } from '../ops/tensor'
import { bytesFrom } from '../runtime/platform'
import { locationsOf, readExternal } from './external'
import { readFile } from './file'
import type { Constants } from './layer'
import { OnnxGraph, encoded, inputsOf, specOfInput } from './layer'
import { OnnxModel } from './model'
import { extents } from './options'
import { structureOf } from './structure'
import type { HostTensor } from './tensors'
import { tensorFrom } from './tensors'
import type { Initializer } from './weights'
import { initializersOf } from './weights'

export interface OnnxOptions {
  /**
   * Values of inputs that are the same in every call, by their names. The model has no such inputs, and shapes and
   * branches may depend on them. Default {}.
   */
  constants?: Constants
  /** Shapes of inputs that replace those of the file: null stands for an open extent. Default {}. */
  shapes?: Readonly<Record<string, readonly (number | null)[]>>
  /** The content of files with elements of initializers, by their paths in the model. Default {}: read next to it. */
  externalData?: Readonly<Record<string, Uint8Array>>
  /** Ends reading early; loadOnnx then rejects with the signal's reason. Default: none. */
  signal?: AbortSignal | null
}

const anything = custom<unknown>(
  (value) => value,
  () => null,
)

const bytes = custom<Uint8Array>(
  (value, where) => {
    if (value instanceof Uint8Array) return value
    throw new ArgumentError(`${where} must be a Uint8Array, received ${quoted(value)}`)
  },
  () => null,
)

const table = {
  constants: option(recordOf(anything), {}),
  shapes: option(recordOf(extents), {}),
  externalData: option(recordOf(bytes), {}),
  signal: option(nullable(abortSignal), null),
}

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
 * @param source the bytes, a File or Blob, a path (Node), or a URL (fetch)
 * @throws FormatError for a damaged file, and for one with operators that are not available, which lists all of them;
 * StateError, with its cause, if the source cannot be read
 */
export async function loadOnnx<In = Tensor, Out = Tensor>(
  source: Uint8Array | ArrayBuffer | Blob | string | URL,
  options: OnnxOptions = {},
): Promise<OnnxModel<In, Out>> {
  requireArguments('loadOnnx', arguments, 2)
  const read = readOptions('loadOnnx', table, options)
  const signal = read.signal as AbortSignal | null
  const given = source instanceof Blob ? await source.arrayBuffer() : source
  const content = await bytesFrom(given, 'loadOnnx', signal)
  const file = readFile(content, nameOf(source))
  const locations = locationsOf(file.graph, file.name)
  const files = await readExternal(locations, options.externalData ?? {}, source, signal)
  const inputs = inputsOf(file)
  const { constants = {}, shapes = {} } = options
  for (const [what, record] of [
    ['constants', constants],
    ['shapes', shapes],
  ] as const) {
    const names = inputs.map(({ name }) => name)
    const unknown = Object.keys(record).find((name) => !names.includes(name))
    if (unknown !== undefined) throw unknownName(`input in ${what}`, unknown, names)
  }
  const initializers = initializersOf(file)
  const elements = ({ name, proto }: Initializer): HostTensor =>
    tensorFrom(proto, `${file.name}: the initializer '${name}'`, files)
  // Damaged weights are found before a model is made.
  const byName = new Map(initializers.map((each) => [each.name, elements(each)]))
  const structure = structureOf(content, file.graph, initializers, ({ name }) => byName.get(name)!)
  let name = 'graph'
  while (inputs.some((input) => input.name === name)) name += '_'
  const layer = new OnnxGraph({ file: encoded(structure), constants, name })
  const symbols = layer.graphInputs.map((input): [string, Tensor] => {
    const given = Object.hasOwn(shapes, input.name) ? shapes[input.name] : undefined
    const { shape, dtype } = specOfInput(input, given, file.name)
    if (shape.length === 0)
      throw new FormatError(
        `${file.name}: the input '${input.name}' has no axes, so it has no samples. Pass its value: { constants: { '${input.name}': … } }`,
      )
    return [input.name, symbolOf(input.name, shape, dtype)]
  })
  if (symbols.length === 0) throw new FormatError(`${file.name}: the model has no inputs`)
  const tree: Tree<Tensor> = symbols.length === 1 ? symbols[0]![1] : Object.fromEntries(symbols)
  const model = new OnnxModel({ inputs: tree, outputs: layer.apply(tree) })
  layer.fill(({ name }) => byName.get(name)!)
  return typed(model)
}

function symbolOf(name: string, [batchSize = null, ...shape]: readonly (number | null)[], dtype: DType): Tensor {
  const layer = new InputLayer({ shape, batchSize, dtype, name })
  layer.ensureBuilt(layer.spec)
  return typed(recordCall(layer, null, {}, layer.spec))
}

/** The name of a source in errors. */
function nameOf(source: unknown): string {
  if (typeof source === 'string' || source instanceof URL) return String(source).split(/[/\\]/).at(-1) || 'the file'
  return source instanceof Blob && 'name' in source ? String(source.name) : 'the file'
}
