// Traces a model into programs: training step, test step, prediction, and the results of metrics. One program
// per input signature, kept.

import { ShapeError } from '../core/errors'
import type { TensorType } from '../core/shapes'
import type { Layer } from '../layers'
import { CallContext } from '../layers'
import { add } from '../ops/elementwise'
import { concatenate, reshape } from '../ops/shape'
import type { Tensor } from '../ops/tensor'
import { apply, compileTraced, currentTrace, trace, withScope } from '../ops/trace'
import { GRADIENT_LIMIT } from '../optimizers/limits'
import type { Program } from '../runtime/program'
import { withRuntime } from '../runtime/runtime'
import type { Compiled } from './compiled'

/** The types of one batch: inputs, targets, and whether samples are weighted. */
export interface BatchTypes {
  readonly x: TensorType
  readonly y: TensorType
  readonly weighted: boolean
}

function keyOf(kind: string, types: readonly TensorType[]): string {
  return `${kind} ${types.map(({ dtype, shape }) => `${dtype}[${shape.join()}]`).join(' ')}`
}

/** The programs of one model as it was compiled. */
export class Steps {
  private readonly programs = new Map<string, Program>()
  private readonly outputShapes = new Map<string, readonly number[]>()

  constructor(private readonly model: Layer) {}

  private get(key: string, make: () => Program): Program {
    let program = this.programs.get(key)
    if (program === undefined) {
      program = make()
      this.programs.set(key, program)
    }
    return program
  }

  /** x → output */
  predict(x: TensorType): Program {
    return this.get(keyOf('predict', [x]), () =>
      compileTraced(trace([x], ([input]) => [this.model.apply(input!, new CallContext(false))])),
    )
  }

  /** x, y, weights? → nothing; updates weights, optimizer and metrics. */
  train(compiled: Compiled, types: BatchTypes): Program {
    return this.batchProgram('train', compiled, types, (x, y, sampleWeight) => {
      // As they are before the step: a layer may assign to a weight.
      const weights = this.model.trainableWeights.map((weight) => weight.value)
      const { loss, output } = this.forward(compiled, x, y, sampleWeight, new CallContext(true))
      if (weights.length > 0) {
        const gradients = currentTrace()!.gradients(compiled.optimizer.scaleLoss(loss), weights)
        // Before anything is updated: a step that is not finite, or whose update would not be, leaves no trace.
        const limits = [Infinity, ...gradients.map(() => GRADIENT_LIMIT)]
        withScope('loss', () => apply('guard', [loss, ...gradients], { limits }))
        compiled.optimizer.apply(gradients)
      }
      withScope('metrics', () => compiled.updateMetrics(loss, y, output, sampleWeight))
    })
  }

  /** x, y, weights? → nothing; updates metrics. */
  test(compiled: Compiled, types: BatchTypes): Program {
    return this.batchProgram('test', compiled, types, (x, y, sampleWeight) => {
      const { loss, output } = this.forward(compiled, x, y, sampleWeight, new CallContext(false))
      withScope('metrics', () => compiled.updateMetrics(loss, y, output, sampleWeight))
    })
  }

  private batchProgram(
    kind: string,
    compiled: Compiled,
    { x, y, weighted }: BatchTypes,
    step: (x: Tensor, y: Tensor, sampleWeight: Tensor | undefined) => void,
  ): Program {
    const weight: TensorType = { shape: [x.shape[0]!], dtype: 'float32' }
    const types = weighted ? [x, y, weight] : [x, y]
    return this.get(keyOf(kind, types), () => {
      const shapes = { target: y.shape, output: this.outputShape(x) }
      withRuntime(compiled.runtime, () => compiled.prepareMetrics(shapes))
      return compileTraced(
        trace(types, ([input, target, sampleWeight]) => {
          step(input!, target!, sampleWeight)
          return []
        }),
      )
    })
  }

  /** The shape of the model's output for a batch of this type. */
  outputShape(x: TensorType): readonly number[] {
    const key = x.shape.join()
    let shape = this.outputShapes.get(key)
    if (shape === undefined) {
      shape = this.model.computeOutputShape(x.shape).map((extent) => {
        if (extent === null) throw new ShapeError(`${this.model}: the output shape is open`)
        return extent
      })
      this.outputShapes.set(key, shape)
    }
    return shape
  }

  private forward(compiled: Compiled, x: Tensor, y: Tensor, sampleWeight: Tensor | undefined, context: CallContext) {
    const output = this.model.apply(x, context)
    const penalties = [...this.model.regularizationLosses(), ...context.losses]
    const data = withScope('loss', () => compiled.computeLoss(y, output, sampleWeight))
    const loss = withScope('loss', () => penalties.reduce((sum, penalty) => add(sum, reshape(penalty, [])), reshape(data, [])))
    return { loss, output }
  }

  /** → the results of the loss tracker and all metrics, [n]. */
  results(compiled: Compiled): Program {
    return this.get(`results ${compiled.names.join()}`, () =>
      compileTraced(trace([], () => [concatenate(compiled.all.map((metric) => reshape(metric.result(), [1])), 0)])),
    )
  }

  /** Every program as text, by signature. */
  disassemble(): Map<string, string> {
    return new Map([...this.programs].map(([key, program]) => [key, program.disassemble()]))
  }

  dispose(): void {
    for (const program of this.programs.values()) program.dispose()
    this.programs.clear()
  }
}

