// distill: a small model learns what a large one answers. One step is one tape: the teacher's answers, the student's, the loss between
// them, and the student's update.

import { ArgumentError, ShapeError, StateError, formatShape, quoted } from '../core/errors'
import { boolean, custom, nullable, number, option, readOptions } from '../core/options'
import { flatten, typed } from '../core/tree'
import { CallContext, withFrame } from '../layers/context'
import { maskOf } from '../layers/masks'
import type { LayerBase } from '../layers/base'
import type { BatchShape, TensorSpec } from '../layers/spec'
import { reduceWeighted } from '../losses/weights'
import { knownGraph } from '../models/known-graph'
import { LayerGraph } from '../models/layer-graph'
import { Model } from '../models/model'
import { add, clip, divide, log, multiply, sigmoid, softplus, stopGradient, subtract } from '../ops/elementwise'
import { logSoftmax, softmax } from '../ops/activations'
import { mean, sum } from '../ops/reduce'
import type { Tensor } from '../ops/tensor'
import { operandOf, withScope } from '../ops/trace'
import type { Batch, StepLogs } from '../training/batch'
import type { CompileOptions } from '../training/compiled'
import { forward, totalLoss } from '../training/step'

export interface DistillOptions extends Pick<CompileOptions, 'optimizer' | 'loss' | 'metrics'> {
  /** What logits are divided by before they are compared: the higher, the more the classes that are not right count. Default 4. */
  readonly temperature?: number
  /** The weight of the loss on the targets. 0: none are needed, so that rows without targets serve. Default 0.1. */
  readonly alpha?: number
  /** Whether a teacher that does not end in softmax or sigmoid gives logits, rather than probabilities. Default true. */
  readonly fromLogits?: boolean
}

const anything = custom<unknown>(
  (value) => value,
  () => null,
)
const options = {
  temperature: option(number({ above: 0 }), 4),
  alpha: option(number({ min: 0 }), 0.1),
  fromLogits: option(boolean, true),
  optimizer: option(anything, 'adam'),
  loss: option(nullable(anything), null),
  metrics: option(nullable(anything), null),
}

/** Whether classes exclude each other. */
type Kind = 'softmax' | 'sigmoid'

/** What goes into the softmax or sigmoid of an output; `kind` is null where there is none. */
interface Logits {
  readonly kind: Kind | null
  readonly logits: Tensor
}

function logitsOf(output: Tensor): Logits {
  for (const kind of ['softmax', 'sigmoid'] as const) {
    const logits = operandOf(output, kind)
    if (logits !== null) return { kind, logits }
  }
  return { kind: null, logits: output }
}

/** Smaller probabilities have the logarithm of this one. */
const LEAST = 1e-7

function logitsOfProbabilities(output: Tensor, kind: Kind): Tensor {
  const p = clip(output, LEAST, 1 - LEAST)
  return kind === 'softmax' ? log(p) : subtract(log(p), log(subtract(1, p)))
}

/** KL(teacher ‖ student) of softened answers, [batch, …] without the axis of the classes. */
const divergences: Readonly<Record<Kind, (teacher: Tensor, student: Tensor) => Tensor>> = {
  // Σ p (log p − log q)
  softmax: (t, s) => sum(multiply(softmax(t), subtract(logSoftmax(t), logSoftmax(s))), -1),
  // The same of yes and no: p (t − s) + log (1 + eˢ) − log (1 + eᵗ)
  sigmoid: (t, s) => mean(add(multiply(sigmoid(t), subtract(t, s)), subtract(softplus(s), softplus(t))), -1),
}

interface Settings {
  readonly temperature: number
  readonly alpha: number
  readonly fromLogits: boolean
  /** Whether nobody said what the loss on the targets is. */
  readonly guessesLoss: boolean
}

/**
 * What `distill` gives: a model of the student's layers, whose step asks the teacher. `fit`, `evaluate` and callbacks are those of
 * every model; `student` is the model that learns.
 */
export class Distiller<const In = Tensor, const Out = Tensor> extends Model<In, Out> {
  static override readonly className = 'Distiller'
  // Private: they are no parts of the model.
  readonly #teacher: Model<In, Out>
  readonly #student: Model<In, Out>
  readonly #settings: Settings

  /** @internal */
  constructor(teacher: Model<In, Out>, student: Model<In, Out>, settings: Settings) {
    super({ inputs: student.input, outputs: student.output, name: `${student.name}_distiller` })
    this.#teacher = teacher
    this.#student = student
    this.#settings = settings
  }

  /** The model that learns: the one that was given. */
  get student(): Model<In, Out> {
    return this.#student
  }

  get teacher(): Model<In, Out> {
    return this.#teacher
  }

  /** @throws StateError: what is made of two models cannot be saved or made again. Its student can. */
  override getConfig(): never {
    throw new StateError(
      `${this}: distillation cannot be saved or made again. What was learnt is in its student: distiller.student.save(path).`,
    )
  }

  override trainStep(batch: Batch<In, Out>): StepLogs | void {
    const result = this.compare(batch, true)
    const weights = this.trainableWeights
    this.optimizer.apply(this.gradients(this.optimizer.scaleLoss(result.loss), weights), weights)
    this.updateMetrics(batch, result)
  }

  override testStep(batch: Batch<In, Out>): StepLogs | void {
    this.updateMetrics(batch, this.compare(batch, false))
  }

  /** The teacher may read strings by layers of its own. @internal */
  override lookStep(x: In): unknown {
    return [super.lookStep(x), this.taught(x)]
  }

  /** The teacher's answer. A frame of its own: what the teacher's layers add is not the student's loss. */
  private taught(x: In): Tensor {
    return typed(
      withFrame(null, new CallContext(false), () =>
        withScope('teacher', () => this.#teacher.applyTree(typed(x), { training: false })),
      ),
    )
  }

  private compare(batch: Batch<In, Out>, training: boolean): ReturnType<typeof forward<In, Out>> {
    const compiled = this.trainer.requireCompiled('distillation')
    return forward(this, compiled, batch, training, (outputs) =>
      totalLoss(this, compiled, batch, typed(outputs), () => [this.divergence(batch, typed(outputs))]),
    )
  }

  /** T² · the mean of KL(teacher ‖ student) at temperature T. Traced. */
  private divergence({ x, sampleWeight }: Batch<In, Out>, output: Tensor): Tensor {
    const { temperature } = this.#settings
    const { kind, teacher, student } = this.match(this.taught(x), output)
    const soften = (logits: Tensor): Tensor => divide(logits, temperature)
    const each = divergences[kind](soften(stopGradient(teacher)), soften(student))
    const [weight = null] = flatten<Tensor | null>(sampleWeight)
    return multiply(
      reduceWeighted(each, weight ?? undefined, maskOf(output) ?? undefined, 'sumOverBatchSize'),
      temperature ** 2,
    )
  }

  /** The logits of both, and what they are logits of. */
  private match(taught: Tensor, output: Tensor): { kind: Kind; teacher: Tensor; student: Tensor } {
    requireAlike('give', [this.#teacher, taught.shape], [this.#student, output.shape])
    const [teacher, student] = [logitsOf(taught), logitsOf(output)]
    if (teacher.kind !== null && student.kind !== null && teacher.kind !== student.kind) {
      throw new ArgumentError(
        `distill: ${this.#teacher} ends in ${teacher.kind} and ${this.#student} in ${student.kind}. Both must be the same.`,
      )
    }
    if (student.kind === null && this.#settings.guessesLoss) {
      throw new ArgumentError(
        `distill: ${this.#student} gives logits, so the loss must be said, for example new losses.SparseCategoricalCrossentropy({ fromLogits: true }), or alpha: 0`,
      )
    }
    const kind = student.kind ?? teacher.kind ?? (output.shape.at(-1) === 1 ? 'sigmoid' : 'softmax')
    const isProbable = teacher.kind === null && !this.#settings.fromLogits
    return { kind, teacher: isProbable ? logitsOfProbabilities(taught, kind) : teacher.logits, student: student.logits }
  }
}

/** What a built model takes. */
const specsTaken = ({ graph, buildSpec }: LayerBase): TensorSpec[] =>
  flatten(graph instanceof LayerGraph ? graph.inputSpecs : buildSpec!)
/** What it gives. */
const specsGiven = (model: LayerBase): TensorSpec[] =>
  flatten(model.graph instanceof LayerGraph ? model.graph.outputSpecs : model.outputSpecs(model.buildSpec!))

type Sided = readonly [model: object, shape: BatchShape]

/** @throws ShapeError for shapes that cannot be the same, whatever their open extents are */
function requireAlike(what: 'take' | 'give', [teacher, taught]: Sided, [student, shape]: Sided): void {
  if (
    taught.length === shape.length &&
    taught.every((extent, i) => extent === null || shape[i] === null || extent === shape[i])
  )
    return
  throw new ShapeError(
    `distill: teacher and student must ${what} the same shape, received ${formatShape(taught)} of ${String(teacher)} and ${formatShape(shape)} of ${String(student)}`,
  )
}

/**
 * A model that is fitted to make the student answer as the teacher does (Hinton et al. 2015). With the logits t and s of both, T =
 * `temperature`:
 *
 *   loss = T² · KL(softmax(t / T) ‖ softmax(s / T)) + alpha · (the loss on the targets)
 *
 * or the same of σ for each output of a sigmoid. Logits are found behind the softmax or sigmoid that a model ends in. The teacher stays
 * as it is and sees what it sees in predictions: no dropout, averages of BatchNormalization. Afterwards the student is what it was
 * before, a model, with other weights.
 *
 *   const lesson = distill(teacher, student, { temperature: 4, metrics: ['accuracy'] })
 *   await lesson.fit(x, y, { epochs: 5, validationData: [testX, testY] })
 *   await distill(teacher, student, { alpha: 0 }).fit(unlabelled)
 *   const answers = await student.predict(x)
 *
 * @param teacher a model that was trained, for the same inputs and with one output of the same shape
 * @param options also, as in compile, `optimizer` (default 'adam'), `metrics`, and `loss`, that on the targets: default the one that the
 *   student was compiled with, or else the teacher, or else 'crossentropy'
 * @throws ArgumentError for what is no model, for a student whose graph nobody knows, several outputs, and weights that both have;
 *   ShapeError for a teacher that takes or gives other shapes; StateError for a model that is not built
 */
export function distill<const In, const Out>(
  teacher: Model<In, Out>,
  student: Model<In, Out>,
  given: DistillOptions = {},
): Distiller<In, Out> {
  const { temperature, alpha, fromLogits, optimizer, loss, metrics } = readOptions('distill', options, given)
  if (!(teacher instanceof Model))
    throw new ArgumentError(`distill: the teacher must be a model, received ${quoted(teacher)}`)
  if (!teacher.built) throw new StateError(`distill: the teacher ${teacher} must be built, and trained`)
  const graph = knownGraph('distill', student)
  if (student.hasOwnStep)
    throw new ArgumentError(
      `distill: the student ${student} has a training step of its own, which distillation would not run. Give it a plain model of the same layers.`,
    )
  if (flatten(graph.outputs).length !== 1)
    throw new ArgumentError(`distill: ${student} must have one output, received ${flatten(graph.outputs).length}`)
  for (const [what, of] of [
    ['take', specsTaken],
    ['give', specsGiven],
  ] as const) {
    const [ofTeacher, ofStudent] = [of(teacher), of(student)]
    if (ofTeacher.length !== ofStudent.length)
      throw new ArgumentError(
        `distill: teacher and student must ${what} as many tensors, received ${ofTeacher.length} of ${teacher} and ${ofStudent.length} of ${student}`,
      )
    ofTeacher.forEach(({ shape }, i) => requireAlike(what, [teacher, shape], [student, ofStudent[i]!.shape]))
  }
  const taught = new Set(teacher.weights)
  const shared = student.weights.find((weight) => taught.has(weight))
  if (shared !== undefined)
    throw new ArgumentError(
      `distill: the teacher has the student's weight ${shared.name}, and would not stay as it is. Make a student of its own, as with cloneModel.`,
    )
  const known =
    loss ?? student.trainer.compiledState?.options.loss ?? teacher.trainer.compiledState?.options.loss ?? null
  const distiller = new Distiller(teacher, student, {
    temperature,
    alpha,
    fromLogits,
    guessesLoss: known === null && alpha > 0,
  })
  const targets = alpha === 0 ? { loss: null } : { loss: known ?? 'crossentropy', lossWeights: alpha }
  distiller.compile(typed<CompileOptions>({ optimizer, metrics, ...targets }))
  return distiller
}
