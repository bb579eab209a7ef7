// The rows that functions read for a model: of a TableModel, those of its table.

import type { Batches, DataOf } from '../data/samples/data-types'
import { gatherRows, type GatherOptions, type GatheredRows } from '../training/gathered'
import { isTableModel } from './is-table-model'
import type { Model } from '../models/model'
import type { TableRow } from './values'

/** Inputs, batches of them with their targets, or rows of the table of a TableModel. */
export type RowsFor<In, Out> = DataOf<In> | Batches<In, Out> | Iterable<TableRow> | AsyncIterable<TableRow>

/** Data for a model: rows of the table of a TableModel as inputs and targets, other data unchanged. */
export async function dataFor(
  where: string,
  model: unknown,
  x: unknown,
  y: unknown,
  needsTargets = true,
): Promise<{ readonly x: unknown; readonly y: unknown }> {
  return isTableModel(model) ? model.rowsFor(where, x, y, needsTargets) : { x, y }
}

/** Like gatherRows, also for rows of the table of a TableModel. */
export async function gatherFor<In, Out>(
  model: Model<In, Out>,
  x: unknown,
  y: unknown,
  options: GatherOptions,
): Promise<GatheredRows> {
  const data = await dataFor(options.where, model, x, y, options.needsTargets)
  return gatherRows(model.training, data.x, data.y, options)
}
