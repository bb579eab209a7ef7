// Loops that are LSTM, GRU or RNN of ONNX. Those with masks, dropout or other activations are not: see loop.ts.

import type { Graph, Value } from '../../../../engine/ir/graph'
import type { Call } from '../call'
import type { Item } from '../items'
import { matchAt, pattern, type Match } from '../patterns'

/** A recurrent operator. h and c are states, x the inputs, w, r and b the kernel, the recurrent kernel and the bias. */
interface Kind {
  readonly type: 'LSTM' | 'GRU' | 'RNN'
  readonly steps: ReturnType<typeof pattern>
  /** The places of our gates in the order of ONNX. */
  readonly gates: readonly number[]
  /** The activations of the operator among those of the pattern. */
  readonly activations: readonly number[]
  /** Activations of the pattern that must be equal: those of the gates. */
  readonly same: readonly number[]
  /** GRU: whether the reset gate is applied after the product. */
  readonly linear?: boolean
  /** The steps that give the next states. */
  readonly next: readonly number[]
}

const lstm = (before: string, z: number): Kind => {
  const [n, i, f, g, o] = [z, z + 1, z + 2, z + 3, z + 4]
  return {
    type: 'LSTM',
    steps: pattern(
      `${before} slice(${n}) slice(${n}) slice(${n}) slice(${n}) act(${f}) multiply(${z + 5},c) act(${i}) act(${g}) multiply(${z + 7},${z + 8}) add(${z + 6},${z + 9}) act(${o}) act(${z + 10}) multiply(${z + 11},${z + 12})`,
    ),
    // i, f, c, o → i, o, f, c
    gates: [0, 3, 1, 2],
    activations: [0, 2, 4],
    same: [0, 1, 3],
    next: [z + 13, z + 10],
  }
}

/** @param before the products. @param p, q the steps with x · w and h · r */
const gru = (before: string, p: number, q: number): Kind => {
  const z = pattern(before).length
  const step = (i: number): number => z + i
  return {
    type: 'GRU',
    steps: pattern(
      `${before} add(${p},${q}) act(${z}) add(${p + 1},${q + 1}) act(${step(2)}) multiply(${step(3)},${q + 2}) add(${p + 2},${step(4)}) act(${step(5)}) multiply(${step(1)},h) subtract(k,${step(1)}) multiply(${step(8)},${step(6)}) add(${step(7)},${step(9)})`,
    ),
    gates: [0, 1, 2],
    activations: [0, 2],
    same: [0, 1],
    linear: true,
    next: [step(10)],
  }
}

const rnn = (before: string, z: number): Kind => ({
  type: 'RNN',
  steps: pattern(`${before} act(${z})`),
  gates: [0],
  activations: [0],
  same: [0],
  next: [z + 1],
})

const kinds: readonly Kind[] = [
  lstm('matmul(x,w) add(0,b) matmul(h,r) add(1,2)', 3),
  lstm('matmul(x,w) matmul(h,r) add(0,1)', 2),
  gru(
    'slice(b) reshape(0) slice(b) reshape(2) matmul(x,w) add(4,1) slice(5) slice(5) slice(5) matmul(h,r) add(9,3) slice(10) slice(10) slice(10)',
    6,
    11,
  ),
  gru('matmul(x,w) slice(0) slice(0) slice(0) matmul(h,r) slice(4) slice(4) slice(4)', 1, 5),
  rnn('matmul(x,w) add(0,b) matmul(h,r) add(1,2)', 3),
  rnn('matmul(x,w) matmul(h,r) add(0,1)', 2),
]

function find(body: Graph, carries: number, nodes: Graph['nodes']): { kind: Kind; match: Match } | null {
  const count = nodes.filter(({ name }) => name !== 'constant').length
  for (const kind of kinds) {
    const match = kind.steps.length === count && kind.next.length === carries ? matchAt(nodes, 0, kind.steps) : null
    if (match === null) continue
    const { values, activations } = match
    const states = ['h', 'c'].slice(0, carries).map((letter) => values.get(letter))
    const fits =
      states.every((state, i) => state === body.parameters[i]) &&
      values.get('x') === body.parameters[carries] &&
      ['w', 'r', 'b'].every(
        (letter) => !values.has(letter) || body.parameters.indexOf(values.get(letter)!) > carries,
      ) &&
      kind.next.every((step, i) => match.nodes[step]!.outputs[0] === body.outputs[i]) &&
      body.outputs.slice(carries).every((value) => value === body.outputs[0]) &&
      kind.same.every((i) => activations[i] === activations[0]) &&
      isOne(values.get('k'))
    if (fits) return { kind, match }
  }
  return null
}

const isOne = (value: Value | undefined): boolean =>
  value === undefined ||
  (value.node?.name === 'constant' && 'data' in value.node.attributes && value.node.attributes.data[0] === 1)

/** The results of a loop as those of an operator; null for other loops. */
export function recurrent(call: Call<'loop'>, body: Graph, nodes: Graph['nodes']): readonly Item[] | null {
  const { writer, node, attributes } = call
  const { carries, scanned, reverse, runs } = attributes
  if (scanned !== 1 || runs !== undefined || carries === 0) return null
  const found = find(body, carries, nodes)
  if (found === null) return null
  const { kind, match } = found
  const at = (letter: string): Item | null => {
    const value = match.values.get(letter)
    return value === undefined ? null : call.input(body.parameters.indexOf(value))
  }
  const [kernel, inner, bias] = [at('w')!, at('r')!, at('b')]
  const one = kernel.shape[0]!.map(() => 1)
  const units = inner.shape[0]![0]!
  const order = kind.gates.flatMap((gate) => Array.from({ length: units }, (_, i) => gate * units + i))
  const rows = (x: Item): Item => {
    const gated = writer.taken(x.transposed([1, 0]), order, 0)
    return writer.reshaped(gated, [one, ...gated.shape])
  }
  /** [1, 2 · gates · units]: the biases of both products. */
  const biases = (): string => {
    if (bias === null) return ''
    if (bias.rank === 2) return writer.name(writer.reshaped(bias, [one, one.map(() => 2 * order.length)]))
    const row = writer.reshaped(writer.taken(bias, order, 0), [one, bias.shape[0]!])
    const zeros = writer.constant({ type: 'float32', shape: [1, order.length], data: new Float32Array(order.length) })
    return writer.node('Concat', [writer.name(row), zeros], { axis: 1 })
  }
  const firsts = call.inputs.slice(0, carries)
  const states = firsts.every((each) => writer.isZero(each))
    ? []
    : firsts.map((each) => writer.name(writer.reshaped(each, [one, ...each.shape])))
  const operands = [call.plain(carries), writer.name(rows(kernel)), writer.name(rows(inner)), biases()]
  const outputs = writer.scope.all(
    kind.type,
    states.length === 0 ? operands : [...operands, '', ...states],
    carries + 1,
    {
      hidden_size: units,
      direction: reverse ? 'reverse' : 'forward',
      activations: kind.activations.map((each) => match.activations[each]!),
      ...(kind.linear === true ? { linear_before_reset: 1 } : {}),
    },
  )
  return node.outputs.map((_, i) => {
    const name = i < carries ? outputs[i + 1]! : outputs[0]!
    return call.result(writer.node('Squeeze', [name, writer.integers([i < carries ? 0 : 1])]), undefined, i)
  })
}
