// How each primitive is written. Those that are missing are refused.

import type { PrimitiveName } from '../../../../engine/ir/attributes'
import type { Row } from '../call'
import { elementwiseRows } from './elementwise'
import { indexingRows } from './indexing'
import { loop } from './loop'
import { movementRows } from './movement'
import { normalizations } from './normalization'
import { reductionRows } from './reduction'
import { routine } from './routine'
import { windowRows } from './window'

type Rows = { readonly [Name in PrimitiveName]?: Row<Name> }

const rows: Rows = {
  ...elementwiseRows,
  ...indexingRows,
  ...movementRows,
  ...reductionRows,
  ...windowRows,
  loop,
  routine,
}

/** @returns undefined for primitives that ONNX does not have */
export function rowOf<Name extends PrimitiveName>(name: Name): Row<Name> | undefined {
  const row: Row<Name> | undefined = rows[name]
  const normalize = normalizations[name]
  return row === undefined || normalize === undefined ? row : (call) => normalize(call) ?? row(call)
}
