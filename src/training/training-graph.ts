// The graph of a training step, also of one that was not run yet.

import { StateError } from '../core/errors'
import { flatten } from '../core/tree'
import type { Graph } from '../engine/ir/graph'
import type { TrainingState } from './state'
import { buildSpecOf } from '../layers/weight-lists'

/**
 * The graph of a training step on `rows` rows; null if the model is not built, or if extents other than the number of
 * rows are open. Creates the optimizer's slots; nothing else changes.
 * @throws StateError if a custom step has not run on this number of rows
 */
export function trainingGraph(state: TrainingState, rows: number): Graph | null {
  const compiled = state.requireCompiled('computing the cost of a step')
  const { model } = state
  const ran = [...state.steps.programs].find(
    ([key, { graph }]) => /^train (?!probe)/.test(key) && graph.parameters[0]?.shape[0] === rows,
  )
  if (ran !== undefined) return ran[1].graph
  if (model.hasOwnStep)
    throw new StateError(
      `${model}: the cost of a custom trainStep is unknown until it has run on a batch of ${rows}. Call trainOnBatch once.`,
    )
  const specs = model.graph?.inputSpecs ?? buildSpecOf(model)
  if (specs === null || flatten(specs).some(({ shape }) => shape.slice(1).includes(null))) return null
  const inputs = flatten(specs).map(({ shape, dtype }) => ({
    shape: [rows, ...shape.slice(1).map((extent) => extent!)],
    dtype,
  }))
  state.renewPrograms()
  state.buildOptimizer(compiled)
  const outputSpecs = state.steps.outputSpecs(specs, inputs)
  const outputs = flatten(outputSpecs).map(({ shape }) => shape.map((extent) => extent ?? rows))
  return compiled.supposing(() => {
    const losses = compiled.lossesFor(
      outputs,
      outputs.map(() => null),
    )
    const targets = losses.map((loss, i) => loss?.targetsFor(outputs[i]!) ?? null)
    const types = { x: specs, inputs, y: outputSpecs, targets, weights: targets.map(() => null) }
    return state.inOwnRuntime(() => state.steps.trainingGraph(types))
  })
}
