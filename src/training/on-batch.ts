// trainOnBatch and testOnBatch: one step on one batch, synchronously. A batch with the types of the last one takes a
// fast path, because this is frequent.

import { NonFiniteError } from '../core/errors'
import { sameShape } from '../core/shapes'
import { weighClasses } from '../data/samples/class-weights'
import { tensorsOf, type Samples } from '../data/samples/samples'
import { listsOf } from '../layers/weight-lists'
import type { Tensor } from '../ops/tensor'
import type { Program } from '../engine/runtime/program'
import type { Logs } from './callbacks/callback'
import { readArrayCall, type CallArguments } from './call'
import { TEST_ON_BATCH, TRAIN_ON_BATCH } from './options'
import { Prepared, warnIfNothingToTrain } from './prepared'
import { load, stateAfter, typesOf, whatFailed } from './runner'
import type { LastStep, TrainingState } from './state'

export function trainOnBatch(state: TrainingState, args: CallArguments): Logs {
  return onBatch(state, TRAIN_ON_BATCH, args)
}

export function testOnBatch(state: TrainingState, args: CallArguments): Logs {
  return onBatch(state, TEST_ON_BATCH, args)
}

function onBatch(
  state: TrainingState,
  method: typeof TRAIN_ON_BATCH | typeof TEST_ON_BATCH,
  args: CallArguments,
): Logs {
  const { name, kind } = method
  const prepared = new Prepared(state, kind, name)
  state.lock.requireIdle(name)
  const { data, options } = readArrayCall(method, prepared, args)
  const { classWeight } = options
  const samples = classWeight === null ? data : weighClasses(data, classWeight, prepared.outputNames)
  const last = state.last[kind]
  if (last === null || samples.hasStrings || !isLike(samples, last, prepared)) {
    const batch = prepared.accept(samples)
    return run(prepared, firstProgram(state, prepared, samples, batch), batch, name)
  }
  prepared.checkContent(samples)
  prepared.checkTargets(samples, last.expected)
  return run(prepared, last.program, samples, name)
}

/** Whether samples have the types of the last ones, and model, compile options and runtime are unchanged. */
function isLike({ x, y, inputs, targets, weights }: Samples, last: LastStep, { compiled, model }: Prepared): boolean {
  return (
    last.lists === listsOf(model) &&
    last.compiled === compiled &&
    // Trees of inputs or targets are new objects each time: only single tensors are recognised.
    last.samples.x === x &&
    last.samples.y === y &&
    last.epoch === compiled.runtime.epoch &&
    sameTypes(inputs, last.samples.inputs) &&
    sameTypes(targets, last.samples.targets) &&
    sameTypes(weights, last.samples.weights)
  )
}

function sameTypes(a: readonly (Tensor | null)[], b: readonly (Tensor | null)[]): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) {
    const [left, right] = [a[i]!, b[i]!]
    if (left === right) continue
    if (left === null || right === null || left.dtype !== right.dtype || !sameShape(left.shape, right.shape))
      return false
  }
  return true
}

/** The program for a batch of new types; it is remembered for the next batch. @param batch the samples without strings */
function firstProgram(state: TrainingState, prepared: Prepared, samples: Samples, batch: Samples): Program {
  const { compiled, kind } = prepared
  if (kind === 'train') {
    state.buildOptimizer(compiled)
    if (state.last.train === null) warnIfNothingToTrain(state.model, TRAIN_ON_BATCH.name)
  }
  const program = prepared.program(typesOf(batch, batch.size))
  state.remember(kind, {
    samples,
    program,
    expected: prepared.outputShapes(batch),
    compiled,
    lists: listsOf(state.model),
    epoch: compiled.runtime.epoch,
  })
  return program
}

function run(prepared: Prepared, program: Program, batch: Samples, method: string): Logs {
  prepared.compiled.resetMetrics()
  const tensors = tensorsOf(batch)
  load(program, tensors)
  if (program.run()) return prepared.logs
  load(program, tensors)
  const instruction = whatFailed(program)
  throw new NonFiniteError(
    `${method} produced a value that is not finite: ${instruction}. ${stateAfter(prepared.model)}`,
    1,
    instruction,
  )
}
