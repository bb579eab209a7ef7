// What members of all layers share: the arguments of a call, of build and of stateless calls, and members whose code only
// an entry with the whole library has.

import { ArgumentError, StateError, quoted } from '../core/errors'
import { isRecord } from '../core/tree'
import type { InitializerIdentifier } from '../parts/initializers'
import { Metric } from '../metrics/metric'
import { toTensor, type TensorLike } from '../ops/convert'
import { beginsWithString } from '../ops/strings'
import type { ApplyOptions } from './call-options'
import { CallContext } from './context'
import type { LayerLike } from './layer-like'
import { replayedBy, traitsOf } from './traits'

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

/** What a layer is built from. */
export interface BuildConfig {
  /** The shape of the input, or a list or record of shapes. */
  readonly inputShape?: unknown
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

/** The error of a method with much code: the entry for Node replaces it, and a bundle for pages has only what the program imports. */
export function onlyInNode(name: string, from: string): StateError {
  return new StateError(
    `This method is in Node only, not in bundles for pages, Deno and workerd. Everywhere it is a function: import { ${name} } from '${from}'`,
  )
}

/** Whether the last argument of a call has its options. */
export const isOptions = (value: unknown): value is ApplyOptions =>
  value instanceof CallContext || (isRecord(value) && !('data' in value && 'shape' in value))

/** The arguments of `apply`: one input or several, then options. Several are a list. */
export function readCall(
  layer: LayerLike,
  args: readonly unknown[],
): readonly [input: unknown, options: ApplyOptions | CallContext] {
  if (args.length < 2) return [args[0], {}]
  const inputs = [...args]
  const last = inputs.at(-1)
  const options: ApplyOptions | CallContext = isOptions(last) && inputs.length > 1 ? last : {}
  if (options === last) inputs.pop()
  while (inputs.length > 1 && inputs.at(-1) == null) inputs.pop()
  if (inputs.length === 1) return [inputs[0], options]
  const odd = inputs.find((each) => typeof each !== 'object')
  if (odd !== undefined)
    throw new ArgumentError(`${layer}: options are an object, { training: true }, received ${quoted(odd)}`)
  const { length } = parametersOf(layer)
  if (length > 2 && length === layer.call.length && length !== inputs.length + 1)
    throw new ArgumentError(`${layer}: call takes ${length - 1} inputs, received ${inputs.length}`)
  // A list of arrays would be the rows of one tensor.
  const tensors = inputs.map((each) => (beginsWithString(each) ? each : toTensor(each, String(layer))))
  if (length !== 2 || takesList(layer) || inputs.length > 2) return [tensors, options]
  // The context of an outer call has its own inputs.
  const { training } = options
  return [tensors, { ...(options instanceof CallContext ? { training } : options), separate: true }]
}

/** Whether `call` takes several inputs as a list, also if they are separate arguments. */
function takesList(layer: object): boolean {
  const { form = {} } = traitsOf(layer)
  return form.takesList === true || form.takesOne === true || replayedBy(layer) !== null
}

/** The parameters of `call` with their defaults, which its `length` does not count; in braces for patterns. */
function parametersOf({ call }: Pick<LayerLike, 'call'>): readonly string[] {
  const [, list = ''] = /^[^(=]*\(([^()]*)\)/.exec(String(call)) ?? []
  const found = list.replace(/\{[^{}]*\}|\[[^[\]]*\]/g, '{}').match(/[^,]*[^,\s]/g) ?? []
  return found.length < call.length ? new Array<string>(call.length).fill('') : found
}

/**
 * The arguments of `call`. The inputs of a list are separate with more than two parameters, or with two if `apply` ever got them as
 * separate arguments, because the second could be the context. The context follows, unless the last parameter has a number, text, true,
 * false or null as its default; inputs that are not given keep their defaults.
 * @param isApart whether `apply` got separate arguments
 */
export function callArguments(layer: LayerLike, input: unknown, isApart: boolean, context: CallContext): unknown[] {
  const parameters = parametersOf(layer)
  const inputs: unknown[] = Array.isArray(input) && parameters.length > (isApart ? 1 : 2) ? [...input] : [input]
  if (/=\s*[^\s{]/.test(parameters.at(-1) ?? '')) return inputs
  const place = parameters.length - 1
  if (layer.call.length < place) inputs.length = Math.max(inputs.length, place)
  return [...inputs, context]
}

/** The metrics in the properties of layers, also in lists, as Keras tracks them. */
export function metricsIn(layers: readonly object[]): readonly Metric[] {
  const isMetric = (value: unknown): value is Metric => value instanceof Metric
  return [
    ...new Set(
      layers.flatMap((layer) =>
        Object.values<unknown>({ ...layer })
          .flat()
          .filter(isMetric),
      ),
    ),
  ]
}
