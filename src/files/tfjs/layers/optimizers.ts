// Optimizers of TensorFlow.js as those of this library: other names of some classes and options, and other slots. The state is in the
// manifest in the group 'optimizer': `iter`, then for each slot the arrays of all trained weights, `dense/kernel/m`.

import { formatShape } from '../../../core/errors'
import { classNameOf, type Json } from '../../../core/registry'
import { sameShape } from '../../../core/shapes'
import type { JsonRecord } from '../../containers/json'
import type { Optimizer } from '../../../optimizers/optimizer'
import { Tensor } from '../../../ops/tensor'
import type { Variable } from '../../../ops/variable'
import { numbersOf, type ManifestTensor } from '../manifest'

interface Row {
  readonly ours: string
  readonly theirs: string
  /** Names of options there, by those here. Others must have their defaults. */
  readonly options: Readonly<Record<string, string>>
  /** The end of the name of a slot there, and the slot here; null if TensorFlow.js does not save the state. */
  readonly slots: readonly (readonly [theirs: string, ours: string])[] | null
}

const same = (names: string): Readonly<Record<string, string>> =>
  Object.fromEntries(names.split(' ').map((name) => [name, name]))

const ROWS: readonly Row[] = [
  { ours: 'SGD', theirs: 'SGD', options: same('learningRate'), slots: [] },
  {
    ours: 'SGD',
    theirs: 'Momentum',
    options: { ...same('learningRate momentum'), nesterov: 'useNesterov' },
    slots: [['momentum', 'velocity']],
  },
  {
    ours: 'RMSprop',
    theirs: 'RMSProp',
    options: { ...same('learningRate momentum epsilon centered'), rho: 'decay' },
    slots: [
      ['rms', 'square'],
      ['momentum', 'velocity'],
      ['mg', 'averageGradient'],
    ],
  },
  {
    ours: 'Adam',
    theirs: 'Adam',
    options: same('learningRate beta1 beta2 epsilon'),
    slots: [
      ['m', 'mean'],
      ['v', 'variance'],
    ],
  },
  { ours: 'Adamax', theirs: 'Adamax', options: same('learningRate beta1 beta2 epsilon'), slots: null },
  {
    ours: 'Adagrad',
    theirs: 'Adagrad',
    options: same('learningRate initialAccumulatorValue'),
    slots: [['accumulator', 'accumulator']],
  },
  {
    ours: 'Adadelta',
    theirs: 'Adadelta',
    options: same('learningRate rho epsilon'),
    slots: [
      ['accum_grad', 'accumulatedGradient'],
      ['accum_var', 'accumulatedDelta'],
    ],
  },
]

/** An optimizer of a file under the names of this library; others are unchanged. */
export function knownOptimizer(className: string, config: JsonRecord): { class_name: string; config: JsonRecord } {
  const row = ROWS.find(({ theirs }) => theirs === className)
  if (row === undefined) return { class_name: className, config }
  const names = new Map(Object.entries(row.options).map(([ours, theirs]) => [theirs, ours]))
  const options = Object.entries(config).flatMap(([name, value]): [string, Json][] =>
    value === null ? [] : [[names.get(name) ?? name, value]],
  )
  return { class_name: row.ours, config: Object.fromEntries(options) }
}

function rowOf(optimizer: Optimizer): Row | undefined {
  const isPlain = Reflect.get(optimizer, 'momentum') === 0
  return ROWS.find(
    ({ ours, theirs }) => ours === classNameOf(optimizer) && (ours !== 'SGD' || (theirs === 'SGD') === isPlain),
  )
}

/** An optimizer in the names of TensorFlow.js. @param refuse notes what it does not have */
export function writtenOptimizer(optimizer: Optimizer, refuse: (why: string) => void): JsonRecord {
  const className = classNameOf(optimizer)
  const row = rowOf(optimizer)
  if (row === undefined) {
    refuse(`there is no optimizer ${className}`)
    return {}
  }
  if (optimizer.schedule !== null) refuse('there are no schedules of the learning rate')
  const fresh: Optimizer = Reflect.construct(optimizer.constructor, [])
  const defaults = fresh.getConfig()
  const config: Record<string, Json> = {}
  for (const [name, value] of Object.entries(optimizer.getConfig())) {
    if (Object.hasOwn(row.options, name)) config[row.options[name]!] = value
    else if (name !== 'name' && JSON.stringify(value) !== JSON.stringify(defaults[name]))
      refuse(`${className} cannot have ${name} = ${JSON.stringify(value)}`)
  }
  return { class_name: row.theirs, config }
}

/** An array of the state of an optimizer. */
interface SlotArray {
  readonly name: string
  readonly weight: Variable
  /** null for a slot that is always zero here. */
  readonly variable: Variable | null
  /** The number in the file times this is the number here. */
  readonly factor: number
}

/** All arrays after `iter`, in the order of the file. */
function slotArrays(optimizer: Optimizer, weights: readonly Variable[]): readonly SlotArray[] {
  const row = rowOf(optimizer)
  if (row === undefined || row.slots === null) return []
  // There w ← w − learningRate · a, here w ← w + v.
  const factor = row.theirs === 'Momentum' ? -optimizer.learningRate : 1
  const isCentered = Reflect.get(optimizer, 'centered') === true
  return row.slots
    .filter(([theirs]) => theirs !== 'mg' || isCentered)
    .flatMap(([theirs, ours]) =>
      weights.map((weight) => ({
        name: theirs,
        weight,
        variable: optimizer.slotsOf(weight).get(ours) ?? null,
        factor,
      })),
    )
}

/**
 * The state of a built optimizer from a file: variables and their values.
 * @param find the weight of a name in the file
 * @returns why it does not fit, if it has another number of arrays, arrays of other weights, or another shape
 */
export function stateIn(
  optimizer: Optimizer,
  tensors: readonly ManifestTensor[],
  find: (name: string) => Variable | undefined,
): readonly (readonly [variable: Variable, value: Tensor])[] | string {
  const [iterations, ...others] = tensors
  if (iterations === undefined) return []
  if (iterations.dtype !== 'int32' || iterations.shape.length > 0) return 'it must begin with the number of steps'
  const slots = others.length === 0 ? [] : slotArrays(optimizer, optimizer.builtFor)
  if (slots.length !== others.length)
    return `it has ${others.length} arrays, but ${classNameOf(optimizer)} for the trainable weights of the model has ${slots.length}`
  const state: [Variable, Tensor][] = []
  for (const [i, { weight, variable, factor }] of slots.entries()) {
    const array = others[i]!
    const { name, dtype, shape } = array
    const named = find(name.slice(0, Math.max(0, name.lastIndexOf('/')))) ?? weight
    if (dtype !== 'float32' || named !== weight || !sameShape(shape, weight.shape))
      return `'${name}' must be that of ${weight.name} with the shape ${formatShape(weight.shape)}, received ${formatShape(shape)} of ${dtype}`
    if (variable === null) continue
    const values = numbersOf(array)
    state.push([
      variable,
      new Tensor(
        factor === 1 && values instanceof Float32Array ? values : Float32Array.from(values, (each) => each * factor),
        weight.shape,
        'float32',
      ),
    ])
  }
  return [[optimizer.iterations, new Tensor(Int32Array.from(numbersOf(iterations)), [], 'int32')], ...state]
}

/** An array to write. */
export interface WrittenArray {
  readonly name: string
  readonly shape: readonly number[]
  readonly dtype: 'float32' | 'int32'
  readonly values: Float32Array | Int32Array
}

/** The arrays of an optimizer. @param names the names of the weights in the file; others, of another model, are left out */
export function writtenState(optimizer: Optimizer, names: ReadonlyMap<Variable, string>): readonly WrittenArray[] {
  if (rowOf(optimizer)?.slots == null) return []
  const steps: WrittenArray = {
    name: 'iter',
    shape: [],
    dtype: 'int32',
    values: Int32Array.of(optimizer.iterations.value.item()),
  }
  const weights = optimizer.builtFor.filter((weight) => names.has(weight))
  const slots = slotArrays(optimizer, weights).map(({ name, weight, variable, factor }): WrittenArray => {
    const values =
      variable === null
        ? new Float32Array(weight.size)
        : Float32Array.from(variable.value.data, (each) => each / factor)
    return { name: `${names.get(weight)!}/${name}`, shape: weight.shape, dtype: 'float32', values }
  })
  return [steps, ...slots]
}
