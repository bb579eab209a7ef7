// The beam search of CTC decoding, in JavaScript: which prefixes are equal depends on the data. Results are those of Keras,
// also in the order of equal scores.

import { exactly } from '../../core/tuples'
import { Tensor } from '../tensor'

/** A prefix of labels, with the logarithms of the probabilities of its paths. */
interface Beam {
  /** The classes, counted from the end: their order decides between equal scores. */
  readonly path: readonly number[]
  /** The logarithms for the paths that end in a label, and in a blank. */
  readonly emitted: number
  readonly paused: number
}

interface Score {
  readonly path: readonly number[]
  readonly score: number
  /** Whether the paths end in a blank. */
  readonly isPaused: boolean
}

const { fround } = Math

/**
 * @param logP log probabilities [batch, steps, classes]
 * @param lengths [batch]
 * @returns labels [topPaths, batch, steps], filled with −1, and scores [batch, topPaths]
 */
export function searchBeams(
  logP: Tensor,
  lengths: Tensor,
  width: number,
  topPaths: number,
  blank: number,
): [labels: Tensor, scores: Tensor] {
  const [batch, steps, classes] = exactly(logP.shape, 3)
  const labels = new Int32Array(topPaths * batch * steps).fill(-1)
  const scores = new Float32Array(batch * topPaths).fill(-Infinity)
  for (let row = 0; row < batch; row++) {
    const slice = logP.data.subarray(row * steps * classes, (row + 1) * steps * classes)
    const found = bestPaths(slice, classes, Math.min(steps, lengths.data[row]!), width, classes - 1 - blank)
    found.slice(0, topPaths).forEach(({ path, score }, top) => {
      scores[row * topPaths + top] = score
      path.forEach((each, i) => (labels[(top * batch + row) * steps + i] = classes - 1 - each))
    })
  }
  return [new Tensor(labels, [topPaths, batch, steps], 'int32'), new Tensor(scores, [batch, topPaths], 'float32')]
}

/** The paths of one row, the best first. */
function bestPaths(logP: ArrayLike<number>, classes: number, steps: number, width: number, blank: number): Score[] {
  const at = (step: number, c: number): number => logP[step * classes + classes - 1 - c]!
  const first = Array.from({ length: classes }, (_, c) => c).sort((a, b) => at(0, a) - at(0, b))
  let scores = first
    .slice(-width)
    .map((c): Score => ({ path: c === blank ? [] : [c], score: at(0, c), isPaused: c === blank }))
  for (let step = 1; step < steps; step++) {
    const beams = merged(scores.flatMap((each) => extended(each, classes, blank, (c) => at(step, c))))
    const kept = beams
      .map((beam) => ({ beam, total: logSum(beam.emitted, beam.paused) }))
      .filter(({ total }) => total > -Infinity)
      .sort((a, b) => a.total - b.total)
      .slice(-width)
    scores = [
      ...kept.map(({ beam: { path, emitted } }): Score => ({ path, score: emitted, isPaused: false })),
      ...kept.map(({ beam: { path, paused } }): Score => ({ path, score: paused, isPaused: true })),
    ]
  }
  return merged(scores.map((each) => ({ ...each, isPaused: false })))
    .map(({ path, emitted }): Score => ({ path, score: emitted, isPaused: false }))
    .sort((a, b) => a.score - b.score)
    .reverse()
}

/** The paths of a prefix and one more step. A repeated label is the same label, unless a blank is between. */
function extended(
  { path, score, isPaused }: Score,
  classes: number,
  blank: number,
  at: (c: number) => number,
): Score[] {
  return Array.from({ length: classes }, (_, c) => {
    const isSame = c === blank || (!isPaused && path.at(-1) === c)
    return { path: isSame ? path : [...path, c], score: fround(score + at(c)), isPaused: c === blank }
  })
}

/** The sum of the paths of each prefix; prefixes in lexicographic order. */
function merged(scores: readonly Score[]): Beam[] {
  const most = [false, true].map((isPaused) =>
    scores.reduce((best, each) => (each.isPaused === isPaused ? Math.max(best, each.score) : best), -Infinity),
  )
  const sums = new Map<string, { path: readonly number[]; sums: [number, number] }>()
  for (const { path, score, isPaused } of scores) {
    const key = path.join()
    const found = sums.get(key) ?? { path, sums: [0, 0] }
    sums.set(key, found)
    const which = Number(isPaused)
    if (score > -Infinity)
      found.sums[which] = fround(found.sums[which]! + fround(Math.exp(fround(score - most[which]!))))
  }
  return [...sums.values()]
    .sort((a, b) => lexicographic(a.path, b.path))
    .map(({ path, sums: both }) => {
      const [emitted, paused] = exactly(
        both.map((each, i) => (each > 0 ? fround(fround(Math.log(each)) + most[i]!) : -Infinity)),
        2,
      )
      return { path, emitted, paused }
    })
}

function lexicographic(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) if (a[i] !== b[i]) return a[i]! - b[i]!
  return a.length - b.length
}

/** ln(eᵃ + eᵇ) */
function logSum(a: number, b: number): number {
  const most = Math.max(a, b)
  return most === -Infinity ? most : fround(most + Math.log1p(Math.exp(Math.min(a, b) - most)))
}
