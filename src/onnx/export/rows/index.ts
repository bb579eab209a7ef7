// How each primitive is written. Those that are missing are refused.

import type { PrimitiveName } from '../../../ir/attributes'
import type { Row } from '../call'
import { elementwiseRows } from './elementwise'
import { indexingRows } from './indexing'
import { loop } from './loop'
import { movementRows } from './movement'
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

export function rowOf<Name extends PrimitiveName>(name: Name): Row<Name> | undefined {
  return rows[name]
}
