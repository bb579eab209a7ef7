// Beam search: keeps the likeliest sequences of each length, and returns the likeliest that has ended. Draws nothing.

import { penalized } from './sampling'

/** Scores sequences of equal length, of which some continue others. */
export interface BeamScorer {
  next(sequences: readonly (readonly number[])[]): Promise<Float32Array[]>
  /** The sequences that follow continue those with these indices. */
  reorder(from: readonly number[]): void
}

export interface BeamOptions {
  readonly beams: number
  readonly maxTokens: number
  readonly stops: ReadonlySet<number>
  /** Sums of logarithms are divided by length ^ lengthPenalty: above 0 favours long sequences. */
  readonly lengthPenalty: number
  readonly repetitionPenalty: number
  /** Whether the search ends now, with the best sequence so far. */
  readonly isOver: () => boolean
}

interface Beam {
  readonly tokens: readonly number[]
  /** The sum of the logarithms of the probabilities of its new tokens. */
  readonly sum: number
}

interface Candidate extends Beam {
  readonly parent: number
}

/**
 * The likeliest continuation, as in transformers with early_stopping false.
 * @returns the new tokens
 */
export async function beamSearch(
  scorer: BeamScorer,
  prompt: readonly number[],
  { beams, maxTokens, stops, lengthPenalty, repetitionPenalty, isOver }: BeamOptions,
): Promise<number[]> {
  const value = (sum: number, length: number): number => sum / length ** lengthPenalty
  let open: readonly Beam[] = [{ tokens: prompt, sum: 0 }]
  let ended: { readonly tokens: readonly number[]; readonly value: number }[] = []
  for (let length = 1; length <= maxTokens && !isOver(); length++) {
    const rows = await scorer.next(filled(open, beams).map(({ tokens }) => tokens))
    const best = candidates(open, rows, 2 * beams, repetitionPenalty)
    const isEnd = ({ tokens }: Candidate): boolean => stops.has(tokens.at(-1)!)
    for (const candidate of best.slice(0, beams).filter(isEnd))
      ended.push({ tokens: candidate.tokens, value: value(candidate.sum, length) })
    ended = ended.sort((a, b) => b.value - a.value).slice(0, beams)
    const next = best.filter((candidate) => !isEnd(candidate)).slice(0, beams)
    open = next
    const isDecided = ended.length === beams && ended.at(-1)!.value >= value(next[0]?.sum ?? -Infinity, length)
    if (next.length === 0 || isDecided) break
    if (length < maxTokens) scorer.reorder(filled(next, beams).map(({ parent }) => parent))
  }
  const made = Math.max(1, (open[0]?.tokens.length ?? prompt.length) - prompt.length)
  const all = [...ended, ...open.map(({ tokens, sum }) => ({ tokens, value: value(sum, made) }))]
  const isFull = ended.length === beams
  const best = (isFull ? ended : all.sort((a, b) => b.value - a.value))[0]
  return best?.tokens.slice(prompt.length) ?? []
}

/** All beams; while there are fewer than the scorer has rows, the first one stands for the others. */
function filled<Each>(open: readonly Each[], beams: number): Each[] {
  return Array.from({ length: beams }, (_, i) => open[i] ?? open[0]!)
}

/** The likeliest continuations of all beams by one token. */
function candidates(open: readonly Beam[], rows: readonly Float32Array[], count: number, penalty: number): Candidate[] {
  const all: Candidate[] = []
  open.forEach(({ tokens, sum }, parent) => {
    const logs = penalized(logSoftmax(rows[parent]!), penalty, tokens)
    for (const token of largest(logs, count)) all.push({ tokens: [...tokens, token], sum: sum + logs[token]!, parent })
  })
  return all.sort((a, b) => b.sum - a.sum).slice(0, count)
}

function logSoftmax(scores: Float32Array): Float32Array {
  let most = -Infinity
  for (const score of scores) most = Math.max(most, score)
  let total = 0
  for (const score of scores) total += Math.exp(score - most)
  const shift = most + Math.log(total)
  return scores.map((score) => score - shift)
}

/** The indices of the largest numbers, largest first. */
function largest(numbers: Float32Array, count: number): number[] {
  const found: number[] = []
  for (let i = 0; i < numbers.length; i++) {
    if (found.length === count && numbers[i]! <= numbers[found[count - 1]!]!) continue
    let at = found.length
    while (at > 0 && numbers[found[at - 1]!]! < numbers[i]!) at--
    found.splice(at, 0, i)
    if (found.length > count) found.pop()
  }
  return found
}
