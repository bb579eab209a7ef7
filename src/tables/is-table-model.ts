// The check for functions that treat a TableModel in another way. Names no class, so that bundles need not contain it.

import { hasTable } from '../models/known-graph'
import type { TableModel } from './table-model'

export function isTableModel(model: unknown): model is TableModel {
  return hasTable(model)
}
