// Branches and loops. A Scan is a loop of ours; a Loop is unrolled while the graph is traced, and its condition must be known.

import { formatShape } from '../../../core/errors'
import * as ops from '../../../ops'
import type { Tensor } from '../../../ops/tensor'
import { LimitError, nameOf, type Call, type Operator } from '../call'
import { types, type ElementType } from '../types'
import { Value } from '../values'

/** The iterations of an unrolled loop. */
const MOST_ITERATIONS = 10_000

const branch: Operator = (call) => {
  const condition = call.value(0)
  call.require(condition.size === 1, () => 'the condition must be one value')
  const [yes, no] = [call.graph('then_branch'), call.graph('else_branch')]
  if (condition.host !== null) return call.around.run(condition.host.data[0] === 0 ? no : yes, [])
  let found: readonly Value[] = []
  const tensors = ops.cond(
    ops.reshape(condition.plain, []),
    () => {
      found = call.around.run(yes, [])
      return found.map(({ plain }) => plain)
    },
    () => {
      const others = call.around.run(no, [])
      requireEqualTypes(call, found, others)
      return others.map(({ plain }) => plain)
    },
  )
  return tensors.map((tensor, i) => Value.of(tensor, found[i]!.type))
}

/** @throws LimitError if branches of which data decide have results of other shapes: a trace has one shape for each value */
function requireEqualTypes(call: Call, yes: readonly Value[], no: readonly Value[]): void {
  const typeOf = (value: Value | undefined): string =>
    value === undefined ? 'missing' : `${value.plain.dtype} ${formatShape(value.shape)}`
  const count = Math.max(yes.length, no.length)
  const i = Array.from({ length: count }).findIndex((_, at) => typeOf(yes[at]) !== typeOf(no[at]))
  if (i < 0) return
  throw new LimitError(
    `${nameOf(call.node)}: its condition depends on data, so its branches must have results of equal shapes; result ${i} is ${typeOf(yes[i])} in one and ${typeOf(no[i])} in the other. If the condition follows from an input that is always the same, pass its value: { constants: { name: value } }. If the shapes are equal for other extents, open the file for these: { shapes: { name: [4, 3] } }`,
  )
}

/** The body gets the iteration, the condition and the values that are carried, and returns the latter and results. */
const loop: Operator = (call) => {
  const body = call.graph('body')
  const limit = call.maybe(0) === null ? Infinity : (call.known(0).data[0] ?? 0)
  const onData = (): LimitError =>
    new LimitError(
      `${nameOf(call.node)}: whether it continues depends on data. Only loops whose number of iterations is known before data are can be read`,
    )
  if (call.maybe(1)?.host === null) throw onData()
  let isRunning = call.maybe(1) === null || call.known(1).data[0] !== 0
  let carried = call.values.slice(2).map((_, i) => call.value(i + 2))
  const stacks: Value[][] = []
  let i = 0
  for (; isRunning && i < limit; i++) {
    call.require(i < MOST_ITERATIONS, () => `it has more than ${MOST_ITERATIONS} iterations`)
    const condition = Value.known({ type: 'bool', shape: [], data: Uint8Array.of(1) })
    const [next, ...results] = call.around.run(body, [Value.integers([i], []), condition, ...carried])
    if (next?.host == null) throw onData()
    isRunning = next.host.data[0] !== 0
    carried = results.slice(0, carried.length)
    results.slice(carried.length).forEach((each, at) => (stacks[at] ??= []).push(each))
  }
  const wanted = call.node.outputs.length - carried.length
  call.require(
    stacks.length >= wanted || wanted <= 0,
    () => 'it has no iterations, so the shapes of its results are unknown',
  )
  return [...carried, ...stacks.map(stacked)]
}

/** The body gets the values that are carried and a slice of each scanned one, and returns the former and results. */
const scan: Operator = (call) => {
  call.require(call.opset >= 9, () => 'Scan is read from version 9 of the operators on')
  const body = call.graph('body')
  const { all } = call
  const carries = all.length - call.integer('num_scan_inputs', 0)
  call.require(
    carries >= 0 && carries < all.length,
    () => `${all.length - carries} of ${all.length} operands are scanned`,
  )
  const count = body.outputs.length - carries
  const list = (name: string, length: number): number[] => {
    const found = call.integers(name) ?? new Array<number>(length).fill(0)
    call.require(found.length === length, () => `${name} must have ${length} numbers`)
    return found
  }
  const [firsts, others] = [all.slice(0, carries), all.slice(carries)]
  const turned = (x: Tensor, direction: number): Tensor => (direction === 0 ? x : ops.flip(x, 0))
  const axes = list('scan_input_axes', others.length)
  const directions = list('scan_input_directions', others.length)
  const slices = others.map((each, i) =>
    turned(ops.moveaxis(each.plain, call.axis(axes[i]!, each.rank), 0), directions[i]!),
  )
  let found: readonly ElementType[] = []
  const [carry, ys] = ops.scan(
    (state: readonly Tensor[], parts: readonly Tensor[]): [Tensor[], Tensor[]] => {
      const inputs = [...state, ...parts].map((each, i) => Value.of(each, all[i]!.type))
      const results = call.around.run(body, inputs)
      found = results.map(({ type }) => type)
      const plain = results.map((each) => each.plain)
      return [plain.slice(0, carries), plain.slice(carries)]
    },
    firsts.map(({ plain }) => plain),
    slices,
  )
  const [places, ways] = [list('scan_output_axes', count), list('scan_output_directions', count)]
  const results = ys.map((each, i) => ops.moveaxis(turned(each, ways[i]!), 0, call.axis(places[i]!, each.rank)))
  return [...carry, ...results].map((each, i) => Value.of(each, found[i]!))
}

/** Values of equal shapes along a new first axis. */
function stacked(values: readonly Value[]): Value {
  const first = values[0]!
  const shape = [values.length, ...first.shape]
  const known = values.flatMap(({ host }) => host ?? [])
  if (known.length < values.length) return Value.of(ops.stack(values.map(({ plain }) => plain)), first.type)
  const data = new types[first.type].array(values.length * first.size)
  known.forEach((each, i) => data.set(each.data, i * first.size))
  return Value.known({ type: first.type, shape, data })
}

/** In training, elements are dropped. The second result is the mask of those that stay. */
const dropout: Operator = (call: Call) => {
  const x = call.value(0)
  const rate = (call.opset < 12 ? call.float('ratio', 0.5) : call.number('', 1)) ?? 0.5
  call.require(rate >= 0 && rate < 1, () => `the ratio must be at least 0 and below 1, it is ${rate}`)
  const found = call.around.training && rate > 0 ? Value.of(call.around.dropout(x.asIs, rate), x.type, x.order) : x
  const isKept = Value.of(ops.cast(ops.onesLike(x.plain), 'bool'), 'bool')
  return [found, isKept]
}

export const controlOperators: Readonly<Record<string, Operator>> = {
  Dropout: dropout,
  If: branch,
  Loop: loop,
  Scan: scan,
}
