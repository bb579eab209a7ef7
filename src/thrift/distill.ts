// distill: trains a small model on the outputs of a large one. One step is one tape: the outputs of teacher and
// student, the loss between them, and the student's update.

import { requireArguments } from '../core/arguments'
import { ArgumentError, ShapeError, StateError, formatShape, quoted } from '../core/errors'
import { anything, boolean, nullable, number, option, readOptions } from '../core/options'
import { flatten } from '../core/tree'
import { CallContext, withFrame } from '../layers/context'
import { maskOf } from '../layers/masks'
import type { LayerBase } from '../layers/layer'
import type { BatchShape, TensorSpec } from '../layers/spec'
import { reduceWeighted } from '../losses/sample-weights'
import { knownGraph } from '../models/known-graph'
import { LayerGraph } from '../models/layer-graph'
import { Model } from '../models/model'
import { add, clip, divide, log, multiply, sigmoid, softplus, stopGradient, subtract } from '../ops/numpy/elementwise'
import { logSoftmax, softmax } from '../ops/nn/activations'
import { mean, sum } from '../ops/numpy/reduce'
import { Tensor } from '../ops/tensor'
import { operandOf, withScope } from '../ops/trace'
import type { Batch, ForwardResult, StepLogs } from '../training/batch'
import type { CompileOptions } from '../training/compiled'
import { forward, totalLoss } from '../training/step'
import type { CheckingModel } from '../training/checking-model'
import { applyTree } from '../layers/applying'
import { outputSpecs } from '../layers/inference'
import { buildSpecOf } from '../layers/weight-lists'
import { replayedBy } from '../layers/traits'

export interface DistillOptions extends Pick<CompileOptions, 'optimizer' | 'loss' | 'metrics'> {
  /**
   * Divides the logits before they are compared: higher values give more weight to the less likely classes. Default 4.
   */
  readonly temperature?: number
  /** The weight of the loss on the targets. With 0, data without targets can be used. Default 0.1. */
  readonly alpha?: number
  /**
   * Whether a teacher that ends in neither softmax nor sigmoid outputs logits instead of probabilities. Default true.
   */
  readonly fromLogits?: boolean
}

const distillOptions = {
  temperature: option(number({ above: 0 }), 4),
  alpha: option(number({ min: 0 }), 0.1),
  fromLogits: option(boolean, true),
  optimizer: option(anything, 'adam'),
  loss: option(nullable(anything), null),
  metrics: option(nullable(anything), null),
}

/** softmax: the classes exclude each other; sigmoid: they are independent. */
type Kind = 'softmax' | 'sigmoid'

/** The operand of an output's softmax or sigmoid; `kind` is null if the output is neither. */
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

/** Probabilities are clipped to this before the logarithm. */
const LEAST = 1e-7

function logitsOfProbabilities(output: Tensor, kind: Kind): Tensor {
  const p = clip(output, LEAST, 1 - LEAST)
  return kind === 'softmax' ? log(p) : subtract(log(p), log(subtract(1, p)))
}

/** KL(teacher ‖ student) of the softened outputs, [batch, …] without the class axis. */
const divergences: Readonly<Record<Kind, (teacher: Tensor, student: Tensor) => Tensor>> = {
  // Σ p (log p − log q)
  softmax: (t, s) => sum(multiply(softmax(t), subtract(logSoftmax(t), logSoftmax(s))), -1),
  // The same for two classes: p (t − s) + log (1 + eˢ) − log (1 + eᵗ)
  sigmoid: (t, s) => mean(add(multiply(sigmoid(t), subtract(t, s)), subtract(softplus(s), softplus(t))), -1),
}

interface Settings {
  readonly temperature: number
  readonly alpha: number
  readonly fromLogits: boolean
  /** Whether the loss on the targets is a default, not chosen by the user. */
  readonly guessesLoss: boolean
}

/**
 * The result of `distill`: a model with the student's layers whose train step also runs the teacher. `fit`, `evaluate`
 * and callbacks work as for any model; `student` is the trained model.
 */
export class Distiller<const In = Tensor, const Out = Tensor> extends Model<In, Out> {
  static override readonly className = 'Distiller'
  // Private fields, so that the models are not found as parts of this one.
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

  /** The student that `distill` received, which is trained. */
  get student(): Model<In, Out> {
    return this.#student
  }

  get teacher(): Model<In, Out> {
    return this.#teacher
  }

  /** @throws StateError: a distiller cannot be saved or cloned; its student can. */
  override getConfig(): never {
    throw new StateError(
      `${this}: a distiller cannot be saved or cloned. Save its student: distiller.student.save(path).`,
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

  /** The teacher may have layers that read strings, which the student does not have. @internal */
  override lookStep(x: In): unknown {
    return [super.lookStep(x), this.taught(x)]
  }

  /** The teacher's output. It runs in a separate frame, because its layers' losses are not the student's. */
  private taught(x: In): Tensor {
    return onlyOutput(
      this.#teacher,
      withFrame(null, new CallContext(false), () =>
        withScope('teacher', () => applyTree(this.#teacher, x, { training: false })),
      ),
    )
  }

  private compare(batch: Batch<In, Out>, training: boolean): ForwardResult<Out> {
    const compiled = this.training.requireCompiled('distillation')
    const lossOf = (outputs: Out): Tensor => {
      const output = onlyOutput(this.#student, outputs)
      return totalLoss(this, compiled, batch, output, () => [this.divergence(batch, output)])
    }
    return forward(compiled, training, () => this.applyTo([batch.x]), lossOf)
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

  /** The logits of both models, and whether they belong to a softmax or a sigmoid. */
  private match(taught: Tensor, output: Tensor): { kind: Kind; teacher: Tensor; student: Tensor } {
    requireAlike('return', [this.#teacher, taught.shape], [this.#student, output.shape])
    const [teacher, student] = [logitsOf(taught), logitsOf(output)]
    if (teacher.kind !== null && student.kind !== null && teacher.kind !== student.kind) {
      throw new ArgumentError(
        `distill: ${this.#teacher} ends in ${teacher.kind} and ${this.#student} in ${student.kind}. Both must end in the same.`,
      )
    }
    if (student.kind === null && this.#settings.guessesLoss) {
      throw new ArgumentError(
        `distill: ${this.#student} outputs logits, so the option loss is required, for example new losses.SparseCategoricalCrossentropy({ fromLogits: true }), or alpha: 0`,
      )
    }
    const kind = student.kind ?? teacher.kind ?? (output.shape.at(-1) === 1 ? 'sigmoid' : 'softmax')
    const isProbable = teacher.kind === null && !this.#settings.fromLogits
    return { kind, teacher: isProbable ? logitsOfProbabilities(taught, kind) : teacher.logits, student: student.logits }
  }
}

/** @throws ArgumentError unless a model outputs one tensor, not in a list or a record */
function onlyOutput(model: object, output: unknown): Tensor {
  if (output instanceof Tensor) return output
  throw new ArgumentError(`distill: ${String(model)} must output one tensor, received ${quoted(output)}`)
}

/** The input specs of a built model. */
const inputSpecsOf = (model: LayerBase): TensorSpec[] => {
  const graph = replayedBy(model)
  return flatten(graph instanceof LayerGraph ? graph.inputSpecs : buildSpecOf(model)!)
}
/** The output specs of a built model. */
const outputSpecsOf = (model: LayerBase): TensorSpec[] => {
  const graph = replayedBy(model)
  return flatten(graph instanceof LayerGraph ? graph.outputSpecs : outputSpecs(model, buildSpecOf(model)!))
}

type Sided = readonly [model: object, shape: BatchShape]

/** @throws ShapeError for shapes that differ in rank or in a known extent */
function requireAlike(what: 'take' | 'return', [teacher, taught]: Sided, [student, shape]: Sided): void {
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
 * Returns a model whose fit trains the student to reproduce the teacher's outputs (Hinton et al. 2015). With the logits
 * t and s of both and T = `temperature`:
 *
 *   loss = T² · KL(softmax(t / T) ‖ softmax(s / T)) + alpha · (the loss on the targets)
 *
 * or, for each output of a sigmoid, the same with σ. The logits are the operands of the softmax or sigmoid that a model
 * ends in. The teacher is not changed and runs as in predictions: without dropout, with the running averages of
 * BatchNormalization. Afterwards the student is an ordinary model with new weights.
 *
 *   const distiller = distill(teacher, student, { temperature: 4, metrics: ['accuracy'] })
 *   await distiller.fit(x, y, { epochs: 5, validationData: [testX, testY] })
 *   await distill(teacher, student, { alpha: 0 }).fit(unlabelled)
 *   const answers = await student.predict(x)
 *
 * @param teacher a trained model with the same inputs and one output of the same shape
 * @param options additionally, as in compile, `optimizer` (default 'adam'), `metrics`, and `loss` on the targets: by
 * default the loss the student was compiled with, else the teacher's, else 'crossentropy'
 * @throws ArgumentError for arguments that are not models, for a student without a known graph, for several outputs,
 * and for weights shared by both; ShapeError for different input or output shapes; StateError for a model that is not
 * built
 */
export function distill<const In, const Out>(
  teacher: Model<In, Out>,
  student: Model<In, Out>,
  options: DistillOptions = {},
): Distiller<In, Out> {
  requireArguments('distill', arguments, 3)
  const { temperature, alpha, fromLogits } = readOptions('distill', distillOptions, options)
  requirePair(teacher, student)
  const { optimizer = 'adam', metrics = null } = options
  const loss =
    options.loss ?? student.training.compiled?.options.loss ?? teacher.training.compiled?.options.loss ?? null
  const distiller = new Distiller(teacher, student, {
    temperature,
    alpha,
    fromLogits,
    guessesLoss: loss === null && alpha > 0,
  })
  const targets = alpha === 0 ? { loss: null } : { loss: loss ?? 'crossentropy', lossWeights: alpha }
  compileWith(distiller, { optimizer, metrics, ...targets })
  return distiller
}

/** Compiles with options of which some may be those of another model. */
function compileWith(model: CheckingModel, options: object): void {
  model.compile(options)
}

/** @throws the errors of `distill` for models that do not fit each other */
function requirePair(teacher: Model, student: Model): void {
  if (!(teacher instanceof Model))
    throw new ArgumentError(`distill: the teacher must be a model, received ${quoted(teacher)}`)
  if (!teacher.built) throw new StateError(`distill: the teacher ${String(teacher)} must be built and trained`)
  const graph = knownGraph('distill', student)
  if (student.hasOwnStep)
    throw new ArgumentError(
      `distill: the student ${student} has a custom training step, which distillation would not run. Use a model of the same layers without one.`,
    )
  const outputs = flatten(graph.outputs).length
  if (outputs !== 1) throw new ArgumentError(`distill: ${student} must have one output, received ${outputs}`)
  requireSpecs('take', [teacher, inputSpecsOf(teacher)], [student, inputSpecsOf(student)])
  requireSpecs('return', [teacher, outputSpecsOf(teacher)], [student, outputSpecsOf(student)])
  const taught = new Set(teacher.weights)
  const shared = student.weights.find((weight) => taught.has(weight))
  if (shared !== undefined)
    throw new ArgumentError(
      `distill: teacher and student share the weight ${shared.name}, so training would change the teacher. Use a student with separate weights, for example from cloneModel.`,
    )
}

type Specified = readonly [model: Model, specs: readonly TensorSpec[]]

/** @throws ArgumentError for other numbers of tensors; ShapeError for other shapes */
function requireSpecs(what: 'take' | 'return', [teacher, taught]: Specified, [student, specs]: Specified): void {
  if (taught.length !== specs.length)
    throw new ArgumentError(
      `distill: teacher and student must ${what} the same number of tensors, received ${taught.length} of ${teacher} and ${specs.length} of ${student}`,
    )
  taught.forEach(({ shape }, i) => requireAlike(what, [teacher, shape], [student, specs[i]!.shape]))
}
