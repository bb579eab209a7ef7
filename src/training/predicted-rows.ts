// The outputs of predict, batch after batch.

import type { DType, TensorData } from '../core/dtypes'
import { allocateData } from '../core/dtypes'
import { ShapeError, formatShape } from '../core/errors'
import type { Shape } from '../core/shapes'
import { sameShape } from '../core/shapes'
import type { Tree } from '../core/tree'
import { unflatten } from '../core/tree'
import { Tensor } from '../ops/tensor'
import type { Prediction } from './steps'

/** The predicted rows, batch after batch. */
export class PredictedRows {
  /** The memory for each output; it grows if the number of rows is unknown. */
  private readonly columns: {
    data: TensorData
    readonly width: number
    readonly shape: Shape
    readonly dtype: DType
  }[] = []
  private structure: Tree<unknown> = null
  size = 0

  /** @param most the number of rows; null if unknown */
  constructor(
    private readonly model: { toString(): string },
    private readonly most: number | null,
  ) {}

  take({ program, structure }: Prediction, count: number): void {
    this.structure = structure
    program.graph.outputs.forEach(({ shape, dtype }, i) => {
      if (shape[0] !== count)
        throw new ShapeError(
          `${this.model}: predict needs outputs of one row per sample, received ${formatShape(shape)} for ${count}`,
        )
      const part = program.output(i)
      const width = part.length / count
      const rows = this.size + count
      const column = (this.columns[i] ??= {
        data: allocateData(dtype, width * (this.most ?? rows)),
        width,
        shape: shape.slice(1),
        dtype,
      })
      if (!sameShape(column.shape, shape.slice(1))) {
        throw new ShapeError(
          `${this.model}: predict needs rows of one shape, received ${formatShape(shape.slice(1))} after ${formatShape(column.shape)}. Pad sequences to one length, or use predictOnBatch.`,
        )
      }
      if (column.data.length < rows * width) {
        const larger = allocateData(dtype, 2 * rows * width)
        larger.set(column.data.subarray(0, this.size * width))
        column.data = larger
      }
      column.data.set(part, this.size * width)
    })
    this.size += count
  }

  /** The last `count` rows. */
  last(count: number): Tree<Tensor> {
    const { size, structure } = this
    return unflatten<Tensor>(
      structure,
      this.columns.map(
        ({ data, width, shape, dtype }) =>
          new Tensor(data.slice((size - count) * width, size * width), [count, ...shape], dtype),
      ),
    )
  }

  get outputs(): Tree<Tensor> {
    const { size, structure } = this
    return unflatten<Tensor>(
      structure,
      this.columns.map(({ data, width, shape, dtype }) => {
        const rows = data.length === size * width ? data : data.slice(0, size * width)
        return new Tensor(rows, [size, ...shape], dtype)
      }),
    )
  }
}
