// Every operator of TensorFlow that is read, by its name. Control flow, and operators whose results have shapes that depend on data,
// are not among them.

import type { Operator } from '../../../onnx/call'
import { blockRows } from './blocks'
import { elementwiseRows } from './elementwise'
import { imageRows } from './images'
import { indexingRows } from './indexing'
import { complexRows, matrixRows, moving, real } from './matrix'
import { movingPartRows, partRows } from './parts'
import { movingShapeRows, shapeRows } from './shapes'

const rows: Readonly<Record<string, Operator>> = {
  ...blockRows,
  ...elementwiseRows,
  ...imageRows,
  ...indexingRows,
  ...matrixRows,
  ...partRows,
  ...shapeRows,
}

export const operators: ReadonlyMap<string, Operator> = new Map(
  Object.entries({
    ...Object.fromEntries(Object.entries(rows).map(([name, operator]) => [name, real(operator)])),
    ...moving({ ...movingPartRows, ...movingShapeRows }),
    ...complexRows,
  }),
)
