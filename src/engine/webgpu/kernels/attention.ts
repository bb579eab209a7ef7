// Attention and its gradient on the GPU, without a matrix of scores: a workgroup for each row of the query, and in the gradient
// also one for each row of key and value. It passes over the other rows in blocks: each thread computes the score of one, and
// then each thread adds some features of the whole block, always in the same order.

import { BYTES_PER_ELEMENT } from '../../../core/dtypes'
import { sizeOf, type TensorType } from '../../../core/shapes'
import { attentionFields, type AttentionGradientKernel, type AttentionKernel } from '../../primitives/attention'
import {
  gradientOperands,
  type AttentionAttributes,
  type GradientAttributes,
} from '../../primitives/attention-operands'
import { required } from '../../primitives/routine'
import { arrayOf, type Emitter, type RecordFields } from '../dispatch'
import type { Sources } from '../functions/sources'
import type { RoutineKernel } from '../kernel'
import { forColumns, LEAST, ROW_THREADS } from './rows'

/** The bits of ∞, which WGSL cannot write. */
const INFINITE = '0x7f800000u'

/**
 * Declares `product`, the scalar product of two rows; where rows start; and whether a score counts, and what it is. b is the
 * sample, h and g are the heads of query and key, t the row of the query, and s that of the key.
 */
function scores({ hasMask, hasBias }: AttentionAttributes): Sources {
  const mask = hasMask
    ? ' && memory[p.mask + b * p.maskBatch + h * p.maskHead + t * p.maskRow + s * p.maskColumn] != 0u'
    : ''
  const bias = hasBias ? ' + f32At(p.bias + b * p.biasBatch + h * p.biasHead + t * p.biasRow + s * p.biasColumn)' : ''
  return {
    product: `fn product(x: u32, y: u32, features: u32) -> f32 {
var sum = 0.0;
for (var i = 0u; i < features; i++) { sum = fma(f32At(x + i), f32At(y + i), sum); }
return sum;
}`,
    queryAt:
      'fn queryAt(b: u32, h: u32, t: u32) -> u32 { return p.query + b * p.queryBatch + h * p.queryHead + t * p.queryRow; }',
    keyAt: 'fn keyAt(b: u32, g: u32, s: u32) -> u32 { return p.key + b * p.keyBatch + g * p.keyHead + s * p.keyRow; }',
    valueAt:
      'fn valueAt(b: u32, g: u32, s: u32) -> u32 { return p.value + b * p.valueBatch + g * p.valueHead + s * p.valueRow; }',
    resultAt: 'fn resultAt(b: u32, h: u32, t: u32) -> u32 { return ((b * p.rows + t) * p.heads + h) * p.width; }',
    counts: `fn counts(b: u32, h: u32, t: u32, s: u32) -> bool {
let ahead = i32(s) - i32(t);
return ahead <= i32(p.after) && -ahead <= i32(p.before)${mask};
}`,
    scoreOf: `fn scoreOf(b: u32, h: u32, t: u32, s: u32, key: u32) -> f32 {
return p.scale * product(queryAt(b, h, t), key, p.depth)${bias};
}`,
  }
}

/** Declares the row of a workgroup of the query, and the columns of its band. */
const QUERY_ROW = `let t = group % p.rows;
let h = group / p.rows % p.heads;
let b = group / p.rows / p.heads;
let g = h / (p.heads / p.keyHeads);
let first = u32(clamp(i32(t) - i32(p.before), 0, i32(p.columns)));
let last = u32(clamp(i32(t) + i32(p.after) + 1, 0, i32(p.columns)));`

/**
 * Adds to a row in memory the rows of a block, each times its weight.
 * @param row the row j of the block
 * @param faded what the row in memory is multiplied with before
 */
const addRows = (to: string, features: string, weights: string, row: string, count: string, faded = ''): string =>
  forColumns(
    `var sum = f32At(${to} + i)${faded};
for (var j = 0u; j < ${count}; j++) { sum = fma(${weights}[j], f32At(${row} + i), sum); }
storeF32(${to} + i, sum);`,
    features,
  )

/** A number for each row of a block. */
const EACH_ROW = arrayOf('f32', ROW_THREADS)

export const attention: RoutineKernel<AttentionKernel> = {
  // The largest score so far, and relative to it the sums of exponentials and of their products with values.
  lower({ attributes }, { inputs, outputs: [out, logSum], emit }) {
    const fields = attentionFields(inputs, attributes)
    emit.groups(fields.batch * fields.heads * fields.rows, {
      fields: { ...fields, out, logSum, least: LEAST },
      threads: ROW_THREADS,
      shared: { weights: EACH_ROW },
      functions: scores(attributes),
      body: `${QUERY_ROW}
let to = p.out + resultAt(b, h, t);
${forColumns('storeF32(to + i, 0.0);', 'width')}
var largest = bitcast<f32>(p.least);
var sum = 0.0;
for (var start = first; start < last; start += ${ROW_THREADS}u) {
let s = start + thread;
let isUsed = s < last && counts(b, h, t, s);
var score = bitcast<f32>(p.least);
if (isUsed) { score = scoreOf(b, h, t, s, keyAt(b, g, s)); }
let next = maximum(largest, rowMax(thread, score));
let shift = replaced(next, 0u, bitcast<u32>(next) == p.least);
let faded = expOf(largest - shift);
let weight = select(0.0, flushFactor(expOf(score - shift)), isUsed);
sum = fma(sum, faded, weight);
weights[thread] = weight;
largest = next;
workgroupBarrier();
${addRows('to', 'width', 'weights', 'valueAt(b, g, start + j)', `min(${ROW_THREADS}u, last - start)`, ' * faded')}
}
sum = rowSum(thread, sum);
if (magnitude(sum) == 0u) {
${forColumns('var mean = 0.0; for (var s = 0u; s < p.columns; s++) { mean += f32At(valueAt(b, g, s) + i) / f32(p.columns); } storeF32(to + i, mean);', 'width')}
if (thread == 0u) { memory[p.logSum + group] = ${INFINITE}; }
} else {
${forColumns('storeF32(to + i, f32At(to + i) / sum);', 'width')}
if (thread == 0u) { storeF32(p.logSum + group, largest + logOf(sum)); }
}`,
    })
  },
}

export const attentionGradient: RoutineKernel<AttentionGradientKernel> = {
  /** Σ dy ⊙ y − d ln Σ of each row of the query. */
  temporaryBytes({ attributes }, inputs: readonly TensorType[]) {
    const [, logSum] = gradientOperands(inputs, attributes)
    return BYTES_PER_ELEMENT * Math.max(1, sizeOf(logSum.shape))
  },
  lower({ attributes }, context) {
    const { inputs, outputs, temporary, emit } = context
    const [y, logSum, dy, dLogSum] = gradientOperands(inputs, attributes)
    const [dQuery, dKey, dValue, dBias] = outputs
    const fields = attentionFields(inputs, attributes)
    const { batch, heads, keyHeads, rows, columns } = fields
    const shared = { ...fields, logSum, dy, means: required(temporary) }
    emitQueryGradient(batch * heads * rows, { ...shared, y, dQuery, dLogSum, dBias }, attributes, emit)
    emitKeyGradient(batch * keyHeads * columns, { ...shared, dKey, dValue }, attributes, emit)
  },
}

/** Declares `weightOf`, e^(S − ln Σ) */
const weightOf = 'fn weightOf(score: f32, logSum: f32) -> f32 { return flushFactor(expOf(score - logSum)); }'

/** dquery, dbias, and the means of the rows for `emitKeyGradient`. */
function emitQueryGradient(count: number, fields: RecordFields, attributes: GradientAttributes, emit: Emitter): void {
  const { hasSums, givesBias } = attributes
  // dbias has an element for each column.
  const [start, end] = givesBias ? ['0u', 'p.columns'] : ['first', 'last']
  emit.groups(count, {
    fields,
    threads: ROW_THREADS,
    shared: { weights: EACH_ROW },
    functions: { ...scores(attributes), weightOf },
    body: `${QUERY_ROW}
let to = p.dQuery + ((b * p.rows + t) * p.heads + h) * p.depth;
${forColumns('storeF32(to + i, 0.0);', 'depth')}
let logSum = f32At(p.logSum + group);
let dy = p.dy + resultAt(b, h, t);
var mean = 0.0;
${forColumns('mean = fma(f32At(dy + i), f32At(p.y + resultAt(b, h, t) + i), mean);', 'width')}
mean = rowSum(thread, mean)${hasSums ? ' - f32At(p.dLogSum + group)' : ''};
if (thread == 0u) { storeF32(p.means + group, mean); }
for (var start = ${start}; start < ${end}; start += ${ROW_THREADS}u) {
let s = start + thread;
var slope = 0.0;
if (s < ${end} && bitcast<u32>(logSum) != ${INFINITE} && counts(b, h, t, s)) {
slope = weightOf(scoreOf(b, h, t, s, keyAt(b, g, s)), logSum) * (product(dy, valueAt(b, g, s), p.width) - mean);
}
weights[thread] = slope;
${givesBias ? 'if (s < p.columns) { storeF32(p.dBias + group * p.columns + s, slope); }' : ''}
workgroupBarrier();
${addRows('to', 'depth', 'weights', 'keyAt(b, g, start + j)', `min(${ROW_THREADS}u, ${end} - start)`)}
workgroupBarrier();
}
${forColumns('storeF32(to + i, p.scale * f32At(to + i));', 'depth')}`,
  })
}

/** dkey and dvalue: sums over the rows of all heads of the query that share the key. */
function emitKeyGradient(count: number, fields: RecordFields, attributes: AttentionAttributes, emit: Emitter): void {
  emit.groups(count, {
    fields,
    threads: ROW_THREADS,
    shared: { weights: EACH_ROW, slopes: EACH_ROW },
    functions: { ...scores(attributes), weightOf },
    body: `let g = group % p.keyHeads;
let s = group / p.keyHeads % p.columns;
let b = group / p.keyHeads / p.columns;
let key = keyAt(b, g, s);
let value = valueAt(b, g, s);
let toKey = p.dKey + group * p.depth;
let toValue = p.dValue + group * p.width;
${forColumns('storeF32(toKey + i, 0.0);', 'depth')}
${forColumns('storeF32(toValue + i, 0.0);', 'width')}
let each = p.heads / p.keyHeads;
for (var h = g * each; h < (g + 1u) * each; h++) {
for (var start = 0u; start < p.rows; start += ${ROW_THREADS}u) {
let t = start + thread;
var weight = 0.0;
var slope = 0.0;
if (t < p.rows) {
let row = (b * p.heads + h) * p.rows + t;
let logSum = f32At(p.logSum + row);
if (bitcast<u32>(logSum) == ${INFINITE}) { weight = 1.0 / f32(p.columns); }
else if (counts(b, h, t, s)) {
weight = weightOf(scoreOf(b, h, t, s, key), logSum);
slope = weight * (product(p.dy + resultAt(b, h, t), value, p.width) - f32At(p.means + row));
}
}
weights[thread] = weight;
slopes[thread] = slope;
workgroupBarrier();
let most = min(${ROW_THREADS}u, p.rows - start);
${addRows('toKey', 'depth', 'slopes', 'queryAt(b, h, start + j)', 'most')}
${addRows('toValue', 'width', 'weights', 'p.dy + resultAt(b, h, start + j)', 'most')}
workgroupBarrier();
}
}
${forColumns('storeF32(toKey + i, p.scale * f32At(toKey + i));', 'depth')}`,
  })
}
