// RNN, GRU and LSTM: a scan over the steps, forward, backward or both. The products with the inputs are computed for all
// steps at once.
//
//   X [steps, batch, input] · Wᵀ [input, gates · units] → scan → Y [steps, directions, batch, units]

import * as ops from '../../../ops'
import type { Tensor } from '../../../ops/tensor'
import type { Call, Operator } from '../call'
import { Value, inOrder } from '../values'
import { ACTIVATIONS } from './activation'

type Activation = (x: Tensor) => Tensor

/** The weights of one direction. */
interface Weights {
  /** The bias of the inputs is part of the products with the inputs. */
  readonly recurrence: Tensor
  readonly recurrentBias: Tensor | null
  readonly peepholes: readonly Tensor[] | null
  readonly activations: readonly Activation[]
}

interface State {
  readonly h: Tensor
  readonly c?: Tensor
}

interface CellKind {
  readonly gates: number
  /** The names of the default activations. */
  readonly activations: readonly string[]
  readonly hasMemory: boolean
  /** @param x the gates' products with the input of this step [batch, gates · units] */
  step(call: Call, x: Tensor, state: State, weights: Weights): State
}

/** Gate i of [batch, gates · units]. */
function gate(x: Tensor, i: number, units: number, count = 1): Tensor {
  return ops.slice(x, [0, i * units], [x.shape[0]!, count * units])
}

function rows(x: Tensor, begin: number, count: number): Tensor {
  return ops.slice(x, [begin, ...x.shape.slice(1).map(() => 0)], [count, ...x.shape.slice(1)])
}

const times = (
  h: Tensor,
  { recurrence, recurrentBias }: Weights,
  begin: number,
  count: number,
  units: number,
): Tensor => {
  const found = ops.matmul(h, ops.transpose(rows(recurrence, begin * units, count * units)))
  return recurrentBias === null ? found : ops.add(found, rows(recurrentBias, begin * units, count * units))
}

const rnn: CellKind = {
  gates: 1,
  activations: ['Tanh'],
  hasMemory: false,
  step(_call, x, { h }, weights) {
    return { h: weights.activations[0]!(ops.add(x, times(h, weights, 0, 1, h.shape[1]!))) }
  },
}

/** Gates: update z, reset r, candidate. */
const gru: CellKind = {
  gates: 3,
  activations: ['Sigmoid', 'Tanh'],
  hasMemory: false,
  step(call, x, { h }, weights) {
    const units = h.shape[1]!
    const [f, g] = [weights.activations[0]!, weights.activations[1]!]
    const zr = f(ops.add(gate(x, 0, units, 2), times(h, weights, 0, 2, units)))
    const [z, r] = [gate(zr, 0, units), gate(zr, 1, units)]
    const candidate = call.flag('linear_before_reset')
      ? ops.multiply(r, times(h, weights, 2, 1, units))
      : times(ops.multiply(r, h), weights, 2, 1, units)
    const found = g(ops.add(gate(x, 2, units), candidate))
    return { h: ops.add(ops.multiply(ops.subtract(1, z), found), ops.multiply(z, h)) }
  },
}

/** Gates: input i, output o, forget f, candidate c. */
const lstm: CellKind = {
  gates: 4,
  activations: ['Sigmoid', 'Tanh', 'Tanh'],
  hasMemory: true,
  step(call, x, { h, c }, weights) {
    const units = h.shape[1]!
    const [f, g, k] = [weights.activations[0]!, weights.activations[1]!, weights.activations[2]!]
    const all = ops.add(x, times(h, weights, 0, 4, units))
    const [i, o] = [gate(all, 0, units), gate(all, 1, units)]
    const [forget, candidate] = [gate(all, 2, units), gate(all, 3, units)]
    const peek = (sum: Tensor, at: number, memory: Tensor): Tensor =>
      weights.peepholes === null ? sum : ops.add(sum, ops.multiply(memory, weights.peepholes[at]!))
    const input = f(peek(i, 0, c!))
    const kept = call.flag('input_forget') ? ops.subtract(1, input) : f(peek(forget, 2, c!))
    const next = ops.add(ops.multiply(kept, c!), ops.multiply(input, g(candidate)))
    return { h: ops.multiply(f(peek(o, 1, next)), k(next)), c: next }
  },
}

/** The activations of a direction, limited to ±clip before. */
function activationsOf(call: Call, cell: CellKind, direction: number): Activation[] {
  const names = call.texts('activations') ?? []
  const count = cell.activations.length
  const [alphas, betas] = [call.floats('activation_alpha'), call.floats('activation_beta')]
  const clip = call.float('clip', 0)
  return cell.activations.map((absent, i) => {
    const at = direction * count + i
    const name = names[at] ?? absent
    const found = Object.entries(ACTIVATIONS).find(([each]) => each.toLowerCase() === name.toLowerCase())
    if (found === undefined) throw call.error(`the activation '${name.slice(0, 50)}' is unknown`)
    // The parameters are listed for the activations that have them. Without gaps they are by position.
    const [alpha, beta] = [alphas[at], betas[at]]
    return (x) => found[1](clip > 0 ? ops.clip(x, -clip, clip) : x, alpha, beta)
  })
}

/** One direction of an operand [directions, …]. */
function direction(x: Value | null, i: number): Tensor | null {
  return x === null ? null : ops.reshape(rows(x.plain, i, 1), x.shape.slice(1))
}

/** The operands of a node, with the steps before the batch. */
interface Operands {
  /** [steps, batch, input] */
  readonly x: Value
  /** [directions, gates · units, input] */
  readonly inputWeights: Value
  /** [directions, gates · units, units] */
  readonly recurrence: Value
  readonly units: number
  readonly directions: number
  readonly isReverse: (direction: number) => boolean
  /** The node has the batch before the steps. */
  readonly isBatchFirst: boolean
}

/** Exchanges the first two axes. */
const swapped = (x: Value): Value => x.transposed([1, 0, ...inOrder(x.rank).slice(2)])

/** @throws FormatError for operands whose shapes do not fit */
function operandsOf(call: Call, cell: CellKind): Operands {
  const isBatchFirst = call.flag('layout')
  const sequences = call.value(0)
  call.require(sequences.rank === 3, () => `[${sequences.shape.join(', ')}] must be [steps, batch, input]`)
  const x = isBatchFirst ? swapped(sequences) : sequences
  const [steps = 0, batch = 0] = x.shape
  const [w, r] = [call.value(1), call.value(2)]
  const units = r.shape[2] ?? 0
  const directions = w.shape[0]!
  const how = call.word('direction', 'forward', ['forward', 'reverse', 'bidirectional'])
  call.require(
    w.rank === 3 &&
      r.rank === 3 &&
      directions === (how === 'bidirectional' ? 2 : 1) &&
      r.shape[0] === directions &&
      w.shape[1] === cell.gates * units &&
      r.shape[1] === cell.gates * units &&
      w.shape[2] === x.shape[2],
    () => `weights [${w.shape.join(', ')}] and [${r.shape.join(', ')}] do not fit [${x.shape.join(', ')}]`,
  )
  call.require(steps >= 1 && batch >= 1, () => `there are ${steps} steps of ${batch} sequences`)
  const isReverse = (i: number): boolean => how === 'reverse' || i === 1
  return { x, inputWeights: w, recurrence: r, units, directions, isReverse, isBatchFirst }
}

/** The initial state of one direction: 0 where the node has none. */
function startOf(call: Call, cell: CellKind, { x, units, isBatchFirst }: Operands, i: number): State {
  const zeros = ops.zeros([x.shape[1]!, units])
  const first = (operand: number): Tensor => {
    const state = call.maybe(operand)
    return direction(state !== null && isBatchFirst ? swapped(state) : state, i) ?? zeros
  }
  return cell.hasMemory ? { h: first(5), c: first(6) } : { h: first(5) }
}

/** One direction of a node, ready to scan. */
function runOf(call: Call, cell: CellKind, operands: Operands, i: number): Run {
  const { x, inputWeights, recurrence, units, isReverse } = operands
  const width = cell.gates * units
  const bias = direction(call.maybe(3), i)
  const product = ops.matmul(x.plain, ops.transpose(direction(inputWeights, i)!))
  return {
    products: bias === null ? product : ops.add(product, rows(bias, 0, width)),
    start: startOf(call, cell, operands, i),
    weights: {
      recurrence: direction(recurrence, i)!,
      recurrentBias: bias === null ? null : rows(bias, width, width),
      peepholes: cell.hasMemory ? splitPeepholes(direction(call.maybe(7), i), units) : null,
      activations: activationsOf(call, cell, i),
    },
    lengths: call.maybe(4)?.plain ?? null,
    isReverse: isReverse(i),
  }
}

const recurrent =
  (cell: CellKind): Operator =>
  (call) => {
    const operands = operandsOf(call, cell)
    const { x, directions, isBatchFirst } = operands
    const found = Array.from({ length: directions }, (_, i) => scanned(call, cell, runOf(call, cell, operands, i)))
    const y = ops.stack(
      found.map((each) => each.ys),
      1,
    )
    const last = (name: 'h' | 'c'): Value => {
      const all = Value.of(ops.stack(found.map((each) => each.last[name]!)), x.type)
      return isBatchFirst ? swapped(all) : all
    }
    const order = isBatchFirst ? [1, 2, 0, 3] : inOrder(4)
    // The tensor is [steps, directions, batch, units]; batch first, the value is [batch, steps, directions, units].
    const outputs = [Value.of(y, x.type, order), last('h')]
    return cell.hasMemory ? [...outputs, last('c')] : outputs
  }

function splitPeepholes(all: Tensor | null, units: number): readonly Tensor[] | null {
  return all === null ? null : [0, 1, 2].map((i) => rows(all, i * units, units))
}

interface Run {
  readonly products: Tensor
  readonly start: State
  readonly weights: Weights
  /** The number of steps of each sequence. */
  readonly lengths: Tensor | null
  readonly isReverse: boolean
}

/** Steps beyond the end of a sequence return 0 and keep the state. */
function scanned(
  call: Call,
  cell: CellKind,
  { products, start, weights, lengths, isReverse }: Run,
): { ys: Tensor; last: State } {
  const { c, h } = start
  const steps = products.shape[0]!
  const runs =
    lengths === null
      ? null
      : ops.less(
          ops.reshape(ops.arange(0, steps, 1, 'int32'), [steps, 1, 1]),
          ops.reshape(lengths, [1, lengths.size, 1]),
        )
  const [state, ys] = ops.scan(
    (before: readonly Tensor[], slices: readonly Tensor[]): [readonly Tensor[], Tensor] => {
      const old: State = before[1] === undefined ? { h: before[0]! } : { h: before[0]!, c: before[1] }
      const next = cell.step(call, slices[0]!, old, weights)
      const all = next.c === undefined ? [next.h] : [next.h, next.c]
      if (slices[1] === undefined) return [all, next.h]
      const runs = slices[1]
      return [all.map((each, i) => ops.where(runs, each, before[i]!)), ops.where(runs, next.h, ops.zerosLike(next.h))]
    },
    (c === undefined ? [h] : [h, c]) as readonly Tensor[],
    (runs === null ? [products] : [products, runs]) as readonly Tensor[],
    { reverse: isReverse },
  )
  return { ys, last: state[1] === undefined ? { h: state[0]! } : { h: state[0]!, c: state[1] } }
}

export const recurrentOperators: Readonly<Record<string, Operator>> = {
  GRU: recurrent(gru),
  LSTM: recurrent(lstm),
  RNN: recurrent(rnn),
}
