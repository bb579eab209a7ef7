// Elastic weight consolidation: keeps weights that matter to earlier tasks near their values.

import { requireArguments } from '../core/arguments'
import { ArgumentError, quoted } from '../core/errors'
import { configured, count, number, option, readOptions, type OptionInputs } from '../core/options'
import { RowSource } from '../data/samples/row-source'
import { tensorsOf, type Samples } from '../data/samples/samples'
import type { RegularizedWeight } from '../layers/layer'
import { CallContext, withFrame } from '../layers/context'
import type { Model } from '../models/model'
import { requireModel } from '../models/required-model'
import { add, multiply, square, subtract } from '../ops/numpy/elementwise'
import { sum } from '../ops/numpy/reduce'
import type { Tensor } from '../ops/tensor'
import { compileTraced, currentTrace, trace } from '../ops/trace'
import { Variable } from '../ops/variable'
import { Regularizer } from '../parts/regularizers'
import { withRuntime } from '../engine/runtime/current'
import type { Compiled } from '../training/compiled'
import { readSamples } from '../training/read'
import { typesOf } from '../training/runner'
import { Pace } from '../data/samples/pace'
import { batchOf, parameterTypes } from '../training/steps'
import { regularizedOf } from '../layers/weight-lists'
import { applyTree } from '../layers/applying'

const elasticOptions = () => ({
  /** λ ≥ 0. Default 100. */
  strength: option(number({ min: 0 }), 100),
})
export type ElasticWeightConsolidationOptions = OptionInputs<ReturnType<typeof elasticOptions>>

const ElasticWeightConsolidationBase = configured(Regularizer, elasticOptions, ['strength'])

/**
 * A penalty for sequential tasks: λ/2 · Σ F (θ − θ*)², where θ* are the weights after the tasks learnt so far, and F is
 * the importance of each weight: the mean square of the gradient of the loss over single samples (the diagonal of the
 * empirical Fisher information). It is 0 until `consolidate` is called. Call that after each task:
 *
 * ```ts
 * import { ElasticWeightConsolidation, consolidate } from 'myelin/balance'
 * const elastic = new ElasticWeightConsolidation({ strength: 100 })
 * const layer = (units, activation) => new Dense({ units, activation, kernelRegularizer: elastic, biasRegularizer: elastic })
 * for (const { x, y } of tasks) {
 *   await model.fit(x, y)
 *   await consolidate(model, x, y)
 * }
 * ```
 *
 * F and θ* are saved with the model. The penalties of several tasks sum to one of the same form, up to a constant, so
 * only one F and θ* are kept: F ← F + F', θ* ← (F θ* + F' θ) / (F + F').
 *
 * Measured use: tasks whose identity is known at inference. Digits, two classes after the other (784→200→10, strength
 * 10,000, median of 5 seeds): if the task of each digit is known, the final accuracy is 97.7 %, without the penalty 78.8
 * %. Among all ten classes it hardly helps: 22.1 against 19.4 %; ReservoirReplay does. See examples/split-digits.
 *
 * Kirkpatrick et al., Overcoming catastrophic forgetting in neural networks, 2017.
 * @throws ArgumentError if used as an activity regularizer
 */
export class ElasticWeightConsolidation extends ElasticWeightConsolidationBase {
  static readonly className = 'ElasticWeightConsolidation'

  override keep(weight: Variable): readonly Variable[] {
    const make = (kind: string): Variable =>
      new Variable(weight.shape, { name: `${weight.name}/${kind}`, trainable: false })
    return [make('fisher'), make('anchor')]
  }

  call(x: Tensor, kept: readonly Variable[] = []): Tensor {
    const [fisher, anchor] = kept
    if (fisher === undefined || anchor === undefined) {
      throw new ArgumentError(
        'ElasticWeightConsolidation is a penalty on weights: use it as kernelRegularizer or biasRegularizer',
      )
    }
    return multiply(sum(multiply(fisher.value, square(subtract(x, anchor.value)))), this.strength / 2)
  }
}

const consolidateOptions = () => ({
  /** The number of samples to use, the first of the data. Default 500. */
  samples: option(count, 500),
})
export type ConsolidateOptions = OptionInputs<ReturnType<typeof consolidateOptions>>

/**
 * Records what a model has learnt from data: from then on, ElasticWeightConsolidation penalises changes of weights that
 * matter for it. Costs a forward and a backward pass of batch 1 for each sample.
 * @param x,y as for fit; in random order, since the first `samples` rows are used
 * @throws StateError before compile; ArgumentError for a model without this regularizer
 */
export async function consolidate(
  model: Model,
  x: unknown,
  y: unknown,
  options: ConsolidateOptions = {},
): Promise<void> {
  requireArguments('consolidate', arguments, 4)
  requireModel('consolidate', model)
  const { samples: most } = readOptions('consolidate', consolidateOptions(), options)
  const { prepared, samples } = readSamples(model.training, 'train', 'consolidate', x, y)
  const held = regularizedOf(model).filter(({ regularizer }) => regularizer instanceof ElasticWeightConsolidation)
  if (held.length === 0) {
    throw new ArgumentError(
      `consolidate: no weight of ${quoted(model.name)} has ElasticWeightConsolidation as its regularizer. Give it as kernelRegularizer and biasRegularizer.`,
    )
  }
  const rows = Math.min(most, samples.size)
  const sums = await withRuntime(held[0]!.weight.runtime, () =>
    squaredGradients(model, prepared.compiled, samples, held, rows),
  )
  held.forEach((regularized, i) => addTask(regularized, sums[i]!, rows))
}

/** F ← F + F', θ* ← (F θ* + F' θ) / (F + F'), with F' = squares / rows. */
function addTask({ weight: { view }, kept }: RegularizedWeight, squares: ArrayLike<number>, rows: number): void {
  const [fisher, anchor] = [kept[0]!.view, kept[1]!.view]
  for (let at = 0; at < squares.length; at++) {
    const [old, added] = [fisher[at]!, squares[at]! / rows]
    // A weight with importance 0 gets its present value as anchor, without a penalty.
    anchor[at] = old + added === 0 ? view[at]! : (old * anchor[at]! + added * view[at]!) / (old + added)
    fisher[at] = old + added
  }
}

/** Σ over rows of the squares of ∂loss/∂weight, for each weight. */
async function squaredGradients(
  model: Model,
  compiled: Compiled,
  samples: Samples,
  held: readonly RegularizedWeight[],
  rows: number,
): Promise<ArrayLike<number>[]> {
  const sums = held.map(
    ({ weight }) => new Variable(weight.shape, { name: `${weight.name}/squares`, trainable: false }),
  )
  const types = typesOf(samples, 1)
  const program = compileTraced(
    trace(parameterTypes(types), (symbols) => {
      const batch = batchOf(types, symbols)
      const outputs = withFrame(null, new CallContext(false), () => applyTree(model, batch.x, {}))
      const total = compiled.computeLosses(batch.y, outputs, batch.sampleWeight)
      if (total === null) throw new ArgumentError('consolidate: the model has no loss on its outputs')
      const gradients = currentTrace()!.gradients(
        total,
        held.map(({ weight }) => weight.value),
      )
      sums.forEach((each, i) => each.assign(add(each.value, square(gradients[i]!))))
      return []
    }),
  )
  const sources = tensorsOf(samples).map((tensor) => new RowSource(tensor))
  const pace = new Pace(undefined)
  try {
    for (let row = 0; row < rows; row++) {
      sources.forEach((source, i) => source.fill(program.parameter(i), null, row, 1))
      program.run()
      if (pace.isDue()) await pace.yield()
    }
    return sums.map(({ value }) => value.data)
  } finally {
    program.dispose()
  }
}
