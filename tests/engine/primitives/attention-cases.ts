// The rows of the table for attention: extents around those of a block, heads that share keys, bands, masks and biases
// that broadcast in every way, operands with the strides of projections.

import type { Shape } from '../../../src/core/shapes'
import type { Emitter } from '../../../src/engine/primitives/emitter'
import type { Value } from '../../../src/engine/ir/graph'
import { AttentionGradientKernel, AttentionKernel } from '../../../src/engine/primitives/attention'
import type { AttentionAttributes } from '../../../src/engine/primitives/attention-operands'
import { bools, exactly, floats, type TensorContent } from '../../helpers/data'
import type { CaseInput, OpCase } from './cases'

interface Attended {
  readonly title: string
  /** [batch, rows, columns, heads, keyHeads, depth, width] */
  readonly extents: readonly [number, number, number, number, number, number, number]
  readonly scale: number
  readonly before: number
  readonly after: number
  readonly mask: TensorContent | null
  readonly bias: TensorContent | null
  readonly through?: CaseInput['through']
  /** Whether some row is fully masked, so that its ln Σ is infinite. */
  readonly isEmpty: boolean
}

function attended(title: string, extents: Attended['extents'], more: Partial<Attended> = {}): Attended {
  return {
    title,
    extents,
    scale: 0.5,
    before: Infinity,
    after: Infinity,
    mask: null,
    bias: null,
    isEmpty: false,
    ...more,
  }
}

const causal = { after: 0 }
const zeros = (shape: Shape): TensorContent =>
  exactly(new Array<number>(shape.reduce((a, b) => a * b, 1)).fill(0), 'bool', shape)
/** Some of each, the first always 1. */
const someOf = (shape: Shape): TensorContent => {
  const { data, ...rest } = bools(shape, 5)
  const columns = shape.at(-1)!
  return { ...rest, data: data.map((x, i) => (i % columns === 0 ? 1 : x)) } as TensorContent
}

const SMALL: readonly Attended[] = [
  attended('one of each', [1, 1, 1, 1, 1, 1, 1]),
  attended('one row', [2, 1, 5, 2, 2, 3, 4]),
  attended('one column', [2, 5, 1, 2, 2, 3, 4]),
  attended('odd extents', [2, 5, 7, 3, 3, 3, 5]),
  attended('without scaling', [1, 4, 4, 2, 2, 4, 4], { scale: 1 }),
  attended('shared keys', [2, 3, 5, 6, 2, 4, 3]),
  attended('one key for all', [1, 3, 4, 4, 1, 5, 2]),
  attended('causal', [1, 6, 6, 2, 2, 3, 3], causal),
  attended('causal, fewer columns', [1, 6, 4, 2, 1, 3, 3], causal),
  attended('causal, fewer rows', [1, 4, 6, 2, 1, 3, 3], causal),
  attended('a band', [1, 7, 7, 1, 1, 3, 3], { before: 2, after: 1 }),
  attended('a causal band', [1, 7, 7, 1, 1, 3, 3], { before: 2, after: 0 }),
  attended('a mask', [2, 4, 5, 2, 2, 3, 3], { mask: someOf([2, 2, 4, 5]) }),
  attended('a mask of columns', [2, 4, 5, 2, 2, 3, 3], { mask: someOf([2, 1, 1, 5]) }),
  attended('a mask for all samples', [2, 4, 5, 2, 1, 3, 3], { mask: someOf([1, 1, 4, 5]), after: 2 }),
  attended('a bias', [2, 4, 5, 2, 2, 3, 3], { bias: floats([2, 2, 4, 5], -2, 2, 7) }),
  attended('a bias for all samples', [2, 4, 5, 4, 2, 3, 3], { bias: floats([1, 4, 4, 5], -2, 2, 7), ...causal }),
  attended('a bias of columns, and a mask', [2, 4, 5, 2, 2, 3, 3], {
    bias: floats([1, 2, 1, 5], -2, 2, 7),
    mask: someOf([2, 1, 4, 5]),
  }),
  attended('no rows', [2, 0, 3, 2, 2, 3, 3]),
  attended('no samples', [0, 2, 3, 2, 2, 3, 3]),
]

const EMPTY: readonly Attended[] = [
  attended('nothing is left', [1, 3, 4, 2, 2, 3, 5], { mask: zeros([1, 1, 1, 1]), isEmpty: true }),
  attended('some rows are empty', [1, 6, 4, 2, 1, 3, 3], {
    mask: exactly([1, 0, 1, 0, 0, 1], 'bool', [1, 1, 6, 1]),
    isEmpty: true,
  }),
  attended('rows beyond the band', [1, 9, 3, 2, 2, 3, 3], { before: 2, isEmpty: true }),
  attended('an empty row far from the diagonal', [1, 140, 140, 1, 1, 4, 6], {
    mask: exactly(
      Array.from({ length: 140 }, (_, i) => Number(i !== 70)),
      'bool',
      [1, 1, 140, 1],
    ),
    ...causal,
    isEmpty: true,
  }),
]

const LARGE: readonly Attended[] = [
  attended('several blocks', [1, 130, 150, 2, 2, 12, 20]),
  attended('several blocks, causal', [2, 193, 193, 2, 1, 8, 9], causal),
  attended('several blocks, a band', [1, 200, 190, 1, 1, 8, 8], { before: 30, after: 70 }),
  attended('several blocks, mask and bias', [1, 70, 140, 2, 2, 9, 7], {
    mask: someOf([1, 2, 70, 140]),
    bias: floats([1, 1, 70, 140], -2, 2, 7),
  }),
  attended('blocks of columns that are masked', [1, 20, 200, 1, 1, 8, 8], {
    mask: exactly(
      Array.from({ length: 200 }, (_, i) => Number(i < 60 || i > 195)),
      'bool',
      [1, 1, 1, 200],
    ),
  }),
  attended('long features', [1, 20, 21, 1, 1, 900, 700], { scale: 0.02 }),
  attended('far apart', [1, 70, 66, 16, 16, 20, 24]),
  attended('large scores', [1, 66, 68, 1, 1, 8, 8], { scale: 20 }),
]

/** [batch, steps, heads, size] from [batch, heads, steps, size]. */
const headsFirst = (e: Emitter, x: Value): Value => e.transpose(x, [0, 2, 1, 3])
/** The same elements inside a larger tensor. */
const inner = (e: Emitter, x: Value): Value =>
  e.slice(
    x,
    [0, 1, 0, 0],
    x.shape.map((extent, i) => (i === 1 ? extent - 1 : extent)),
  )
const repeated = (e: Emitter, x: Value): Value => e.broadcastTo(x, [2, 6, 2, 4])

function operandsOf({ extents: [b, t, s, h, g, d, e], mask, bias }: Attended): CaseInput[] {
  const shapes: Shape[] = [
    [b, t, h, d],
    [b, s, g, d],
    [b, s, g, e],
  ]
  return [...shapes.map((shape, i) => floats(shape, -1.5, 1.5, i + 1)), ...[mask, bias].filter((each) => each !== null)]
}

const optionsOf = ({ scale, before, after, mask, bias }: Attended): AttentionAttributes => ({
  scale,
  before,
  after,
  hasMask: mask !== null,
  hasBias: bias !== null,
})

const tolerance = { ulp: 40, absolute: 4e-6 }
const attributesOf = (each: Attended) => ({ routine: new AttentionKernel(optionsOf(each)) })
const views = attended('', [2, 6, 6, 2, 2, 4, 4], causal)

const attention: OpCase<'routine'>[] = [
  ...[...SMALL, ...EMPTY, ...LARGE].map((each) => ({
    title: each.title,
    inputs: operandsOf(each),
    attributes: attributesOf(each),
    ...tolerance,
    gradient: SMALL.includes(each),
    secondGradient: SMALL.includes(each),
  })),
  {
    title: 'heads first',
    inputs: [1, 2, 3].map((seed) => ({ ...floats([2, 2, 6, 4], -1.5, 1.5, seed), through: headsFirst })),
    attributes: attributesOf(views),
    ...tolerance,
    gradient: true,
  },
  {
    title: 'inner steps',
    inputs: [1, 2, 3].map((seed) => ({ ...floats([2, 7, 2, 4], -1.5, 1.5, seed), through: inner })),
    attributes: attributesOf(views),
    ...tolerance,
    gradient: true,
  },
  {
    title: 'one step repeated',
    inputs: [1, 2, 3].map((seed) => ({ ...floats([2, 1, 2, 4], -1.5, 1.5, seed), through: repeated })),
    attributes: attributesOf(views),
    ...tolerance,
    gradient: true,
  },
  {
    title: 'NaN and infinities in a value',
    inputs: [floats([1, 3, 1, 2]), floats([1, 2, 1, 2]), exactly([NaN, 1, Infinity, 2], 'float32', [1, 2, 1, 2])],
    attributes: attributesOf(attended('', [1, 3, 2, 1, 1, 2, 2])),
    ...tolerance,
  },
  {
    title: 'NaN in a query',
    inputs: [exactly([NaN, 1, 1, 2, 0.5, 0.25], 'float32', [1, 3, 1, 2]), floats([1, 2, 1, 2]), floats([1, 2, 1, 3])],
    attributes: attributesOf(attended('', [1, 3, 2, 1, 1, 2, 3])),
    ...tolerance,
  },
]

/** Sums large enough for any scores, infinite in some places if `isEmpty`. */
function sumsOf({ extents: [b, t, , h], isEmpty, scale }: Attended): TensorContent {
  const { data, ...rest } = floats([b, h, t], 10 * scale, 12 * scale + 2, 6)
  return { ...rest, data: data.map((x, i) => (isEmpty && i % 3 === 1 ? Infinity : x)) } as TensorContent
}

const attentionGradient: OpCase<'routine'>[] = [...SMALL, ...EMPTY, ...LARGE].flatMap((each) => {
  const {
    extents: [b, t, , h, , , e],
    title,
    bias,
  } = each
  const results = [floats([b, t, h, e], -1, 1, 4), sumsOf(each), floats([b, t, h, e], -1, 1, 5)]
  const of = (hasSums: boolean): OpCase<'routine'> => ({
    title: hasSums ? `${title}, and of the sums` : title,
    inputs: [...operandsOf(each), ...results, ...(hasSums ? [floats([b, h, t], -1, 1, 8)] : [])],
    attributes: { routine: new AttentionGradientKernel({ ...optionsOf(each), hasSums, givesBias: bias !== null }) },
    ulp: 40,
    absolute: 2e-5,
    gradient: SMALL.includes(each),
  })
  return [of(false), of(true)]
})

const titled = (name: string, cases: readonly OpCase<'routine'>[]) =>
  cases.map((each) => ({ ...each, title: `${name} ${each.title}` }))

export const attentionCases: readonly OpCase<'routine'>[] = [
  ...titled('attention', attention),
  ...titled('attentionGradient', attentionGradient),
]
