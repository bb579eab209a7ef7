// GraphModel: a functional model of one GraphLayer. Only predict differs from Model: the first axis of an input need not be
// that of the samples.

import { ArgumentError, FormatError, ShapeError, formatShape, unknownName } from '../../core/errors'
import { option, readOptions, recordOf } from '../../core/options'
import type { DType } from '../../core/dtypes'
import type { TensorType } from '../../core/shapes'
import { flatten, isRecord, leafNames, propertyOf, unflatten, type Tree } from '../../core/tree'
import { toTensor } from '../../ops/convert'
import { toStrings } from '../../ops/strings'
import type { Tensor } from '../../ops/tensor'
import { jit } from '../../ops/transform'
import type { Batches, DataOf } from '../../data/samples/data-types'
import { isElements } from '../../data/samples/source'
import { Input } from '../../layers/core/input-layer'
import { extents } from '../../models/ends'
import { constants } from './options'
import type { Labels } from './strings'
import { TensorSpec } from '../../layers/spec'
import type { InputOptions } from '../../models/load-options'
import { Model } from '../../models/model'
import { PREDICT, type PredictOptions } from '../../training/options'
import { GraphLayer, specOfInput } from './graph-layer'
import { buildSpecOf } from '../../layers/weight-lists'
import { applyTree } from '../../layers/applying'

/** Names that exporters give to the axis of samples. */
const BATCH = /batch|^(?:n|b|bs|samples?|unk__\d+|none|\?)$/i

/**
 * `predict` computes all rows at once if the first axis of an input is not known to be that of the samples, such as a
 * state [layers, batch, units]. With the option `batchSize` it divides the first axis of all inputs.
 */
// oxlint-disable-next-line typescript/no-explicit-any -- a parameter of type GraphModel takes every one
export class GraphModel<const In = any, const Out = any> extends Model<In, Out> {
  readonly #whole = jit((...inputs: Tensor[]): Tensor[] => {
    const x = unflatten(buildSpecOf(this), inputs)
    return flatten(applyTree(this, x, { training: false }))
  })

  override predict(x: DataOf<In> | Batches<In, Out>, options?: PredictOptions): Promise<ReturnType<this['call']>>
  override async predict(x: DataOf<In> | Batches<In, Out>, options: PredictOptions = {}): Promise<unknown> {
    const rows = this.rowsPerStep()
    const names = Object.entries(options).flatMap(([key, value]) => (value == null ? [] : PREDICT.nameOf(key)))
    const isSized = names.includes('batchSize')
    if (rows === 'all' && !isSized && !names.includes('steps') && !isElements(x)) {
      PREDICT.read(options)
      return this.#allAtOnce(x)
    }
    return super.predict(x, typeof rows === 'number' && !isSized ? { ...options, batchSize: rows } : options)
  }

  override predictOnBatch(x: DataOf<In>): ReturnType<this['call']>
  override predictOnBatch(x: DataOf<In>): unknown {
    return this.rowsPerStep() === 'all' ? this.#allAtOnce(x) : super.predictOnBatch(x)
  }

  #allAtOnce(x: unknown): Tree<Tensor> {
    return unflatten(this.output, this.#whole(...flatten(this.named(x))))
  }

  private get graphLayer(): GraphLayer | undefined {
    return this.graph?.layers.find((each): each is GraphLayer => each instanceof GraphLayer)
  }

  /**
   * What the numbers of an output stand for, by the names of outputs: strings, such as the classes of a classifier, or the classes of the
   * columns of probabilities.
   */
  get labels(): Readonly<Record<string, Labels>> {
    return Object.fromEntries(this.graphLayer?.labels ?? [])
  }

  /** A file that was made for some number of rows takes several times as many, which steps divide. @internal */
  override checkInput(types: readonly TensorType[]): void {
    const specs = flatten(buildSpecOf(this)!)
    super.checkInput(
      types.map(({ shape, dtype }, i) => {
        const rows = specs[i]?.shape[0] ?? null
        const isMultiple = rows !== null && shape.length > 0 && shape[0]! % rows === 0
        return { shape: isMultiple ? [rows, ...shape.slice(1)] : shape, dtype }
      }),
    )
  }

  /** 'all' if rows may depend on each other, 'any' if they are samples, or the number for which the file was made. */
  private rowsPerStep(): 'all' | 'any' | number {
    const layer = this.graphLayer
    if (layer === undefined) return 'any'
    const first = this.inputs.map(({ shape }) => shape[0] ?? null)
    const results = this.outputs.map(({ shape }) => shape[0] ?? null)
    const [rows = null] = first
    if (rows !== null) return [...first, ...results].every((each) => each === rows) ? rows : 'all'
    const isBatch = layer.isTable || layer.graphInputs.every(({ names }) => BATCH.test(names[0] ?? ''))
    return isBatch && [...first, ...results].every((each) => each === null) ? 'any' : 'all'
  }

  /** The inputs as tensors of the declared types. */
  private named(x: unknown): Tree<Tensor> {
    // One spec or a record of them: the tree of inputs that `symbolsOf` makes.
    const specs = buildSpecOf(this)!
    const read = (input: unknown, { shape, dtype }: TensorSpec, name: string): Tensor => {
      const where = `${this}: ${name}`
      const value =
        dtype === 'string' ? this.graphLayer!.readStrings(toStrings(input, where)) : toTensor(input, where, dtype)
      if (value.rank === shape.length && shape.every((extent, i) => extent === null || extent === value.shape[i]))
        return value
      throw new ShapeError(`${this}: ${name} must be ${formatShape(shape)}, received ${formatShape(value.shape)}`)
    }
    if (specs instanceof TensorSpec) {
      const [only] = this.graphLayer?.graphInputs ?? []
      const isNamed = isRecord(x) && only !== undefined && Object.hasOwn(x, only.name)
      return read(isNamed ? x[only.name] : x, specs, 'the input')
    }
    const names = leafNames(specs)
    const leaves = flatten(specs)
    if (!isRecord(x) || names.some((name) => x[name] === undefined))
      throw new ArgumentError(`${this}: expected a record of the inputs ${names.map((name) => `'${name}'`).join(', ')}`)
    return Object.fromEntries(names.map((name, i) => [name, read(x[name], leaves[i]!, `'${name}'`)]))
  }
}

const inputRows = { constants: option(constants, {}), shapes: option(recordOf(extents), {}) }
type InputRows = typeof inputRows
export type InputTable = { [Name in keyof InputRows]: InputRows[Name] }
export const inputOptions: InputTable = inputRows

/** The options about inputs that loadModel takes, which it does not read itself. */
export function readInputOptions({ constants, shapes }: InputOptions): Required<InputOptions> {
  return readOptions('loadModel', inputOptions, { constants, shapes })
}

/** @throws ArgumentError for an option about an input that a graph does not have */
export function requireInputs(options: Required<InputOptions>, names: readonly string[]): void {
  for (const [what, record] of Object.entries(options)) {
    const unknown = Object.keys(record).find((name) => !names.includes(name))
    if (unknown !== undefined) throw unknownName(`input in ${what}`, unknown, names)
  }
}

/**
 * Symbols for the inputs of a layer, and for its outputs.
 * @param shapes of inputs, which replace those of the file
 * @param where names the file in errors
 */
export function symbolsOf(
  layer: GraphLayer,
  shapes: Readonly<Record<string, readonly (number | null)[]>>,
  where: string,
): { inputs: Tree<Tensor>; outputs: unknown } {
  const symbols = layer.graphInputs.map((input): [string, Tensor] => {
    const { shape, dtype } = specOfInput(input, propertyOf(shapes, input.name), where)
    if (shape.length === 0)
      throw new FormatError(
        `${where}: the input '${input.name}' has no axes, so it has no samples. Pass its value: { constants: { '${input.name}': … } }`,
      )
    // A table may have missing values, which trees and imputers read as NaN.
    return [input.name, symbolOf(input.name, shape, dtype, layer.isTable && dtype === 'float32')]
  })
  if (symbols.length === 0) throw new FormatError(`${where}: the model has no inputs`)
  const inputs: Tree<Tensor> = symbols.length === 1 ? symbols[0]![1] : Object.fromEntries(symbols)
  return { inputs, outputs: layer.apply(inputs) }
}

function symbolOf(
  name: string,
  [batchSize = null, ...shape]: readonly (number | null)[],
  dtype: DType,
  optional: boolean,
): Tensor {
  return Input({ shape, batchSize, dtype, name, optional })
}
