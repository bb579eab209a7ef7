// softmax(query · keyᵀ) · value as one kernel, and its gradient: the scores are never stored as a whole.
//
//   query [b, t, h, d], key [b, s, g, d], value [b, s, g, e]; then optional mask and bias, which broadcast to
//   [b, h, t, s]. g divides h: neighbouring heads of the query share one head of key and value.
//   S = scale · query · keyᵀ + bias, where mask is true and t − before ≤ s ≤ t + after;  P = softmax S
//   → P · value [b, t, h, e],  ln Σ e^S [b, h, t]
//
// A row without any such column gives the mean of all values, and its ln Σ is +∞.

import { ATTENTION_FEATURES, Attention, AttentionGradient } from '../../../assembly/shared/instructions'
import { Opcode } from '../../../assembly/shared/opcodes'
import { ShapeError, formatShape } from '../../core/errors'
import { broadcastStrides, sameShape, type TensorType } from '../../core/shapes'
import type { Value } from '../ir/graph'
import { ABSENT, float, instruction, type Word, type LowerContext } from '../ir/instruction'
import type { Operand } from '../ir/operand'
import {
  attentionExtents,
  attentionOperands,
  gradientOperands,
  scoresShape,
  type AttentionAttributes,
  type AttentionExtents,
  type GradientAttributes,
} from './attention-operands'
import { attentionGradientReference, attentionReference } from './attention-references'
import { secondGradient } from './attention-second'
import { FUNCTION } from './flops'
import { KernelRoutine } from './routine'
import type { CostContext, View, RefContext, VjpContext } from './rule'

/** The limit on features of a query and a value together, which the smallest block of rows allows. */
const MOST_FEATURES = 8 * ATTENTION_FEATURES

function requireOperands(
  name: string,
  inputs: readonly TensorType[],
  attributes: AttentionAttributes,
): AttentionExtents {
  const operands = attentionOperands(inputs, attributes)
  const { query, key, value, mask, bias } = operands
  const extents = attentionExtents(operands)
  const { batch, heads, keyHeads, columns, depth, width } = extents
  const isAlike =
    [query, key, value].every(({ shape, dtype }) => shape.length === 4 && dtype === 'float32') &&
    sameShape(key.shape, [batch, columns, keyHeads, depth]) &&
    sameShape(value.shape, [batch, columns, keyHeads, width]) &&
    (heads === 0 || heads % keyHeads === 0)
  if (!isAlike) {
    throw new ShapeError(
      `${name}: expected float32 query [batch, steps, heads, size], key and value [batch, steps, heads or a divisor of them, size], received ${[query, key, value].map(({ shape, dtype }) => `${dtype} ${formatShape(shape)}`).join(', ')}`,
    )
  }
  if (depth + width > MOST_FEATURES)
    throw new ShapeError(
      `${name}: query and value may have at most ${MOST_FEATURES} features together, received ${depth} and ${width}`,
    )
  for (const [what, dtype, operand] of [
    ['mask', 'bool', mask],
    ['bias', 'float32', bias],
  ] as const) {
    const fits =
      operand === null ||
      (operand.dtype === dtype &&
        operand.shape.length === 4 &&
        operand.shape.every((extent, i) => extent === 1 || extent === scoresShape(extents)[i]))
    if (!fits)
      throw new ShapeError(
        `${name}: the ${what} must be ${dtype} and broadcast to ${formatShape(scoresShape(extents))}, received ${operand.dtype} ${formatShape(operand.shape)}`,
      )
  }
  return extents
}

/** Features must be adjacent, and steps must not share bytes. Mask and bias may have any layout. */
function accepts(operand: number, { shape }: TensorType, { strides }: View): boolean {
  if (operand > 2) return true
  return (shape[3] === 1 || strides[3] === 1) && (shape[1] === 1 || strides[1] !== 0)
}

/**
 * The strides of an operand [batch, steps, heads, features]. The stride of an axis of extent 1 is never used,
 * but must not be 0.
 */
function stepsOf({ shape, strides }: Operand): { batch: number; row: number; head: number } {
  return { batch: strides[0]!, row: shape[1] === 1 ? Math.max(1, shape[3]!) : strides[1]!, head: strides[2]! }
}

/** The strides of an operand that is read for each score; 0 if it is missing. */
function stridesOver(extents: AttentionExtents, operand: Operand | null) {
  const strides = operand && broadcastStrides(operand.shape, operand.strides, scoresShape(extents))
  return { batch: strides?.[0] ?? 0, head: strides?.[1] ?? 0, row: strides?.[2] ?? 0, column: strides?.[3] ?? 0 }
}

/** More than any number of steps. */
const ENDLESS = 2 ** 30

/** What kernels of attention and its gradient know of query, key, value, mask and bias. */
export function attentionFields(inputs: readonly Operand[], attributes: AttentionAttributes) {
  const operands = attentionOperands(inputs, attributes)
  const { query, key, value, mask, bias } = operands
  const extents = attentionExtents(operands)
  const ofQuery = stepsOf(query)
  const ofKey = stepsOf(key)
  const ofValue = stepsOf(value)
  const ofMask = stridesOver(extents, mask)
  const ofBias = stridesOver(extents, bias)
  return {
    ...extents,
    query: query.address,
    key: key.address,
    value: value.address,
    mask: mask?.address ?? ABSENT,
    bias: bias?.address ?? ABSENT,
    scale: float(attributes.scale),
    before: Math.min(attributes.before, ENDLESS),
    after: Math.min(attributes.after, ENDLESS),
    queryBatch: ofQuery.batch,
    queryRow: ofQuery.row,
    queryHead: ofQuery.head,
    keyBatch: ofKey.batch,
    keyRow: ofKey.row,
    keyHead: ofKey.head,
    valueBatch: ofValue.batch,
    valueRow: ofValue.row,
    valueHead: ofValue.head,
    maskBatch: ofMask.batch,
    maskHead: ofMask.head,
    maskRow: ofMask.row,
    maskColumn: ofMask.column,
    biasBatch: ofBias.batch,
    biasHead: ofBias.head,
    biasRow: ofBias.row,
    biasColumn: ofBias.column,
  } satisfies Readonly<Record<string, Word>>
}

/** The fields that both instructions share. */
function commonFields(
  { inputs, scratch, wideTiles }: LowerContext<unknown>,
  attributes: AttentionAttributes,
  out: Operand,
  logSum: Operand,
) {
  return {
    ...attentionFields(inputs, attributes),
    out: out.address,
    logSum: logSum.address,
    scratch,
    wide: Number(wideTiles),
  } satisfies Readonly<Record<string, Word>>
}

/** The number of pairs of a row and a column inside the band. */
function pairsOf({ rows, columns }: AttentionExtents, { before, after }: AttentionAttributes): number {
  let pairs = 0
  for (let t = 0; t < rows; t++) pairs += Math.max(0, Math.min(columns - 1, t + after) - Math.max(0, t - before) + 1)
  return pairs
}

function flopsOf(
  inputs: readonly TensorType[],
  attributes: AttentionAttributes,
  perPair: (extents: AttentionExtents) => number,
): number {
  const extents = attentionExtents(attentionOperands(inputs, attributes))
  return extents.batch * extents.heads * pairsOf(extents, attributes) * perPair(extents)
}

export class AttentionKernel extends KernelRoutine {
  override readonly multiplies = true
  readonly name = 'attention'

  constructor(readonly attributes: AttentionAttributes) {
    super()
  }

  override infer(inputs: readonly TensorType[]): readonly TensorType[] {
    const { batch, heads, rows, width } = requireOperands(this.name, inputs, this.attributes)
    return [
      { shape: [batch, rows, heads, width], dtype: 'float32' },
      { shape: [batch, heads, rows], dtype: 'float32' },
    ]
  }

  // dP = dy · valueᵀ,  dS = P ⊙ (dP − Σ dy · y);  dquery = scale dS · key,  dkey = scale dSᵀ · query,  dvalue = Pᵀ · dy,  dbias = dS
  // d ln Σ e^S adds P to dS.
  override vjp({
    e,
    inputs,
    outputs: [y, logSum],
    cotangents: [dy, dLogSum],
    isUsed,
    isWanted,
  }: VjpContext<unknown>): readonly (Value | null)[] {
    const { bias } = attentionOperands(inputs, this.attributes)
    const biasIndex = inputs.length - 1
    const givesBias = bias !== null && isWanted(biasIndex)
    const hasSums = isUsed(1)
    const all = [...inputs, y!, logSum!, dy!, ...(hasSums ? [dLogSum!] : [])]
    const [dQuery, dKey, dValue, dBias] = e.routine(
      new AttentionGradientKernel({ ...this.attributes, hasSums, givesBias }),
      all,
    )
    const gradients: (Value | null)[] = [dQuery!, dKey!, dValue!, ...inputs.slice(3).map(() => null)]
    if (givesBias) gradients[biasIndex] = e.sumTo(dBias!, bias.shape)
    return gradients
  }

  override accepts(operand: number, input: TensorType, layout: View): boolean {
    return accepts(operand, input, layout)
  }

  override keepsAxis(_inputs: readonly TensorType[], _operand: number, axis: number): boolean {
    return axis === 0
  }

  override lower(context: LowerContext<unknown>): void {
    const [out, logSum] = context.outputs
    context.emit(instruction(Opcode.Attention, Attention, commonFields(context, this.attributes, out!, logSum!)))
  }

  // Two products; per score the maximum, a difference, an exponential, a sum and a quotient.
  override flops({ inputs }: CostContext<unknown>): number {
    return flopsOf(inputs, this.attributes, ({ depth, width }) => 2 * (depth + width) + FUNCTION + 4)
  }

  override reference(context: RefContext<unknown>): void {
    attentionReference({ ...context, attributes: this.attributes })
  }
}

/** The gradients of query, key and value, and with `givesBias` that of the bias. */
export class AttentionGradientKernel extends KernelRoutine {
  override readonly multiplies = true
  readonly name = 'attentionGradient'

  constructor(readonly attributes: GradientAttributes) {
    super()
  }

  override infer(inputs: readonly TensorType[]): readonly TensorType[] {
    const extents = requireOperands(this.name, inputs, this.attributes)
    const [y, logSum, dy, dLogSum = logSum] = gradientOperands(inputs, this.attributes)
    if (!sameShape(y.shape, dy.shape) || !sameShape(logSum.shape, dLogSum.shape))
      throw new ShapeError(
        `${this.name}: the gradient must be ${formatShape(y.shape)}, received ${formatShape(dy.shape)}`,
      )
    const scores: readonly TensorType[] = this.attributes.givesBias
      ? [{ shape: scoresShape(extents), dtype: 'float32' }]
      : []
    return [...inputs.slice(0, 3), ...scores]
  }

  override vjp(context: VjpContext<unknown>): readonly (Value | null)[] {
    return secondGradient(context, this.attributes)
  }

  override accepts(operand: number, input: TensorType, layout: View): boolean {
    return operand < 3 && accepts(operand, input, layout)
  }

  override lower(context: LowerContext<unknown>): void {
    const [y, logSum, dy, dLogSum] = gradientOperands(context.inputs, this.attributes)
    const [dQuery, dKey, dValue, dBias] = context.outputs
    context.emit(
      instruction(
        Opcode.AttentionGradient,
        { ...Attention, ...AttentionGradient },
        {
          ...commonFields(context, this.attributes, y, logSum),
          gradient: dy.address,
          dLogSum: dLogSum?.address ?? ABSENT,
          dQuery: dQuery!.address,
          dKey: dKey!.address,
          dValue: dValue!.address,
          dBias: dBias?.address ?? ABSENT,
        },
      ),
    )
  }

  // Five products, one of which recomputes the scores; per score an exponential, two differences and two
  // products.
  override flops({ inputs }: CostContext<unknown>): number {
    return flopsOf(inputs, this.attributes, ({ depth, width }) => 6 * depth + 4 * width + FUNCTION + 4)
  }

  override reference(context: RefContext<unknown>): void {
    attentionGradientReference({ ...context, attributes: this.attributes })
  }
}
