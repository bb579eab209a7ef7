// The ledger: the cost of a training step and of a prediction in floating-point operations and bytes, per layer.
// Counted on the graphs that run; for measurements see emissions.ts.

import { requireArguments } from '../core/arguments'
import { ArgumentError, StateError } from '../core/errors'
import { integer, option, readOptions, type OptionInputs } from '../core/options'
import { classNameOf } from '../core/registry'
import { count, counted, formatBytes, tableLines } from '../core/table'
import type { LayerBase } from '../layers/layer'
import { Model } from '../models/model'
import { predictionCost } from '../models/cost'
import { addCosts, costOf, type Cost, type GraphCost } from '../engine/plan/cost'
import { simplify } from '../engine/plan/simplify'
import { trainingGraph } from '../training/training-graph'

export type { Cost } from '../engine/plan/cost'

const ledgerOptions = () => ({
  /** The rows of a step and of a prediction. Default 32. */
  batchSize: option(integer({ min: 1 }), 32),
})
export type LedgerOptions = OptionInputs<ReturnType<typeof ledgerOptions>>

/** The cost of a training step: `forward` plus `backward`. */
export interface StepCost extends Cost {
  /** The outputs, the loss, and the sums of metrics. */
  readonly forward: Cost
  /** Gradients. */
  readonly backward: Cost
}

/**
 * A layer with all layers within it, or another part of the step: `loss`, `metrics`, `check` (that the loss and
 * all gradients are finite), `optimizer`, `other`.
 */
export interface LedgerRow {
  readonly name: string
  /** null for a part that is not a layer. */
  readonly className: string | null
  readonly prediction: Cost
  /** null if the model is not compiled. */
  readonly training: StepCost | null
}

const NOTHING: Cost = { flops: 0, bytes: 0 }

/** The cost of a model, as counted by `ledger`. */
export class Ledger {
  /** A prediction of one batch. */
  readonly prediction: Cost
  /** One training step; null if the model is not compiled or has no trainable weights. */
  readonly training: StepCost | null

  constructor(
    readonly model: string,
    readonly batchSize: number,
    /** The layers in the model's order, then the other parts. Their costs sum to `prediction` and `training`. */
    readonly rows: readonly LedgerRow[],
  ) {
    this.prediction = rows.reduce((sum, { prediction }) => addCosts(sum, prediction), NOTHING)
    const steps = rows.map(({ training }) => training).filter((step) => step !== null)
    this.training = steps.length === 0 ? null : steps.reduce(addSteps)
  }

  /** The row of a layer or of another part. @throws ArgumentError for an unknown name */
  row(name: string): LedgerRow {
    const row = this.rows.find((each) => each.name === name)
    if (row !== undefined) return row
    throw new ArgumentError(
      `The ledger has no row '${name}'. The rows are: ${this.rows.map((each) => each.name).join(', ')}`,
    )
  }

  /** As a table. */
  toString(): string {
    const amounts = ({ flops, bytes }: Cost): string[] => [count(flops), formatBytes(bytes)]
    const steps = (step: StepCost | null): string[] =>
      this.training === null ? [] : [...amounts(step?.forward ?? NOTHING), ...amounts(step?.backward ?? NOTHING)]
    const head = [
      'Part',
      'Predict FLOPs',
      'Bytes',
      ...(this.training === null ? [] : ['Step forward FLOPs', 'Bytes', 'Step backward FLOPs', 'Bytes']),
    ]
    const cells = ({ name, className, prediction, training }: LedgerRow): string[] => [
      className === null ? name : `${name} (${className})`,
      ...amounts(prediction),
      ...steps(training),
    ]
    const total = ['Total', ...amounts(this.prediction), ...steps(this.training)]
    return [
      `Ledger of "${this.model}", ${counted(this.batchSize, 'row')}`,
      ...tableLines(head, [...this.rows.map(cells), total], (column) => column > 0),
    ].join('\n')
  }

  /** Prints the table. */
  print(print: (line: string) => void = console.log): void {
    this.toString()
      .split('\n')
      .forEach((line) => print(line))
  }
}

function addSteps(a: StepCost, b: StepCost): StepCost {
  return { ...addCosts(a, b), forward: addCosts(a.forward, b.forward), backward: addCosts(a.backward, b.backward) }
}

/** Parts of a step that are not layers. */
const PARTS = ['loss', 'metrics', 'check', 'optimizer'] as const
const REST = 'other'
const BACKWARD = /(^|\/)gradient(\/|$)/

/** The longest of some names that a scope begins with. */
function ownerOf(scope: string, names: ReadonlySet<string>): string {
  let name = scope
  while (!names.has(name)) {
    const end = name.lastIndexOf('/')
    if (end < 0) return REST
    name = name.slice(0, end)
  }
  return name
}

/** The cost of each name, including everything within it. */
function costsBy(
  names: ReadonlySet<string>,
  { byScope }: GraphCost,
  isWanted: (scope: string) => boolean,
): ReadonlyMap<string, Cost> {
  const costs = new Map<string, Cost>()
  for (const [scope, cost] of byScope) {
    if (!isWanted(scope)) continue
    const owner = ownerOf(scope, names)
    costs.set(owner, addCosts(costs.get(owner) ?? NOTHING, cost))
  }
  return costs
}

/**
 * Floating-point operations and bytes of a training step and of a prediction, in total and per layer. FLOPs: 1 for each
 * + − × ÷ √, comparison and selection, 2·m·n·k for a matrix product, 8 for exp, tanh and similar functions, 1 per
 * element that a sum reads. Bytes: each operation reads its operands once and writes its result once. Nothing is run.
 * If a compiled model's optimizer has no slots yet, they are created.
 *
 *   const costs = ledger(model, { batchSize: 32 })
 *   costs.print()
 *   costs.row('dense').training.backward.flops
 *
 * @throws ArgumentError unless `model` is a model
 * @throws StateError for a model that is not built, that has open input extents besides the batch, or that has a custom
 * trainStep which has not run on this number of rows
 */
export function ledger(model: LayerBase, options: LedgerOptions = {}): Ledger {
  requireArguments('ledger', arguments, 2)
  if (!(model instanceof Model)) throw new ArgumentError(`ledger: needs a model, received ${String(model)}`)
  const { batchSize } = readOptions('ledger', ledgerOptions(), options)
  const prediction = model.built ? predictionCost(model, batchSize) : null
  if (prediction === null) {
    throw new StateError(
      `ledger: ${model} must be built, with inputs that have no open extents besides the batch. Give the first layer an inputShape, or predict once.`,
    )
  }
  // Without trainable weights there is no step: an int8 model refuses one.
  const trains = model.training.compiled !== null && model.trainableWeights.length > 0
  const graph = trains ? trainingGraph(model.training, batchSize) : null
  const training = graph === null ? null : costOf(simplify(graph))
  const layers = new Map(model.layers.map((layer) => [`${model.name}/${layer.name}`, layer] as const))
  const names = new Set<string>([...layers.keys(), ...PARTS])
  const predicted = costsBy(names, prediction, () => true)
  const forward = training === null ? null : costsBy(names, training, (scope) => !BACKWARD.test(scope))
  const backward = training === null ? null : costsBy(names, training, (scope) => BACKWARD.test(scope))
  const rowOf = (scope: string, layer?: LayerBase): LedgerRow => {
    const [ahead, back] = [forward?.get(scope) ?? NOTHING, backward?.get(scope) ?? NOTHING]
    return {
      name: layer?.name ?? scope,
      className: layer === undefined ? null : classNameOf(layer),
      prediction: predicted.get(scope) ?? NOTHING,
      training: training === null ? null : { ...addCosts(ahead, back), forward: ahead, backward: back },
    }
  }
  const others = [...PARTS, REST]
    .map((scope) => rowOf(scope))
    .filter(({ prediction: { bytes }, training: step }) => bytes > 0 || (step?.bytes ?? 0) > 0)
  return new Ledger(model.name, batchSize, [...[...layers].map(([scope, layer]) => rowOf(scope, layer)), ...others])
}
