// Whether a model says the same of a step by itself, given what its attentions kept, as within the whole sequence. Nothing in a
// model tells: any layer and any op may look along the steps. So it is tried, on every step that generation will take.

import { StateError } from '../core/errors'
import { classNameOf } from '../core/registry'
import { threefryUniform } from '../core/threefry'
import type { LayerBase } from '../layers/base'
import { Tensor } from '../ops/tensor'
import type { Program } from '../runtime/program'
import type { Pace } from '../training/pace'
import type { Decoder, Sequence } from './programs'
import { scoresFrom } from './programs'

interface Compared {
  readonly layers: readonly LayerBase[]
  readonly steps: number
}

const compared = new WeakMap<Decoder, Compared>()

/** For how many steps a model, as it is made up now, is known to say the same both ways: 1 for a new one. */
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
  /** The steps that are known to be right, which the first program takes at once. */
  readonly from: number
  readonly length: number
  /** The scores behind all steps of one sequence. */
  readonly whole: Program
  readonly first: Program
  readonly step: Program
}

/**
 * Compares the scores behind steps from … length − 1 of a random sequence. The weights are other ones meanwhile: with those of
 * the model a layer that mixes steps might not show, for example behind a kernel of zeros, and begin to when they change.
 * @throws StateError where they differ
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
  /** Takes steps from the given one on, until the event loop is due, and gives the next. */
  const takeFrom = (start: number): number => {
    for (let t = start; t < length; t++) {
      if (t > start && pace.isDue()) return t
      const scores = scoresFrom(step, rows([sequence[t]!]))[0]!
      // What is given behind padding is the mean of all steps, in the whole sequence of later ones, too.
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

/** Disturbed weights, or the model's own where the scores of those are not finite or hang on roundings. */
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

/** What scores are to bear, relative to the weights: some roundings. */
const NUDGE = 2e-6

function areAlike(row: Float32Array, other: Float32Array, tolerance: number): boolean {
  return row.every((score, token) => Math.abs(score - other[token]!) <= tolerance || Object.is(score, other[token]))
}

/** Roundings make 1e-6 in a transformer of 12 blocks, steps that are mixed in the ways of layers and ops from 0.1 on. */
const TOLERANCE = 1e-2
/** What the roundings of scores may be that are large and nearly the same at all steps. */
const ROUNDING = 2e-5

/** By how much scores may differ: little beside what they differ by from step to step. */
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

/** Token 0, which may stand for padding, is every third, from the first on; not the last, where everything before shows. */
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

/** Noise for weights that are many repeats; a prime, so that rows do not. */
const PERIOD = 4093

/** The weights with something added, so that what a layer does with its input shows in its output. */
function disturbed(weights: readonly Tensor[]): Tensor[] {
  return weights.map((weight, i) => {
    const { shape, size } = weight
    // Of a vector only upwards, since a scale or a variance must stay positive; of a kernel both ways, as initializers do it.
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

/** Runs `body` while a model has other weights. It has its own ones again before anything else can run. */
function withWeights<Result>(model: Decoder, weights: readonly Tensor[], body: () => Result): Result {
  const own = model.getWeights()
  model.setWeights(weights)
  try {
    return body()
  } finally {
    model.setWeights(own)
  }
}

/** Layers that are likely the reason, by their class's name. */
const MIXING =
  /^((Depthwise|Separable)?Conv(LSTM)?\d|Conv\dD|.*Pooling\dD|ZeroPadding|Cropping|UpSampling|LSTM|GRU|SimpleRNN|RNN|Bidirectional|GroupNormalization|Flatten|Reshape|Permute|Attention|AdditiveAttention|Dot)/

function differs(model: Decoder, step: number): StateError {
  const likely = model.allLayers.filter((layer) => MIXING.test(classNameOf(layer))).map(String)
  const why =
    likely.length > 0
      ? `${likely.slice(0, 3).join(', ')} may be why, for steps are mixed there`
      : 'A layer or an op depends on where a step stands without asking firstStep, or mixes steps other than by an attention with useCausalMask, or a mask of padding gets lost between attentions'
  return new StateError(
    `generate: ${model} gives other scores for step ${step} by itself than within the whole sequence. ${why}. Pass cache: false, or change it.`,
  )
}
