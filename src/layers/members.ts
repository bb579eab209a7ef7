// What members of all layers share: the arguments of a call, of build and of stateless calls, and members whose code only
// an entry with the whole library has.

import { ArgumentError, ShapeError, StateError, formatShape, knownName, quoted } from '../core/errors'
import type { Tree } from '../core/tree'
import { flatten, isRecord, mapTree, pathName, pathsOf, typed } from '../core/tree'
import type { InitializerIdentifier } from '../initializers'
import { Metric } from '../metrics/metric'
import type { TensorLike } from '../ops/convert'
import { asTensor } from '../ops/convert'
import { stateless } from '../ops/stateless'
import { beginsWithString } from '../ops/strings'
import { Tensor } from '../ops/tensor'
import type { Variable } from '../ops/variable'
import type { ApplyOptions } from './call-options'
import { CallContext } from './context'
import { TensorSpec, isBatchShape, specsFrom } from './spec'

/** The dtypes of a layer. */
export interface DTypePolicy {
  /** `float32`, or `int8_from_float32` for quantized weights. */
  readonly name: string
  /** The dtype of computations: float32. */
  readonly computeDtype: 'float32'
  /** The dtype of weights: float32. */
  readonly variableDtype: 'float32'
  /** How weights are stored: `int8`, `int4`; null for float32. */
  readonly quantizationMode: string | null
}

/** The arrays of a layer alone, by their names in a file. */
export type OwnVariables = Record<string, TensorLike>

/** The options of `enableLora`. */
export interface LoraOptions {
  /** The product is multiplied by loraAlpha / rank. Default null: the rank. */
  readonly loraAlpha?: number | null | undefined
  /** The initializer of A. Default heUniform. */
  readonly aInitializer?: InitializerIdentifier | undefined
  /** The initializer of B. Default zeros: at first, the layer computes the same as before. */
  readonly bInitializer?: InitializerIdentifier | undefined
}

/** The options of `statelessCall`: those of `apply`, and whether losses are returned. */
export interface StatelessOptions extends ApplyOptions {
  /** Whether the losses of the layer are returned, too. Default false. */
  readonly returnLosses?: boolean
}

/** A layer, as far as this file uses it. */
interface Called {
  readonly name: string
  readonly built: boolean
  readonly inputDtype: TensorSpec['dtype']
  readonly trainableVariables: readonly Variable[]
  readonly nonTrainableVariables: readonly Variable[]
  readonly ownWeights: readonly Variable[]
  readonly losses: readonly Tensor[]
  call(...inputs: never[]): unknown
  ensureBuilt(specs: Tree<TensorSpec>): void
  outputSpecs(specs: Tree<TensorSpec>): Tree<TensorSpec>
  applyTree(input: unknown, options: ApplyOptions | CallContext): Tree<Tensor>
}

/** Functions with much code, which bundles have only if a program imports them. Entries with the whole library set them. */
export interface HeavyMembers {
  /** `layer.enableLora`. */
  enableLora(layer: object, rank: number, options: object): unknown
  /** `layer.quantize` and `model.quantize`. */
  quantize(layer: object, mode: unknown): Promise<void>
}
let heavy: HeavyMembers | null = null

/** Sets the members whose code the bundle of a small model does not have. */
export function setHeavyMembers(given: HeavyMembers | null): void {
  heavy = given
}

/** @throws StateError in a bundle, which has only what the program imports */
export function heavyMember<Name extends keyof HeavyMembers>(name: Name, instead: string): HeavyMembers[Name] {
  if (heavy !== null) return heavy[name]
  throw new StateError(`${name}: a bundle has this function only if the program imports it: ${instead}`)
}

/** Whether the last argument of a call has its options. */
const isOptions = (value: unknown): value is ApplyOptions =>
  value instanceof CallContext || (isRecord(value) && !('data' in value && 'shape' in value))

/** The arguments of `apply`: one input or several, then options. Several are a list. */
export function readCall(
  layer: Called,
  given: readonly unknown[],
): readonly [input: unknown, options: ApplyOptions | CallContext] {
  if (given.length < 2) return [given[0], {}]
  const inputs = [...given]
  const said = isOptions(inputs.at(-1)) && inputs.length > 1 ? inputs.pop() : {}
  while (inputs.length > 1 && inputs.at(-1) == null) inputs.pop()
  const options = said as ApplyOptions
  if (inputs.length === 1) return [inputs[0], options]
  const odd = inputs.find((each) => each == null || isOptions(each) || typeof each === 'boolean' || typeof each === 'string')
  if (odd !== undefined || inputs.includes(undefined))
    throw new ArgumentError(
      `${layer}: several inputs are tensors, and options are one object at the end: apply(a, b, { training: true }). Received ${quoted(odd)}`,
    )
  const { length } = layer.call
  if (length > 2 && length <= inputs.length)
    throw new ArgumentError(`${layer}: call takes ${length - 1} inputs and the context, received ${inputs.length} inputs`)
  // A list of arrays would be the rows of one tensor.
  const tensors = inputs.map((each) => (beginsWithString(each) ? each : asTensor(each as TensorLike, String(layer))))
  return [tensors, options]
}

/** Whether `call` takes the inputs of a list one by one, and the context after them. */
export function takesApart(layer: Called, input: unknown): input is readonly unknown[] {
  return layer.call.length > 2 && Array.isArray(input)
}

/** `layer.build(inputShape)` of users: builds the layer once, or checks that it fits. */
export function build(this: Called, ...given: readonly unknown[]): void {
  const [said] = given
  const [key, ...more] = isRecord(said) ? Object.keys(said) : []
  const shapes = key !== undefined && more.length === 0 && knownName(key, ['inputShape']) ? typed<Record<string, unknown>>(said)[key] : said
  if (given.length !== 1 || !isShapes(shapes))
    throw new ArgumentError(
      `${this}: build needs the shape of the input, such as [null, 4], or a list or record of shapes, received ${given.map((each) => quoted(each)).join(', ')}`,
    )
  // The batch may have any size. Shapes have no dtype: the first layer knows its own.
  const specs = mapTree(specsFrom(shapes), ({ shape, dtype }) => {
    const open = [null, ...shape.slice(1)].slice(0, shape.length)
    return new TensorSpec(open, dtype === 'float32' ? this.inputDtype : dtype)
  })
  if (this.built) this.outputSpecs(specs)
  else this.ensureBuilt(specs)
}

function isShapes(value: unknown): boolean {
  if (value instanceof TensorSpec) return true
  if (Array.isArray(value) && value.length > 0 && isBatchShape(value))
    return value.every((extent) => extent === null || (Number.isSafeInteger(extent) && extent > 0))
  const parts = Array.isArray(value) ? value : isRecord(value) ? Object.values(value) : []
  return parts.length > 0 && parts.every(isShapes)
}

/** @throws ShapeError for an input that does not fit the `inputSpec` that a layer declares */
export function requireSpec(layer: object, spec: Tree<TensorSpec>, input: Tree<unknown>): void {
  const specs = flatten(spec)
  const paths = pathsOf(input)
  flatten(input).forEach((leaf, i) => {
    const own = specs[i]
    if (own === undefined || !(leaf instanceof Tensor || leaf instanceof TensorSpec)) return
    const fits =
      own.shape.length === leaf.shape.length &&
      own.shape.every((extent, axis) => (extent ?? leaf.shape[axis]) === (leaf.shape[axis] ?? extent))
    if (!fits)
      throw new ShapeError(
        `${layer}: ${paths[i] === '' ? 'the input' : `input ${pathName(paths[i]!)}`} must be ${formatShape(own.shape)}, received ${formatShape(leaf.shape)}`,
      )
  })
}

/** `layer.statelessCall`: see there. */
export function statelessCall(layer: Called, trainable: readonly TensorLike[], others: readonly TensorLike[], given: readonly unknown[]): unknown[] {
  const [input, { returnLosses = false, ...options }] = readCall(layer, given) as [unknown, StatelessOptions]
  if (!layer.built) throw new StateError(`${layer}: statelessCall needs weights. Call build, or apply, before`)
  const where = `${layer}: statelessCall`
  const [[results, state]] = stateless(`${where}: trainableVariables`, layer.trainableVariables, trainable, () =>
    stateless(`${where}: nonTrainableVariables`, layer.nonTrainableVariables, others, () => {
      const outputs = layer.applyTree(input, options)
      return returnLosses ? [outputs, layer.losses] : [outputs]
    }),
  )
  const [outputs, ...losses] = results
  return [outputs, state, ...losses]
}

/** The metrics in the properties of layers, also in lists, as Keras tracks them. */
export function metricsIn(layers: readonly object[]): readonly Metric[] {
  const isMetric = (value: unknown): value is Metric => value instanceof Metric
  return [...new Set(layers.flatMap((layer) => Object.values<unknown>({ ...layer }).flat().filter(isMetric)))]
}

/** The arrays of weights by their positions. */
export function saveOwn(weights: readonly Variable[], store: OwnVariables): void {
  weights.forEach(({ value }, i) => (store[i] = value))
}

/** @throws ArgumentError for another number of arrays; ShapeError for one that does not fit */
export function loadOwn(where: string, weights: readonly Variable[], store: Readonly<OwnVariables>): void {
  const { length } = Object.keys(store)
  if (length !== weights.length)
    throw new ArgumentError(`${where} has ${weights.length} variables, received ${length}`)
  weights.forEach((weight, i) => weight.assign(store[i]!))
}
