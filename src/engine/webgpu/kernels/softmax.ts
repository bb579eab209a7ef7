// Softmax and its cross-entropy on the GPU: a workgroup for each row.

import { splitAround } from '../../../core/shapes'
import type { NoAttributes } from '../../ir/attributes'
import { rowsOf } from '../../primitives/cross-entropy'
import { isContiguous } from '../../primitives/rule'
import { elementsOf } from '../couple'
import type { GpuKernel } from '../kernel'
import { forColumns, LEAST, ROW_THREADS } from './rows'

/** Declares `largest` and `sum`: the maximum of the row x, whose first element is number `first`, and Σ e^(x − largest). */
const SHIFTED = `var largest = bitcast<f32>(p.least);
${forColumns('beforeElement(first + i); largest = maximum(largest, f32At(x + i));')}
largest = rowMax(thread, largest);
var sum = 0.0;
${forColumns('sum += expOf(f32At(x + i) - largest);')}
sum = rowSum(thread, sum);`

/** Declares the first element of a row. */
const ROW = `let first = group * p.columns;
let x = p.x + first;`

/** @param finished the result from `shifted`, x − the maximum of its row, and `sum` */
function rowSoftmax(finished: string): GpuKernel<NoAttributes> {
  return {
    inPlace: () => [[0, 0]],
    lower({ inputs: [x], outputs: [out], emit }) {
      const { outer: rows, axis: columns } = splitAround(x!.shape, x!.shape.length - 1)
      emit.groups(rows, {
        fields: { x, out, columns, least: LEAST },
        threads: ROW_THREADS,
        hooks: { beforeElement: elementsOf([x!]), afterElement: elementsOf([out!]) },
        body: `${ROW}
${SHIFTED}
${forColumns(`let shifted = f32At(x + i) - largest; storeF32(p.out + first + i, ${finished}); afterElement(first + i);`)}`,
      })
    },
  }
}

/**
 * @param value the sum of −t ln p over the columns of a thread
 * @param isClass whether a target is the number of a class, not a distribution
 */
function crossEntropyOf(isClass: boolean): GpuKernel<NoAttributes> {
  const term = isClass
    ? 'if (i == u32(i32At(p.targets + group))) { loss = logOf(sum) - shifted; }'
    : 'let t = f32At(p.targets + group * p.columns + i); loss += t * (logOf(sum) - shifted);'
  return {
    inPlace: () => [[1, 0]],
    lower({ inputs: [x, targets], outputs: [loss, probabilities], emit }) {
      const { rows, columns } = rowsOf(x!.shape)
      emit.groups(rows, {
        fields: {
          x,
          targets,
          loss,
          out: probabilities,
          columns,
          least: LEAST,
        },
        threads: ROW_THREADS,
        hooks: { beforeElement: elementsOf([x!], [targets!]), afterElement: elementsOf([probabilities!]) },
        body: `${ROW}
${SHIFTED}
var loss = 0.0;
${forColumns(`let shifted = f32At(x + i) - largest;
${term}
storeF32(p.out + first + i, flushFactor(expOf(shifted)) / sum);
afterElement(first + i);`)}
loss = rowSum(thread, loss);
if (thread == 0u) { storeF32(p.loss + group, loss); }`,
      })
    },
  }
}

const scaleStride = (isWhole: boolean): number => (isWhole ? 1 : 0)

/** dx = (p Σt − t) scale; 0 in a row whose class does not exist. */
function gradientOf(isClass: boolean): GpuKernel<NoAttributes> {
  return {
    // Usually every row has the same scale.
    accepts: (operand, _type, { strides }) => operand === 2 && strides.every((stride) => stride === 0),
    inPlace: () => [[0, 0]],
    lower({ inputs: [probabilities, targets, scale], outputs: [out], emit }) {
      const { rows, columns } = rowsOf(probabilities!.shape)
      const fields = {
        probabilities,
        targets,
        scale,
        out,
        columns,
        scaleStride: scaleStride(isContiguous(scale!.shape, scale!.strides)),
      }
      if (isClass) {
        const body = `let row = index / p.columns;
let target_ = i32At(p.targets + row);
let x = (f32At(p.probabilities + index) - select(0.0, 1.0, u32(target_) == index - row * p.columns)) * f32At(p.scale + row * p.scaleStride);
storeF32(p.out + index, select(0.0, x, target_ >= 0i && u32(target_) < p.columns));`
        return emit.over(rows * columns, {
          fields,
          elements: elementsOf([probabilities!, out!], [targets!, scale!]),
          body,
        })
      }
      emit.groups(rows, {
        fields,
        threads: ROW_THREADS,
        body: `let first = group * p.columns;
var sum = 0.0;
${forColumns('sum += f32At(p.targets + first + i);')}
sum = rowSum(thread, sum);
let scale = f32At(p.scale + group * p.scaleStride);
${forColumns('storeF32(p.out + first + i, (f32At(p.probabilities + first + i) * sum - f32At(p.targets + first + i)) * scale);')}`,
      })
    },
  }
}

export const softmaxes = {
  softmax: rowSoftmax('expOf(shifted) / sum'),
  logSoftmax: rowSoftmax('shifted - logOf(sum)'),
  classCrossEntropy: crossEntropyOf(true),
  classCrossEntropyGradient: gradientOf(true),
  crossEntropy: crossEntropyOf(false),
  crossEntropyGradient: gradientOf(false),
}
