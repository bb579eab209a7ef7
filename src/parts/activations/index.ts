// Activations by name. The functions themselves are ops.

import { ArgumentError, knownName, unknownName } from '../../core/errors'
import { customObject, isPlainFunction, nameInFile, nameToSave } from '../../core/registry'
import * as functions from '../../ops'
import type { UntypedFunction } from '../../ops/arguments'
import { toTensor } from '../../ops/convert'
import { cast } from '../../ops/numpy/elementwise'
import { isDeclared, type DeclaredOp, type OpTraits, type Units } from '../../ops/op'
import type { Tensor } from '../../ops/tensor'
import { gelu } from './gelu'
import { relu } from './relu'
import { areAlikeUnits, triedUnits } from '../../ops/tried'

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

const isName = (name: string): name is ActivationName => Object.hasOwn(activations, name)
const names = Object.keys(activations).filter(isName)

/** The activations that were made of custom functions. Equal names in a file mean the same activation. */
const wrapped = /* @__PURE__ */ new WeakMap<Function, ActivationFunction>()

/** Any function: results that are not tensors are refused when it is called. */
function isActivation(identifier: unknown): identifier is ActivationFunction {
  return typeof identifier === 'function'
}

/**
 * The function of an `ActivationIdentifier`; undefined and null mean linear. A name may refer to a custom object in scope.
 * @throws ArgumentError that suggests the nearest known name
 */
export function getActivation(identifier: unknown): ActivationFunction {
  if (identifier === undefined || identifier === null) return activations.linear
  if (isActivation(identifier)) return identifier
  if (typeof identifier !== 'string') throw notAnActivation(identifier)
  const custom = customObject(identifier)
  if (isPlainFunction<UntypedFunction>(custom)) {
    const known = wrapped.get(custom)
    if (known?.name === identifier) return known
    const activation: ActivationFunction = (x) => requireTensor(custom(x), identifier)
    // The name under which it is saved again.
    wrapped.set(custom, Object.defineProperty(activation, 'name', { value: identifier }))
    return activation
  }
  const known = knownName(identifier, names)
  if (known === undefined) throw unknownName('activation', identifier, names)
  return activations[known]
}

/** The error for a value that is neither a name nor a function. */
export function notAnActivation(value: unknown): ArgumentError {
  return new ArgumentError(`An activation must be a name or a function, received ${typeof value}`)
}

function requireTensor(value: unknown, name: string): Tensor {
  if (typeof value === 'object' && value !== null && 'shape' in value && 'dtype' in value)
    return cast(toTensor(value, 'cast'), 'float32')
  throw new ArgumentError(`The activation '${name}' must return a tensor`)
}

const all = new Set<ActivationFunction>(Object.values(activations))

const traitsOf = (activation: ActivationFunction): OpTraits => (isDeclared(activation) ? activation.traits : {})

/** How an activation computes units: as it declares. For other functions, such as those of users, trials find it out. */
const unitsOf = (activation: ActivationFunction): Units =>
  traitsOf(activation).units ?? (all.has(activation) ? 'apart' : triedUnits(activation))

/** Whether an activation computes each unit from all units, as softmax does. */
export const mixesUnits = (activation: ActivationFunction): boolean => unitsOf(activation) === 'mixed'

/** Whether f(c · x) = c · f(x) for every c > 0 and each unit by itself. */
export const isHomogeneous = (activation: ActivationFunction): boolean => unitsOf(activation) === 'scaled'

/** The limits that an activation declares; null for one without. */
export const limitsOf = (activation: ActivationFunction): NonNullable<OpTraits['limits']> | null =>
  traitsOf(activation).limits ?? null

/** The name under which an activation is saved: the known one, or the custom one. */
export function activationName(activation: ActivationFunction): string {
  const found = Object.entries(activations).find(([, known]) => known === activation)
  if (found !== undefined) return found[0]
  const known = knownName(activation.name, names)
  if (known === undefined) return nameInFile(activation, 'that is an activation')
  const same = isDeclared(activation) ? isSame(activation, known) : areAlikeUnits(activation, activations[known])
  return same ? known : nameToSave(activation, () => true)
}

/** Whether an op is an activation under a second name. */
function isSame({ compute, traits }: DeclaredOp, name: ActivationName): boolean {
  const known: ActivationFunction = activations[name]
  return traits.activation === name || (isDeclared(known) && known.compute === compute)
}
