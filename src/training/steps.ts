// Traces a model's steps into programs: training step, test step, prediction, and the results of metrics. One program
// per input signature, kept while there is room.

import type { TensorType } from '../core/shapes'
import { flatten, mapTree, structureOf, unflatten, type Tree } from '../core/tree'
import type { Graph } from '../engine/ir/graph'
import { TensorSpec } from '../layers/spec'
import type { Readers } from '../data/samples/samples'
import { resultOf } from '../metrics/metric'
import { zeros } from '../ops/numpy/shape'
import { PreparedStrings } from '../ops/strings'
import type { Tensor } from '../ops/tensor'
import { compileTraced, trace, withScope } from '../ops/trace'
import type { Program } from '../engine/runtime/program'
import { ProgramCache } from '../engine/runtime/program-cache'
import type { Compiled } from './compiled'
import type { Batch, StepKind, StepLogs } from './batch'
import { probesKey, withProbes, type Probe } from './probes'
import { inStep, predicted, type TrainedModel } from './step'
import { outputSpecs } from '../layers/inference'

/** The types of one batch, and the structure of its parts. */
export interface BatchTypes {
  readonly x: Tree<unknown>
  readonly inputs: readonly TensorType[]
  readonly y: Tree<unknown>
  /** null if there are no targets. */
  readonly targets: readonly (TensorType | null)[]
  /** null if the samples of a target have no weights. */
  readonly weights: readonly (TensorType | null)[]
  /** The readers of string inputs. */
  readonly readers?: Readers
}

function typeKey(type: TensorType | null): string {
  return type === null ? '-' : `${type.dtype}[${type.shape.join()}]`
}

/** The types of a step's parameters, in order. */
export function parameterTypes({ inputs, targets, weights }: BatchTypes): TensorType[] {
  return [...inputs, ...targets, ...weights].filter((type) => type !== null)
}

/** A program with the structure of its outputs. */
export interface Prediction {
  readonly program: Program
  readonly structure: Tree<unknown>
}

/** The programs of one model for one compile. */
export class Steps {
  private readonly cache = new ProgramCache()
  private readonly structures = new Map<string, Tree<unknown>>()
  private readonly outputs = new Map<string, Tree<TensorSpec>>()

  constructor(private readonly model: TrainedModel) {}

  /** x → outputs */
  predict(x: Tree<unknown>, inputs: readonly TensorType[], readers?: Readers): Prediction {
    const form = structureOf(x)
    const key = `predict ${form === '*' ? '' : form}${inputs.map(typeKey).join(' ')}`
    const program = this.cache.get(key, () =>
      compileTraced(
        trace(inputs, (symbols) => {
          const result = predicted(this.model, inputsOf(x, symbols, readers))
          this.structures.set(
            form,
            mapTree(result, () => null),
          )
          return flatten(result)
        }),
        true,
      ),
    )
    return { program, structure: this.structures.get(form) ?? null }
  }

  /** batch → nothing; updates weights, optimizer, metrics and the variables of probes. */
  train(compiled: Compiled, types: BatchTypes, probes: readonly Probe[] = []): Program {
    const traced = probes.filter(({ trace, pull }) => trace !== undefined || pull !== undefined)
    const { model } = this
    const seen = { weights: model.weights, scale: compiled.optimizer.lossScaleFactor ?? 1 }
    return this.batchProgram(
      'train',
      compiled,
      types,
      true,
      (batch) => withProbes(traced, seen, () => model.trainStep(batch)),
      probesKey(traced),
    )
  }

  /** batch → nothing; updates metrics. */
  test(compiled: Compiled, types: BatchTypes): Program {
    return this.batchProgram('test', compiled, types, false, (batch) => this.model.testStep(batch))
  }

  private batchProgram(
    kind: StepKind,
    compiled: Compiled,
    types: BatchTypes,
    training: boolean,
    step: (batch: Batch) => StepLogs | void,
    variant = '',
  ): Program {
    const parameters = parameterTypes(types)
    const form = [types.x, types.y].map(structureOf).join(' ')
    const isPartial =
      types.targets.includes(null) || (types.weights.includes(null) && types.weights.some((each) => each !== null))
    const missing = isPartial ? ` ${types.targets.map(typeKey)} ${types.weights.map(typeKey)}` : ''
    const key = `${kind}${variant} ${form === '* *' ? '' : `${form} `}${parameters.map(typeKey).join(' ')}${missing}`
    return this.cache.get(key, () => {
      return compileTraced(
        trace(parameters, (symbols) => {
          const batch = batchOf(types, symbols)
          const logs = inStep(training, () => step(batch))
          if (logs !== undefined) withScope('metrics', () => compiled.keepLogs(kind, logs))
          return []
        }),
      )
    })
  }

  /** The graph of a training step that will not be run. */
  trainingGraph(types: BatchTypes): Graph {
    const step = (symbols: Tensor[]): StepLogs | void =>
      inStep(true, () => this.model.trainStep(batchOf(types, symbols)))
    return trace(parameterTypes(types), (symbols) => (step(symbols), [])).graph
  }

  /** The specs of the model's outputs for a batch of these types. */
  outputSpecs(x: Tree<unknown>, inputs: readonly TensorType[], readers?: Readers): Tree<TensorSpec> {
    const key = `${structureOf(x)} ${inputs.map(typeKey).join(' ')}`
    let specs = this.outputs.get(key)
    if (specs === undefined) {
      // Only the reader of a string determines the number of values that replace it.
      specs =
        readers === undefined
          ? outputSpecs(
              this.model,
              unflatten(
                x,
                inputs.map(({ shape, dtype }) => new TensorSpec(shape, dtype)),
              ),
            )
          : this.readSpecs(x, inputs, readers)
      if (this.outputs.size > 1000) this.outputs.clear()
      this.outputs.set(key, specs)
    }
    return specs
  }

  private readSpecs(x: Tree<unknown>, inputs: readonly TensorType[], readers: Readers): Tree<TensorSpec> {
    let specs: Tree<TensorSpec> = []
    trace(inputs, (symbols) => {
      const outputs = predicted(this.model, inputsOf(x, symbols, readers))
      specs = mapTree(outputs, ({ shape, dtype }) => new TensorSpec(shape, dtype))
      return []
    })
    return specs
  }

  /** → the results of the loss tracker and all metrics, in order; nothing for a matrix, which logs cannot represent. */
  results(compiled: Compiled): Program {
    const told = (result: Tensor): Tensor => (result.rank > 1 && result.size > 1 ? zeros([0]) : result)
    return this.cache.get(`results ${compiled.names.join()}`, () =>
      compileTraced(trace([], () => compiled.all.map((metric) => told(resultOf(metric))))),
    )
  }

  hold(program: Program): void {
    this.cache.hold(program)
  }

  release(program: Program): void {
    this.cache.release(program)
  }

  /** Every program by signature. @internal */
  get programs(): ReadonlyMap<string, Program> {
    return this.cache.all
  }

  dispose(): void {
    this.cache.dispose()
  }
}

/** Inputs from symbols; for string inputs, the symbols are those of the numbers that readers make of them. */
export function inputsOf(x: Tree<unknown>, symbols: readonly Tensor[], readers: Readers | undefined): Tree<Tensor> {
  if (readers === undefined) return unflatten<Tensor>(x, symbols)
  let at = 0
  return unflatten<Tensor>(
    x,
    readers.map((input) => {
      if (input === null) return symbols[at++]!
      const results = new Map(input.readers.map((reader) => [reader, symbols[at++]!]))
      return new PreparedStrings([symbols[0]!.shape[0]!, ...input.row], results)
    }),
  )
}

/** The parts of a batch, from symbols in the order of `parameterTypes`. */
export function batchOf({ x, y, inputs, targets, weights, readers }: BatchTypes, symbols: readonly Tensor[]): Batch {
  let at = inputs.length
  const take = (isThere: boolean): Tensor | null => (isThere ? symbols[at++]! : null)
  return {
    x: inputsOf(x, symbols, readers),
    y: unflatten(
      y,
      targets.map((target) => take(target !== null)),
    ),
    sampleWeight: unflatten(
      y,
      weights.map((weight) => take(weight !== null)),
    ),
  }
}
