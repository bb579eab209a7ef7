// GraphLayer: the graph of a file as one layer, with the file's float tensors as its weights. Subclasses read a format;
// the table of operators of the format has what nodes compute, run.ts their order.

import { FormatError, MyelinError, ShapeError, formatShape } from '../../core/errors'
import { configured, nullAs, option } from '../../core/options'
import { flatten, isRecord, pathName, type Tree } from '../../core/tree'
import { requireWithinLimit } from '../../core/weight-limit'
import { Layer } from '../../layers'
import type { CallContext } from '../../layers/context'
import { TensorSpec, specsFrom } from '../../layers/spec'
import type { ConstantLike } from '../../models/load-options'
import { Tensor } from '../../ops/tensor'
import { PreparedStrings, StringTensor, noteReader } from '../../ops/strings'
import * as ops from '../../ops'
import { Variable } from '../../ops/variable'
import { outputLabels, type Labels } from './strings'
import { isList } from '../containers/json'
import { constants } from './options'
import type { OnnxFile } from './onnx-file'
import { hostOf } from './host'
import type { ValueInfo } from './proto'
import { LimitError } from './call'
import { runFile } from './run'
import { tensorFrom, type HostTensor } from './tensors'
import { elementType, typeName, types, type ElementType } from './types'
import { Value } from './values'
import type { Initializer } from './trained-tensors'
import type { LayerTraits } from '../../layers/traits'
import { trackWeight } from '../../layers/weight-lists'
import { tracedOutputSpecs } from '../../layers/inference'

/** Values of inputs that are the same in every call: numbers, or nested arrays of them. */
export type Constants = Readonly<Record<string, ConstantLike>>

/** An input of a graph. */
export interface GraphInput {
  readonly name: string
  readonly type: ElementType
  /** null stands for an open extent. */
  readonly shape: readonly (number | null)[] | null
  /** The names of open extents. */
  readonly names: readonly string[]
}

/** The declared type of an input or an output. @throws FormatError for types other than tensors of numbers */
export function declared({ name, type }: ValueInfo, where: string, takesStrings = false): GraphInput {
  const tensor = type?.tensor ?? null
  const element = tensor === null ? null : elementType(tensor.type)
  if (tensor === null || element === null || (element === 'string' && !takesStrings)) {
    const found = tensor === null ? 'something else' : `a tensor of type ${typeName(tensor.type)}`
    throw new FormatError(`${where}: '${name}' must be a tensor of numbers, it is ${found}`)
  }
  const dims = tensor.shape?.dims ?? null
  const extents = dims?.map(({ value }) => (value !== null && value > 0 ? value : null)) ?? null
  if (extents !== null && extents.length > 32) throw new FormatError(`${where}: '${name}' has ${extents.length} axes`)
  return { name, type: element, shape: extents, names: dims?.map((each) => each.name) ?? [] }
}

/** The inputs that are not initializers. */
export function inputsOf({ graph, name, strings }: OnnxFile): GraphInput[] {
  const held = new Set(graph.initializers.map((each) => each.name))
  return graph.inputs.filter((each) => !held.has(each.name)).map((each) => declared(each, name, strings !== null))
}

/** The axes of a constant at most. */
const MOST_AXES = 8

/** The elements of nested arrays. */
function elementsOf(value: ConstantLike, axes = MOST_AXES): number[] {
  return isList(value) && axes > 0 ? value.flatMap((each) => elementsOf(each, axes - 1)) : [Number(value)]
}

function constantFrom(name: string, type: ElementType, value: ConstantLike): HostTensor {
  const shape: number[] = []
  for (let each: ConstantLike | undefined = value; isList(each) && shape.length < MOST_AXES; each = each[0])
    shape.push(each.length)
  const flat = elementsOf(value)
  const size = shape.reduce((product, extent) => product * extent, 1)
  if (flat.length === size && !flat.some(Number.isNaN)) return hostOf(type, shape, flat)
  throw new ShapeError(`constants: '${name}' must be a number or nested arrays of equal lengths`)
}

/** A tensor with its axes in another order. */
function arranged(host: HostTensor, order: readonly number[]): Tensor {
  return Value.known(host.type === 'float64' ? { ...host, type: 'float32' } : host).in(order)
}

/** A graph and its tensors. */
export interface ReadGraph {
  readonly file: OnnxFile
  readonly initializers: readonly Initializer[]
}

export interface GraphLayerOptions {
  /** Values of inputs that are the same in every call. Default {}. */
  constants?: Constants
  /** Default: the class name in snake_case. */
  name?: string
}

const GraphLayerBase = configured(Layer<unknown, unknown>, () => ({
  /** Values of inputs that are the same in every call. Default {}. */
  constants: option(nullAs(constants, {}), {}),
}))

export abstract class GraphLayer extends GraphLayerBase {
  /** @internal */
  static override readonly traits: LayerTraits<GraphLayer> = {
    isPathRoot: true,
    /** Extents that the file fixes may be constants of its graph, the number of samples among them. */
    checkShape(layer, shape, built, path) {
      if (built.length === shape.length && built.every((extent, i) => extent === null || extent === shape[i])) return
      const advice =
        built[0] === null
          ? ''
          : ` The file was made for ${built[0]} rows: pass batchSize: ${built[0]}, or open it with the option shapes.`
      throw new ShapeError(
        `${layer}: the input${path === '' ? '' : ` '${pathName(path)}'`} must be ${formatShape(built)}, received ${formatShape(shape)}.${advice}`,
      )
    },
  }

  protected readonly graphFile: OnnxFile
  readonly #initializers: readonly Initializer[]
  readonly #known = new Map<string, Value>()
  readonly #weights = new Map<string, Variable>()
  #labels: ReadonlyMap<string, Labels> | null = null

  constructor(...options: [options: GraphLayerOptions]) {
    super(...options)
    const { file, initializers } = this.read()
    this.graphFile = file
    this.#initializers = initializers
    for (const { name, type } of inputsOf(file)) {
      if (!Object.hasOwn(this.constants, name)) continue
      this.#known.set(name, Value.known(constantFrom(name, type, this.constants[name]!)))
    }
    for (const { name, proto, weight } of initializers) {
      if (weight !== null) continue
      this.#known.set(name, Value.known(tensorFrom(proto, `${this}: the initializer '${name}'`, new Map())))
    }
  }

  /** Reads the graph from the options. @throws FormatError */
  protected abstract read(): ReadGraph

  /** Drops elements in training. */
  protected dropout(x: Tensor, _rate: number): Tensor {
    return x
  }

  /** The inputs that a call needs, in the order of the file: all that are no constants. */
  get graphInputs(): readonly GraphInput[] {
    return inputsOf(this.graphFile).filter(({ name }) => !this.#known.has(name))
  }

  /** Whether each row of the inputs is a sample. */
  get isTable(): boolean {
    return this.graphFile.isTable
  }

  /** The names of the outputs. */
  get outputNames(): readonly string[] {
    return this.graphFile.graph.outputs.map(({ name }) => name)
  }

  override build(): void {
    for (const { name, weight } of this.#initializers) {
      if (weight === null) continue
      const shape = weight.order.map((axis) => weight.shape[axis]!)
      requireWithinLimit(`${this}: ${name}`, shape)
      const variable = new Variable(shape, { name, trainable: weight.trainable })
      trackWeight(this, variable)
      this.#weights.set(name, variable)
    }
  }

  /** Sets the weights to the elements that a file has for them. @internal */
  fill(elements: (initializer: Initializer) => HostTensor): void {
    for (const each of this.#initializers) {
      if (each.weight !== null) this.#weights.get(each.name)!.assign(arranged(elements(each), each.weight.order))
    }
  }

  call(input: unknown, { training }: CallContext): unknown {
    const values = new Map<string, () => Value>()
    for (const [name, value] of this.#known) values.set(name, () => value)
    for (const { name, weight } of this.#initializers)
      if (weight !== null) values.set(name, () => Value.of(this.#weights.get(name)!.value, 'float32', weight.order))
    const inputs = this.graphInputs
    for (const { name, type } of inputs) {
      const tensor = input instanceof Tensor || !isRecord(input) ? input : input[name]
      if (!(tensor instanceof Tensor))
        throw new ShapeError(`${this}: expected the inputs ${inputs.map((each) => `'${each.name}'`).join(', ')}`)
      values.set(name, () => Value.of(type === 'string' ? this.stringNumbers(tensor) : tensor, type))
    }
    const outputs = runFile(
      {
        file: this.graphFile,
        training: training && this.trainable,
        dropout: (x, rate) => this.dropout(x, rate),
        update: (name, value) => this.#weights.get(name)?.assign(value),
      },
      values,
    ).map((value, i) => (value.type === 'string' ? this.labelNumbers(value, this.outputNames[i]!) : value.plain))
    if (outputs.length === 1) return outputs[0]!
    return Object.fromEntries(this.outputNames.map((name, i) => [name, outputs[i]!]))
  }

  /** What the numbers of an output stand for, or its columns, by the names of outputs. */
  get labels(): ReadonlyMap<string, Labels> {
    return (this.#labels ??= outputLabels(this.graphFile.graph))
  }

  /** Strings → their numbers in the vocabulary of the file. @internal */
  readStrings({ strings, shape }: StringTensor): Tensor {
    const vocabulary = this.graphFile.strings!
    return new Tensor(
      Int32Array.from(strings, (each) => vocabulary.get(each) ?? -1),
      shape,
      'int32',
    )
  }

  /** @internal */
  readShape(shape: readonly (number | null)[]): readonly (number | null)[] {
    return shape
  }

  private stringNumbers(x: Tensor): Tensor {
    if (x instanceof StringTensor) return this.readStrings(x)
    if (x instanceof PreparedStrings) return x.resultOf(this)
    if (x.dtype !== 'string') return x
    // Only the shape is known: the model is being traced, and no step runs.
    noteReader(x, this)
    return ops.full(x.shape, 0, 'int32')
  }

  /** Strings of an output as numbers of its labels. */
  private labelNumbers({ plain }: Value, name: string): Tensor {
    const labels = this.labels.get(name)
    if (labels === undefined)
      throw new FormatError(
        `${this}: the output '${name}' has strings that are not in the file. Outputs of strings must be labels`,
      )
    const numbers = [...this.graphFile.strings!.keys()].map((each) => labels.indexOf(each))
    return ops.take([...numbers, -1], ops.where(ops.less(plain, 0), numbers.length, plain), 0)
  }

  /**
   * The types of the outputs: traced, or those that the file declares if the graph cannot be traced for the values that
   * were tried for open extents.
   * @internal
   */
  override computeOutputSpec(inputSpec: unknown): Tree<TensorSpec> {
    const inputs = specsFrom(inputSpec)
    try {
      return tracedOutputSpecs(this, inputs)
    } catch (error) {
      const specs = this.#declaredSpecs()
      const isOpen = flatten(inputs).some(({ shape }) => shape.includes(null))
      if (!(error instanceof MyelinError) || error instanceof LimitError || !isOpen || specs === null) throw error
      return specs
    }
  }

  #declaredSpecs(): Tree<TensorSpec> | null {
    const specs = this.graphFile.graph.outputs.map((each) => {
      if (each.type?.tensor == null) return null
      const { shape, type } = declared(each, this.graphFile.name)
      return shape === null ? null : new TensorSpec(shape, types[type].dtype)
    })
    const known = specs.flatMap((each) => each ?? [])
    if (known.length < specs.length) return null
    return known.length === 1 ? known[0]! : Object.fromEntries(this.outputNames.map((name, i) => [name, known[i]!]))
  }
}

/**
 * The spec of an input.
 * @param chosen the shape that the user chose; undefined for that of the file
 * @throws FormatError if there is neither
 */
export function specOfInput(
  { name, type, shape }: GraphInput,
  chosen: readonly (number | null)[] | undefined,
  where: string,
): TensorSpec {
  const extents = chosen ?? shape
  if (extents === null)
    throw new FormatError(`${where}: the input '${name}' has no shape. Pass it: { shapes: { '${name}': [null, 3] } }`)
  if (shape !== null && extents.length !== shape.length)
    throw new ShapeError(
      `shapes: '${name}' must have the axes of ${formatShape(shape)}, received ${formatShape(extents)}`,
    )
  return new TensorSpec(extents, type === 'string' ? type : types[type].dtype)
}
