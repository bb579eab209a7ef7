// The variables of an optimizer in the order of Keras's files: the number of updates, the learning rate unless it is a schedule, then
// what is kept for each weight. Variables that are made together are interleaved: m and v of the first weight, m and v of the second.

import { formatShape, internalError } from '../../core/errors'
import { classNameOf } from '../../core/registry'
import { sameShape, type Shape } from '../../core/shapes'
import { LossScaleOptimizer } from '../../optimizers/loss-scale'
import { MultiOptimizer } from '../../optimizers/multi'
import { AVERAGE, type Optimizer } from '../../optimizers/optimizer'
import { Nadam } from '../../optimizers/rules'
import { Tensor } from '../../ops/tensor'
import type { Variable } from '../../ops/variable'
import type { Hdf5Dataset } from './hdf5/types'
import { orderedOptimizers } from './multi-optimizer'
import { assignmentsOf as assignmentsIn, tensorFor, type Assignment } from './read-weights'

/** One array of a file. */
export type OptimizerArray =
  | { readonly kind: 'variable'; readonly variable: Variable }
  /** The number of calls of `apply`: `steps` per update, plus the calls since the last update. */
  | { readonly kind: 'calls'; readonly updates: Variable; readonly gathered: Variable; readonly steps: number }
  /** An array of Keras that this library does not need; zeros are written. */
  | { readonly kind: 'unused'; readonly shape: Shape; readonly dtype: 'float32' | 'int32' }

/** The name of the slot of accumulated gradients. */
const ACCUMULATOR = 'gradientAccumulator'

/** Slots that Keras makes one after another; those of a list are interleaved. Default: all slots of the rule are interleaved. */
const APART: Readonly<Record<string, readonly (readonly string[])[]>> = {
  Adam: [['mean', 'variance'], ['largestVariance']],
  AdamW: [['mean', 'variance'], ['largestVariance']],
  RMSprop: [['square'], ['velocity'], ['averageGradient']],
}

const array = (variable: Variable): OptimizerArray => ({ kind: 'variable', variable })
const unused = (shape: Shape, dtype: 'float32' | 'int32' = 'float32'): OptimizerArray => ({
  kind: 'unused',
  shape,
  dtype,
})

/** The files of an optimizer. */
export interface OptimizerFile {
  /** Whether Keras 2 wrote it: it has no learning rate and no product of Nadam, and has momentum that is not used. */
  readonly isFormer?: boolean
  /** Whether slots are not interleaved, as in optimizers before Keras 2.11. */
  readonly isApart?: boolean
  /** The weights of the model. Default: all for which the optimizer was built, which may be those of another model. */
  readonly among?: ReadonlySet<Variable>
}

/** All arrays in Keras's order. */
export function optimizerArrays(optimizer: Optimizer, file: OptimizerFile = {}): readonly OptimizerArray[] {
  const { isFormer = false, isApart = false } = file
  if (optimizer instanceof LossScaleOptimizer) {
    const { innerOptimizer, iterations, stepCounter, dynamicScale } = optimizer
    // Keras 2 saves only what the inner optimizer has.
    const counters = isFormer ? [] : [array(iterations), unused([]), array(stepCounter), array(dynamicScale)]
    return [...counters, ...optimizerArrays(innerOptimizer, file)]
  }
  if (optimizer instanceof MultiOptimizer) {
    const members = orderedOptimizers(optimizer).map((each) => each.optimizer)
    return [array(optimizer.iterations), unused([]), ...members.flatMap((member) => optimizerArrays(member, file))]
  }
  const [updates, rate, ...others] = optimizer.scalars
  if (updates === undefined || rate === undefined) throw internalError(`${classNameOf(optimizer)} has no counter`)
  const { gradientAccumulationSteps: steps } = optimizer
  const [gathered = null] = steps === null ? [] : others
  const scalars = others.slice(gathered === null ? 0 : 1)
  return [
    steps === null || gathered === null ? array(updates) : { kind: 'calls', updates, gathered, steps },
    ...(isFormer || optimizer.schedule !== null ? [] : [array(rate)]),
    // Only the Nadam before Keras 2.11 has the product of its momentum schedule in files of Keras 2.
    ...(isFormer && isApart ? scalars.map(array) : []),
    ...slotArrays(optimizer, file),
    ...(isFormer ? [] : scalars.map(array)),
  ]
}

function slotArrays(optimizer: Optimizer, file: OptimizerFile): OptimizerArray[] {
  const { isFormer = false, isApart = false, among } = file
  const weights = optimizer.builtFor.filter((weight) => among?.has(weight) ?? true)
  const first = [AVERAGE, ACCUMULATOR]
  const rule = [...optimizer.slots.keys()].filter((name) => !first.includes(name))
  const className = classNameOf(optimizer)
  const groups = [
    ...first.map((name) => [name]),
    ...(isApart ? rule.map((name) => [name]) : (APART[className] ?? [rule])),
  ]
  // Keras 2 has a momentum also where it is 0.
  const momentum = className === 'SGD' && rule.length === 0 && isFormer && !isApart
  const arrays = groups.flatMap((names) =>
    weights.flatMap((weight) => {
      const slots = optimizer.slotsOf(weight)
      const ofWeight = [...slots].filter(([name]) => names.includes(name)).map(([, slot]) => array(slot))
      return className === 'Adafactor' && names === groups.at(-1) ? factored(weight, ofWeight, isFormer) : ofWeight
    }),
  )
  return momentum ? [...arrays, ...weights.map(({ shape }) => unused(shape))] : arrays
}

/** The arrays of Adafactor: Keras also writes two unused numbers for a vector, and an unused array with the shape of a matrix. */
function factored({ shape }: Variable, arrays: readonly OptimizerArray[], isFormer: boolean): OptimizerArray[] {
  if (shape.length >= 2) return [...arrays, unused(shape)]
  return isFormer ? [...arrays] : [unused([], 'int32'), unused([], 'int32'), ...arrays]
}

/**
 * The state of a built optimizer in arrays of a file.
 * @returns why it does not fit, if it has another number of arrays, or another shape
 */
export function optimizerState(
  optimizer: Optimizer,
  datasets: readonly Hdf5Dataset[],
  file: OptimizerFile,
): readonly Assignment[] | string {
  const arrays = optimizerArrays(optimizer, file)
  // An optimizer that never made a step has only the first ones.
  if (arrays.length !== datasets.length && datasets.length > 2)
    return `it has ${datasets.length} arrays, but ${classNameOf(optimizer)} for the trainable weights of the model has ${arrays.length}`
  const pairs = arrays.slice(0, datasets.length).map((array, i) => [array, datasets[i]!] as const)
  for (const [i, [array, { shape, type }]] of pairs.entries()) {
    if (array.kind === 'unused') continue
    const wanted = array.kind === 'calls' ? array.updates.shape : array.variable.shape
    if (!sameShape(wanted, shape) || type === 'string')
      return `array ${i} must have shape ${formatShape(wanted)}, received ${formatShape(shape)}${type === 'string' ? ' of strings' : ''}`
  }
  const state = pairs.flatMap(([array, dataset], i) => assignmentsOf(array, dataset, i))
  const { isFormer = false, isApart = false } = file
  if (isFormer && optimizer instanceof LossScaleOptimizer) {
    const inner = state.find(([variable]) => variable === optimizer.innerOptimizer.iterations)
    return inner === undefined ? state : [...state, [optimizer.iterations, inner[1]]]
  }
  const [updates, , product] = optimizer.scalars
  if (!isFormer || isApart || classNameOf(optimizer) !== 'Nadam' || product === undefined) return state
  if (!(optimizer instanceof Nadam)) return state
  const count = state.find(([variable]) => variable === updates)?.[1]().data[0] ?? 0
  return [...state, [product, () => productAfter(count, optimizer.beta1)]]
}

function assignmentsOf(array: OptimizerArray, dataset: Hdf5Dataset, i: number): readonly Assignment[] {
  if (array.kind === 'unused') return []
  const path = `optimizer/vars/${i}`
  if (array.kind === 'variable') return assignmentsIn([{ variable: array.variable, path, dataset }])
  const calls = tensorFor({ variable: array.updates, path, dataset }).data[0]!
  return [
    [array.updates, () => scalar(Math.floor(calls / array.steps), 'int32')],
    [array.gathered, () => scalar(calls % array.steps, 'int32')],
  ]
}

const scalar = (value: number, dtype: 'int32' | 'float32'): Tensor =>
  new Tensor(dtype === 'int32' ? Int32Array.of(value) : Float32Array.of(value), [], dtype)

/** Nadam's u₁ · … · uₜ with uₜ = β₁ (1 − ½ · 0.96ᵗ), which files of Keras 2 do not have. */
function productAfter(updates: number, beta1: number): Tensor {
  let product = 1
  // In float32 it is 0 long before.
  for (let t = 1; t <= Math.min(updates, 10_000); t++) product *= beta1 * (1 - 0.5 * 0.96 ** t)
  return scalar(product, 'float32')
}
