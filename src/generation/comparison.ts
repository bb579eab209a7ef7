// Tests whether a model gives the same scores for a single step with cached keys and values as for the whole sequence.
// No property of a model shows this, because any layer and any op may mix steps. So both ways are compared, for every
// step that generation will take.

import { StateError } from '../core/errors'
import { classNameOf } from '../core/registry'
import { threefryUniform } from '../core/threefry'
import type { LayerBase } from '../layers/layer'
import { Tensor } from '../ops/tensor'
import type { Program } from '../runtime/program'
import type { Pace } from '../data/pace'
import type { Decoder, Sequence } from './programs'
import { scoresFrom } from './programs'

interface Compared {
  readonly layers: readonly LayerBase[]
  readonly steps: number
}

const compared = new WeakMap<Decoder, Compared>()

/** The number of steps for which both ways are known to agree, with the model's present layers: 1 for a new model. */
export function comparedSteps(model: Decoder): number {
  const known = compared.get(model)
  const layers = model.allLayers
  const isSame =
    known !== undefined &&
    known.layers.length === layers.length &&
    known.layers.every((layer, i) => layer === layers[i])
  return isSame ? known.steps : 1
}

interface Stepwise {
  readonly batch: number
  /** The number of steps that are known to agree; the first program takes them at once. */
  readonly from: number
  readonly length: number
  /** The scores after all steps of one sequence. */
  readonly whole: Program
  readonly first: Program
  readonly step: Program
}

/**
 * Compares the scores after steps `from` … `length` − 1 of a random sequence. The weights are disturbed meanwhile: with
 * the model's own weights, a layer that mixes steps might go unnoticed, for example before a kernel of zeros, and have
 * an effect only after the weights change. @throws StateError if the scores differ
 */
export async function compareSteps(
  model: Decoder,
  { batch, from, length, whole, first, step }: Stepwise,
  pace: Pace,
  signal: AbortSignal | null,
): Promise<void> {
  const vocabulary = whole.graph.outputs[0]!.shape[1]!
  const sequence = randomTokens(length, vocabulary)
  const rows = (tokens: Sequence): Sequence[] => Array.from({ length: batch }, () => tokens)
  const { weights, expected, tolerance } = chosenWeights(model, (tried) =>
    withWeights(model, tried, () => scoresFrom(whole, [sequence])),
  )
  withWeights(model, weights, () => scoresFrom(first, rows(sequence.slice(0, from))))
  /** Takes steps from `start` on until the event loop is due, and returns the next step to take. */
  const takeFrom = (start: number): number => {
    for (let t = start; t < length; t++) {
      if (t > start && pace.isDue()) return t
      const scores = scoresFrom(step, rows([sequence[t]!]))[0]!
      // The scores after a padding token are the mean over all steps, and with the whole sequence that includes later
      // steps.
      if ((sequence[t] !== 0 || vocabulary === 1) && !areAlike(scores, expected[t]!, tolerance)) throw differs(model, t)
    }
    return length
  }
  for (let t = from; t < length; t = withWeights(model, weights, () => takeFrom(t))) {
    if (signal?.aborted === true) return
    if (t > from) await pace.yield()
  }
  compared.set(model, { layers: model.allLayers, steps: length })
}

interface Chosen {
  readonly weights: readonly Tensor[]
  readonly expected: readonly Float32Array[]
  readonly tolerance: number
}

/**
 * Disturbed weights; or the model's own, if the scores with disturbed weights are not finite or too sensitive to
 * rounding.
 */
function chosenWeights(model: Decoder, scoresWith: (weights: readonly Tensor[]) => Float32Array[]): Chosen {
  const candidate = (weights: readonly Tensor[]): Chosen => {
    const expected = scoresWith(weights)
    return { weights, expected, tolerance: toleranceOf(expected) }
  }
  const chosen = candidate(disturbed(model.getWeights()))
  const nudged = scoresWith(
    chosen.weights.map((weight, i) => changed(weight, i, (x, uniform) => x * (1 + NUDGE * uniform))),
  )
  const isSteady = chosen.expected.every(
    (row, t) => row.every(Number.isFinite) && areAlike(row, nudged[t]!, chosen.tolerance),
  )
  return isSteady ? chosen : candidate(model.getWeights())
}

/** The relative change of weights that steady scores must tolerate: a few roundings. */
const NUDGE = 2e-6

function areAlike(row: Float32Array, other: Float32Array, tolerance: number): boolean {
  return row.every((score, token) => Math.abs(score - other[token]!) <= tolerance || Object.is(score, other[token]))
}

/**
 * Rounding causes a relative difference of 1e-6 in a transformer of 12 blocks; layers and ops that mix steps cause 0.1
 * or more.
 */
const TOLERANCE = 1e-2
/** The tolerance relative to the largest score, for scores that are large and nearly equal at all steps. */
const ROUNDING = 2e-5

/** The absolute tolerance of scores: small beside their differences from step to step. */
function toleranceOf(scores: readonly Float32Array[]): number {
  let [spread, largest] = [0, 0]
  scores[0]!.forEach((_, token) => {
    let [least, most] = [Infinity, -Infinity]
    for (const row of scores) {
      least = Math.min(least, row[token]!)
      most = Math.max(most, row[token]!)
    }
    spread = Math.max(spread, most - least)
    largest = Math.max(largest, most, -least)
  })
  return TOLERANCE * spread + ROUNDING * largest
}

/**
 * Every third token is 0, which may stand for padding, from the first on; the last is not 0, so that all earlier steps
 * affect it.
 */
function randomTokens(length: number, vocabulary: number): number[] {
  return Array.from(noise(length, 1), (uniform, t) =>
    vocabulary === 1 || (t % 3 === 0 && t < length - 1) ? 0 : 1 + Math.floor(uniform * (vocabulary - 1)),
  )
}

function noise(length: number, stream: number): Float32Array {
  const uniforms = new Float32Array(length)
  threefryUniform(0, 0, stream, uniforms)
  return uniforms
}

/** The noise repeats after this many weights; the number is prime, so that the rows of a matrix differ. */
const PERIOD = 4093

/** The weights with noise added, so that the output of each layer depends on its input. */
function disturbed(weights: readonly Tensor[]): Tensor[] {
  return weights.map((weight, i) => {
    const { shape, size } = weight
    // Vectors only grow, since a scale or a variance must stay positive; kernels change both ways, by the scale of
    // initializers.
    if (shape.length < 2) return changed(weight, i, (x, uniform) => x + uniform / 2)
    const columns = shape.at(-1)!
    const reach = 1 / Math.sqrt(Math.max(1, Math.min(columns, size / columns)))
    return changed(weight, i, (x, uniform) => x + (uniform - 0.5) * reach)
  })
}

function changed(
  { data, shape, dtype, size }: Tensor,
  index: number,
  change: (x: number, uniform: number) => number,
): Tensor {
  if (dtype !== 'float32') return new Tensor(data, shape, dtype)
  const uniforms = noise(Math.min(size, PERIOD), 2 + index)
  return new Tensor(
    (data as Float32Array).map((x, at) => change(x, uniforms[at % PERIOD]!)),
    shape,
    dtype,
  )
}

/** Runs `body` with other weights in the model, and restores the model's own before anything else can run. */
function withWeights<Result>(model: Decoder, weights: readonly Tensor[], body: () => Result): Result {
  const own = model.getWeights()
  model.setWeights(weights)
  try {
    return body()
  } finally {
    model.setWeights(own)
  }
}

/** Layers that are likely to mix steps, by the names of their classes. */
const MIXING =
  /^((Depthwise|Separable)?Conv(LSTM)?\d|Conv\dD|.*Pooling\dD|ZeroPadding|Cropping|UpSampling|LSTM|GRU|SimpleRNN|RNN|Bidirectional|GroupNormalization|Flatten|Reshape|Permute|Attention|AdditiveAttention|Dot)/

function differs(model: Decoder, step: number): StateError {
  const likely = model.allLayers.filter((layer) => MIXING.test(classNameOf(layer))).map(String)
  const why =
    likely.length > 0
      ? `${likely.slice(0, 3).join(', ')} may be the reason: these layers mix steps`
      : 'A layer or an op depends on the position of a step without using firstStep, or mixes steps other than by an attention with useCausalMask, or a padding mask is lost between attentions'
  return new StateError(
    `generate: ${model} gives other scores for step ${step} alone than within the whole sequence. ${why}. Pass cache: false, or change the model.`,
  )
}
