// OnnxGraph: the graph of a file as one layer, with the file's float initializers as its weights. operators/ has what its
// nodes compute, run.ts their order.

import { fromBase64 } from '../core/base64'
import { FormatError, MyelinError, ShapeError, formatShape } from '../core/errors'
import { configured, custom, option, required, text } from '../core/options'
import type { Json } from '../core/registry'
import { requireWithinLimit } from '../core/weight-limit'
import type { Tree } from '../core/tree'
import { pathName, typed } from '../core/tree'
import { Layer } from '../layers'
import type { CallContext } from '../layers/context'
import { generatorOf, seedOption } from '../layers/random'
import type { BatchShape } from '../layers/spec'
import { TensorSpec } from '../layers/spec'
import type { SeedGenerator } from '../ops/random/generator'
import { dropout } from '../ops/random/random'
import { Tensor } from '../ops/tensor'
import { Variable } from '../ops/variable'
import { LimitError } from './call'
import type { OnnxFile } from './file'
import { readFile } from './file'
import { hostOf } from './host'
import type { NodeProto, ValueInfo } from './proto'
import { graphsIn } from './proto'
import { runFile } from './run'
import type { HostTensor } from './tensors'
import { tensorFrom } from './tensors'
import type { ElementType } from './types'
import { elementType, typeName, types } from './types'
import { Value } from './values'
import type { Initializer } from './weights'
import { initializersOf } from './weights'

/** Values of inputs that are the same in every call: numbers, or nested arrays of them. */
export type Constants = Readonly<Record<string, ConstantLike>>
export type ConstantLike = number | boolean | readonly ConstantLike[]

const constantsKind = custom<Constants>(
  (value) => (value ?? {}) as Constants,
  (value) => value as Json,
)

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
export function declared({ name, type }: ValueInfo, where: string): GraphInput {
  const tensor = type?.tensor ?? null
  const own = tensor === null ? null : elementType(tensor.type)
  if (tensor === null || own === null || own === 'string') {
    const said = tensor === null ? 'something else' : `a tensor of type ${typeName(tensor.type)}`
    throw new FormatError(`${where}: '${name}' must be a tensor of numbers, it is ${said}`)
  }
  const dims = tensor.shape?.dims ?? null
  const extents = dims?.map(({ value }) => (value !== null && value > 0 ? value : null)) ?? null
  if (extents !== null && extents.length > 32) throw new FormatError(`${where}: '${name}' has ${extents.length} axes`)
  return { name, type: own, shape: extents, names: dims?.map((each) => each.name) ?? [] }
}

/** The inputs that are not initializers. */
export function inputsOf({ graph, name }: OnnxFile): GraphInput[] {
  const held = new Set(graph.initializers.map((each) => each.name))
  return graph.inputs.filter((each) => !held.has(each.name)).map((each) => declared(each, name))
}

/** The axes of a constant at most. */
const MOST_AXES = 8

function constantFrom(name: string, type: ElementType, given: ConstantLike): HostTensor {
  const shape: number[] = []
  for (let each = given; Array.isArray(each) && shape.length < MOST_AXES; each = each[0] as ConstantLike)
    shape.push(each.length)
  const flat = [given].flat(MOST_AXES as 1).map(Number)
  const size = shape.reduce((product, extent) => product * extent, 1)
  if (flat.length === size && !flat.some(Number.isNaN)) return hostOf(type, shape, flat)
  throw new ShapeError(`constants: '${name}' must be a number or nested arrays of equal lengths`)
}

/** A tensor with its axes in another order. */
function arranged(host: HostTensor, order: readonly number[]): Tensor {
  return Value.known(host.type === 'float64' ? { ...host, type: 'float32' } : host).in(order)
}

/** The bytes of a structure as an option of a layer. */
export function encoded(bytes: Uint8Array): string {
  const parts: string[] = []
  for (let at = 0; at < bytes.length; at += 8192) parts.push(String.fromCharCode(...bytes.subarray(at, at + 8192)))
  return btoa(parts.join(''))
}

const hasDropout = (nodes: readonly NodeProto[]): boolean =>
  nodes.some((node) => node.type === 'Dropout' || graphsIn(node).some((graph) => hasDropout(graph.nodes)))

export interface OnnxGraphOptions {
  /** The file without the elements of its weights, in base64. */
  file: string
  /** Values of inputs that are the same in every call. Default {}. */
  constants?: Constants
  /** The seed of Dropout. Default null: random. */
  seed?: number | null
  /** Default: the class name in snake_case. */
  name?: string
}

/**
 * The graph of an ONNX file, which `loadOnnx` makes. Its float initializers are weights under the names of the file;
 * convolution kernels have the layout of Conv2D, [rows, columns, channels, filters]. In training, Dropout drops elements
 * and BatchNormalization normalizes by the batch.
 */
export class OnnxGraph extends configured(Layer<unknown, unknown>, () => ({
  ...seedOption(),
  /** The file without the elements of its weights, in base64. */
  file: required(text),
  /** Values of inputs that are the same in every call. Default {}. */
  constants: option(constantsKind, {}),
})) {
  static readonly className = 'OnnxGraph'
  readonly #file: OnnxFile
  readonly #initializers: readonly Initializer[]
  readonly #known = new Map<string, Value>()
  readonly #weights = new Map<string, Variable>()
  protected readonly generator: SeedGenerator | null

  constructor(...given: [options: OnnxGraphOptions]) {
    super(...given)
    try {
      this.#file = readFile(fromBase64(this.file), String(this))
    } catch (error) {
      if (error instanceof MyelinError) throw error
      throw new FormatError(`${this}: the option file must be an ONNX file in base64`)
    }
    this.#initializers = initializersOf(this.#file)
    for (const { name, type } of inputsOf(this.#file)) {
      if (!Object.hasOwn(this.constants, name)) continue
      this.#known.set(name, Value.known(constantFrom(name, type, this.constants[name]!)))
    }
    for (const { name, proto, weight } of this.#initializers) {
      if (weight !== null) continue
      this.#known.set(name, Value.known(tensorFrom(proto, `${this}: the initializer '${name}'`, new Map())))
    }
    const { graph, functions } = this.#file
    const all = [graph, ...functions.values()].flatMap(({ nodes }) => nodes)
    this.generator = hasDropout(all) ? generatorOf(this) : null
  }

  protected override get isPathRoot(): boolean {
    return true
  }

  /** The inputs that calls give, in the order of the file. */
  get graphInputs(): readonly GraphInput[] {
    return inputsOf(this.#file).filter(({ name }) => !this.#known.has(name))
  }

  /** The names of the outputs. */
  get outputNames(): readonly string[] {
    return this.#file.graph.outputs.map(({ name }) => name)
  }

  override build(): void {
    for (const { name, weight } of this.#initializers) {
      if (weight === null) continue
      const shape = weight.order.map((axis) => weight.shape[axis]!)
      requireWithinLimit(`${this}: ${name}`, shape)
      const size = shape.reduce((product, extent) => product * extent, 1)
      const zeros = new Tensor(new Float32Array(size), shape, 'float32')
      const variable = new Variable(zeros, { name, trainable: weight.trainable })
      this.trackWeight(variable)
      this.#weights.set(name, variable)
    }
  }

  /** Extents that the file fixes may be constants of its graph, the number of samples among them. */
  protected override checkShape(shape: BatchShape, built: BatchShape, path: string): void {
    if (built.length === shape.length && built.every((extent, i) => extent === null || extent === shape[i])) return
    const advice =
      built[0] === null
        ? ''
        : ` The file was made for ${built[0]} rows: pass batchSize: ${built[0]}, or open it with the option shapes.`
    throw new ShapeError(
      `${this}: the input${path === '' ? '' : ` '${pathName(path)}'`} must be ${formatShape(built)}, received ${formatShape(shape)}.${advice}`,
    )
  }

  /** Sets the weights to the elements that a file has for them. @internal */
  fill(elements: (initializer: Initializer) => HostTensor): void {
    for (const each of this.#initializers) {
      if (each.weight !== null) this.#weights.get(each.name)!.assign(arranged(elements(each), each.weight.order))
    }
  }

  call(input: unknown, { training }: CallContext): unknown {
    const given = new Map<string, () => Value>()
    for (const [name, value] of this.#known) given.set(name, () => value)
    for (const { name, weight } of this.#initializers)
      if (weight !== null) given.set(name, () => Value.of(this.#weights.get(name)!.value, 'float32', weight.order))
    const inputs = this.graphInputs
    for (const { name, type } of inputs) {
      const tensor = input instanceof Tensor ? input : (input as Readonly<Record<string, Tensor>>)[name]
      if (!(tensor instanceof Tensor))
        throw new ShapeError(`${this}: expected the inputs ${inputs.map((each) => `'${each.name}'`).join(', ')}`)
      given.set(name, () => Value.of(tensor, type))
    }
    const outputs = runFile(
      {
        file: this.#file,
        training: training && this.trainable,
        dropout: (x, rate) => dropout(x, rate, { seed: this.generator! }),
        update: (name, value) => this.#weights.get(name)?.assign(value),
      },
      given,
    ).map(({ plain }) => plain)
    if (outputs.length === 1) return outputs[0]!
    return Object.fromEntries(this.outputNames.map((name, i) => [name, outputs[i]!]))
  }

  /**
   * The types of the outputs: traced, or those that the file declares if the graph cannot be traced for small extents.
   * @internal
   */
  override computeOutputSpec(inputSpec: unknown): never {
    try {
      return typed(this.tracedOutputSpec(typed(inputSpec)))
    } catch (error) {
      const specs = this.#declaredSpecs()
      if (!(error instanceof MyelinError) || error instanceof LimitError || specs === null) throw error
      return typed(specs)
    }
  }

  #declaredSpecs(): Tree<TensorSpec> | null {
    const specs = this.#file.graph.outputs.map((each) => {
      const { shape, type } = declared(each, this.#file.name)
      return shape === null ? null : new TensorSpec(shape, types[type].dtype)
    })
    const known = specs.flatMap((each) => each ?? [])
    if (known.length < specs.length) return null
    return known.length === 1 ? known[0]! : Object.fromEntries(this.outputNames.map((name, i) => [name, known[i]!]))
  }
}

/** The spec of an input. @throws FormatError if the file does not say it and the user neither */
export function specOfInput(
  { name, type, shape }: GraphInput,
  given: readonly (number | null)[] | undefined,
  where: string,
): TensorSpec {
  const own = given ?? shape
  if (own === null)
    throw new FormatError(`${where}: the input '${name}' has no shape. Pass it: { shapes: { '${name}': [null, 3] } }`)
  if (shape !== null && own.length !== shape.length)
    throw new ShapeError(`shapes: '${name}' must have the axes of ${formatShape(shape)}, received ${formatShape(own)}`)
  return new TensorSpec(own, types[type].dtype)
}
