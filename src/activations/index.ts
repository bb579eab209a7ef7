// Activations by name. The functions themselves are ops.

import { ArgumentError, knownName, unknownName } from '../core/errors'
import { customObject, isClass, nameInFile, nameToSave } from '../core/registry'
import * as functions from '../ops'
import { cast } from '../ops/numpy/elementwise'
import { Tensor } from '../ops/tensor'
import { untraced } from '../ops/trace'
import { gelu } from './gelu'
import { relu } from './relu'

/** A function of one tensor, written with ops. */
export type ActivationFunction = (x: Tensor) => Tensor

const activations = {
  linear: functions.linear,
  relu,
  sigmoid: functions.sigmoid,
  tanh: functions.tanh,
  softmax: functions.softmax,
  logSoftmax: functions.logSoftmax,
  softplus: functions.softplus,
  softsign: functions.softsign,
  leakyRelu: functions.leakyRelu,
  relu6: functions.relu6,
  elu: functions.elu,
  selu: functions.selu,
  gelu,
  silu: functions.silu,
  hardSigmoid: functions.hardSigmoid,
  hardSilu: functions.hardSilu,
  hardTanh: functions.hardTanh,
  hardShrink: functions.hardShrink,
  softShrink: functions.softShrink,
  tanhShrink: functions.tanhShrink,
  logSigmoid: functions.logSigmoid,
  celu: functions.celu,
  glu: functions.glu,
  sparsemax: functions.sparsemax,
  sparsePlus: functions.sparsePlus,
  sparseSigmoid: functions.sparseSigmoid,
  squareplus: functions.squareplus,
  mish: functions.mish,
  exponential: functions.exponential,
  swish: functions.silu,
  hardSwish: functions.hardSilu,
} satisfies Readonly<Record<string, ActivationFunction>>

type ActivationName = keyof typeof activations

/** A known name (any spelling), or a custom function. */
export type ActivationIdentifier = ActivationName | (string & {}) | ActivationFunction

const names = Object.keys(activations)

/** The forms of custom functions: equal names in a file mean the same function. */
const wrapped = /* @__PURE__ */ new WeakMap<Function, ActivationFunction>()

/**
 * The function of an identifier; undefined and null mean linear. A name may refer to a custom object in scope.
 * @throws ArgumentError that suggests the nearest known name
 */
export function getActivation(identifier: ActivationIdentifier | undefined | null): ActivationFunction {
  if (identifier === undefined || identifier === null) return activations.linear
  if (typeof identifier === 'function') return identifier
  if (typeof identifier !== 'string') {
    throw new ArgumentError(`An activation must be a name or a function, received ${typeof identifier}`)
  }
  const own = customObject(identifier)
  if (typeof own === 'function' && !isClass(own)) {
    const known = wrapped.get(own)
    if (known?.name === identifier) return known
    const activation: ActivationFunction = (x) => requireTensor(own.call(undefined, x), identifier)
    // The name under which it is saved again.
    wrapped.set(own, Object.defineProperty(activation, 'name', { value: identifier }))
    return activation
  }
  const known = knownName(identifier, names)
  if (known === undefined) throw unknownName('activation', identifier, names)
  return activations[known as ActivationName]
}

function requireTensor(value: unknown, name: string): Tensor {
  if (typeof value === 'object' && value !== null && 'shape' in value && 'dtype' in value)
    return cast(value as Tensor, 'float32')
  throw new ArgumentError(`The activation '${name}' must return a tensor`)
}

/** Whether an activation computes each unit from all units, as softmax does: it is tried on some numbers. */
export const mixesUnits = (activation: ActivationFunction): boolean => !isApart(activation)

/** Numbers of several sizes, all different, with their neighbours in no order. */
const TRIED = [0.3, -2.5, 40, -0.01, 1.7, -30, 6.2, 0]
/** Some of them, in another order. */
const CHOSEN = [5, 0, 6, 3]

/** Whether f gives for some units in any order what it gives for them among all. */
function isApart(f: ActivationFunction): boolean {
  const of = (x: readonly number[]): ArrayLike<number> =>
    f(new Tensor(Float32Array.from(x), [1, x.length], 'float32')).data
  try {
    return untraced(() => {
      const [all, some] = [of(TRIED), of(CHOSEN.map((i) => TRIED[i]!))]
      return (
        some.length === CHOSEN.length &&
        CHOSEN.every((i, j) => Object.is(some[j], all[i]) || Math.abs(some[j]! - all[i]!) <= 1e-6 * Math.abs(all[i]!))
      )
    })
  } catch {
    // Such as one with a parameter for each unit.
    return false
  }
}

/** Whether two functions give the same: they are tried on some numbers. */
function isAlike(f: ActivationFunction, g: ActivationFunction): boolean {
  const of = (each: ActivationFunction): string =>
    String(each(new Tensor(Float32Array.of(...TRIED, 1e6, -1e6), [1, TRIED.length + 2], 'float32')).data)
  try {
    return untraced(() => of(f) === of(g))
  } catch {
    return false
  }
}

/** Whether f(c · x) = c · f(x) for every c > 0 and each unit by itself: it is tried on some numbers. */
export function isHomogeneous(activation: ActivationFunction): boolean {
  if (!isApart(activation)) return false
  const of = (scale: number): ArrayLike<number> =>
    activation(
      new Tensor(
        Float32Array.from(TRIED, (x) => scale * x),
        [1, TRIED.length],
        'float32',
      ),
    ).data
  // A power of 2 changes no digits.
  const [whole, quarter] = untraced(() => [of(1), of(0.25)] as const)
  return TRIED.every((_, i) => quarter[i] === 0.25 * whole[i]!)
}

/** The name under which an activation is saved: the known one, or the custom one. */
export function activationName(activation: ActivationFunction): string {
  const found = Object.entries(activations).find(([, known]) => known === activation)
  if (found !== undefined) return found[0]
  const known = knownName(activation.name, names)
  if (known === undefined) return nameInFile(activation, 'that is an activation')
  // Functions of the library also exist in forms that take symbols.
  return isAlike(activation, activations[known as ActivationName]) ? known : nameToSave(activation, () => true)
}
