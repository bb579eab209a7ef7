// The parts of a training step, as trainStep uses them: the batch, the forward pass, the gradients. Traced; steps.ts
// compiles and runs steps.

import type { DType } from '../core/dtypes'
import { ArgumentError } from '../core/errors'
import type { Tree } from '../core/tree'
import type { TensorSpec } from '../core/spec'
import type { LayerBase } from '../layers/layer'
import { CallContext, withFrame } from '../layers/context'
import { add } from '../ops/numpy/elementwise'
import { reshape } from '../ops/numpy/shape'
import type { Tensor } from '../ops/tensor'
import { apply, currentTrace, withScope } from '../ops/trace'
import { valueOf, type Variable } from '../ops/variable'
import { GRADIENT_LIMIT } from '../optimizers/limits'
import type { TrainedModel as ListenedModel } from './callbacks/callback'
import type { History } from './callbacks/history'
import type { Batch, ForwardResult, StepLogs } from './batch'
import type { Compiled } from './compiled'
import { probedStepOf } from './probes'
import { checkedOutput } from '../layers/running'

/** The part of a model that training uses. */
export interface TrainedModel extends LayerBase, ListenedModel {
  readonly hasOwnStep: boolean
  /** The history of the last fit. */
  history: History | null
  readonly hasOwnTestStep: boolean
  /** Whether the model is known to have a single input. */
  readonly takesOneInput: boolean
  readonly graph: {
    readonly inputSpecs: Tree<TensorSpec>
    readonly outputSpecs: Tree<TensorSpec>
    readonly inputNames: readonly string[]
    readonly outputNames: readonly string[]
  } | null
  trainStep(batch: Batch<unknown, unknown>): StepLogs | void
  testStep(batch: Batch<unknown, unknown>): StepLogs | void
  predictStep(x: unknown): unknown
  /** Reads inputs like any kind of step; it is traced to find the readers of strings. */
  lookStep(x: unknown): unknown
  readonly checksData: boolean
  checkData(inputs: readonly Tensor[]): void
  checkInput(types: readonly { readonly shape: readonly number[]; readonly dtype: DType }[]): void
}

/** Runs a step, outside of all layers. */
export function inStep<Result>(training: boolean, step: () => Result): Result {
  return withFrame(null, new CallContext(training), step)
}

/** The outputs of `predictStep`; traced. @throws ArgumentError for results that are not tensors */
export function predicted(model: LayerBase & Pick<TrainedModel, 'predictStep'>, x: unknown): Tree<Tensor> {
  return checkedOutput(
    model,
    inStep(false, () => model.predictStep(x)),
    'predictStep',
  )
}

/** The outputs of a call of a model, and the loss that `lossOf` computes from them. */
export function forward<Out>(
  compiled: Compiled,
  training: boolean,
  call: () => Out,
  lossOf: (outputs: Out) => Tensor,
): ForwardResult<Out> {
  const context = new CallContext(training)
  const outputs = withFrame(null, context, call)
  const loss = valueOf(lossOf(outputs))
  return { outputs, loss, losses: compiled.lastLosses, reports: context.metrics }
}

/**
 * The loss to minimise: that of compile, `more`, and the losses of layers.
 * @throws ArgumentError if there is none
 */
export function totalLoss(
  model: LayerBase,
  compiled: Compiled,
  { y, sampleWeight }: Pick<Batch<unknown, unknown>, 'y' | 'sampleWeight'>,
  outputs: Tree<Tensor>,
  more: () => readonly Tensor[] = () => [],
): Tensor {
  const total = withScope('loss', () => compiled.computeLosses(y, outputs, sampleWeight))
  const terms = [...(total === null ? [] : [total]), ...withScope('loss', more), ...model.losses]
  if (terms.length === 0) {
    throw new ArgumentError(
      `${model}: there is nothing to minimise. Compile with a loss, for example 'meanSquaredError', add one in a layer ` +
        'with addLoss, or define computeLoss.',
    )
  }
  return withScope('loss', () => terms.map((term) => reshape(term, [])).reduce((sum, term) => add(sum, term)))
}

/**
 * The gradients of a loss, after a guard that ends the step if one of them, or a state that layers updated, is not finite, unless
 * the optimizer skips such steps.
 */
export function guardedGradients(loss: Tensor, variables: readonly Variable[], isUnguarded = false): Tensor[] {
  const trace = currentTrace()
  if (trace === null)
    throw new ArgumentError('gradients is for use inside trainStep; elsewhere use grad or valueAndGrad')
  if (variables.length === 0) return []
  const gradients =
    probedStepOf(trace)?.differentiate(loss, variables) ??
    trace.gradients(
      loss,
      variables.map((variable) => variable.value),
    )
  if (isUnguarded) return gradients
  // The guard comes before any update, so that a step with a non-finite value or update changes nothing.
  const limits = [Infinity, ...gradients.map(() => GRADIENT_LIMIT)]
  withScope('check', () => apply('guard', [loss, ...gradients, ...trace.updatedFloats()], { limits }))
  return gradients
}
