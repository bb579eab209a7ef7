// The outputs of predict, batch after batch.

import { allocateData, type DType, type TensorData } from '../core/dtypes'
import { ShapeError, formatShape } from '../core/errors'
import { sameShape, sizeOf, type Shape } from '../core/shapes'
import { unflatten, type Tree } from '../core/tree'
import { Tensor } from '../ops/tensor'
import type { StepProgram } from '../engine/runtime/accelerator'

/** The predicted rows, batch after batch. */
export class PredictedRows {
  /** The memory for each output; it grows if the number of rows is unknown. */
  private readonly columns: {
    data: TensorData
    /** The rows of all batches, and those of the last one. */
    size: number
    last: number
    readonly width: number
    readonly shape: Shape
    readonly dtype: DType
  }[] = []
  private structure: Tree<unknown> = null
  isEmpty = true

  /** @param most the number of rows; null if unknown */
  constructor(
    private readonly model: { toString(): string },
    private readonly most: number | null,
  ) {}

  take(structure: Tree<unknown>, program: StepProgram, count: number): void {
    this.structure = structure
    this.isEmpty = false
    program.graph.outputs.forEach(({ shape, dtype }, i) => {
      const [rows, ...row] = shape
      if (rows === undefined)
        throw new ShapeError(
          `${this.model}: predict joins the outputs of batches along their first axis, but output ${i} is one number. Use predictOnBatch`,
        )
      const part = program.output(i)
      const width = sizeOf(row)
      const column = (this.columns[i] ??= {
        // An op may give another number of rows than that of the samples.
        data: allocateData(dtype, width * (rows === count ? (this.most ?? rows) : rows)),
        size: 0,
        last: 0,
        width,
        shape: row,
        dtype,
      })
      if (!sameShape(column.shape, row)) {
        throw new ShapeError(
          `${this.model}: predict needs rows of one shape, received ${formatShape(row)} after ${formatShape(column.shape)}. Pad sequences to one length, or use predictOnBatch.`,
        )
      }
      const size = column.size + rows
      if (column.data.length < size * width) {
        const larger = allocateData(dtype, 2 * size * width)
        larger.set(column.data.subarray(0, column.size * width))
        column.data = larger
      }
      column.data.set(part, column.size * width)
      column.size = size
      column.last = rows
    })
  }

  /** The rows of the last batch. */
  get last(): Tree<Tensor> {
    return unflatten<Tensor>(
      this.structure,
      this.columns.map(
        ({ data, size, last, width, shape, dtype }) =>
          new Tensor(data.slice((size - last) * width, size * width), [last, ...shape], dtype),
      ),
    )
  }

  get outputs(): Tree<Tensor> {
    return unflatten<Tensor>(
      this.structure,
      this.columns.map(({ data, size, width, shape, dtype }) => {
        const rows = data.length === size * width ? data : data.slice(0, size * width)
        return new Tensor(rows, [size, ...shape], dtype)
      }),
    )
  }
}
