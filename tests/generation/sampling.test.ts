// Draws from the scores of tokens: each limit keeps the tokens that its definition names, with their probabilities.

import { describe, expect, it } from 'vitest'
import { sampleFrom, type Sampling } from '../../src/generation/sampling'

/** A generator of numbers in [0, 1). */
function uniforms(seed: number): () => number {
  let state = seed
  return () => (state = (state * 1_103_515_245 + 12_345) % 2 ** 31) / 2 ** 31
}

/** The tokens that can be drawn, likeliest first, and their weights: by sorting all. */
function kept(scores: Float32Array, { temperature, topK, topP, minP }: Sampling): [token: number, weight: number][] {
  const most = Math.max(...scores)
  const ranked = [...scores]
    .map((score, token): [number, number] => [token, Math.exp((score - most) / temperature)])
    .sort((a, b) => b[1] - a[1] || a[0] - b[0])
    .slice(0, topK ?? scores.length)
    .filter(([, weight]) => weight > 0 && weight >= (minP ?? 0))
  if (topP === null) return ranked
  const reach = topP * ranked.reduce((sum, [, weight]) => sum + weight, 0)
  let sum = 0
  return ranked.filter(([, weight]) => {
    const isKept = sum < reach
    sum += weight
    return isKept
  })
}

function drawn(tokens: readonly [number, number][], uniform: number): number {
  let left = uniform * tokens.reduce((sum, [, weight]) => sum + weight, 0)
  return (tokens.find(([, weight]) => (left -= weight) < 0) ?? tokens.at(-1)!)[0]
}

const NONE: Sampling = { temperature: 1, topK: null, topP: null, minP: null, repetitionPenalty: 1 }
const LIMITS: readonly Partial<Sampling>[] = [
  {},
  { topK: 1 },
  { topK: 7 },
  { topK: 5000 },
  { topP: 0.1 },
  { topP: 0.9 },
  { topP: 0.999 },
  { minP: 0.05 },
  { minP: 1 },
  { topK: 40, topP: 0.95 },
  { topK: 40, minP: 0.2, topP: 0.5 },
  { temperature: 0.2, topP: 0.95 },
  { temperature: 30, topP: 0.95 },
]
const SCORES: Readonly<Record<string, (next: () => number, i: number) => number>> = {
  'of a flat model': (next) => next(),
  'of a peaked model': (next) => -30 * next() ** 0.1,
  'with ties': (next) => Math.floor(4 * next()),
  'with tokens that cannot come': (next, i) => (i % 3 === 0 ? -Infinity : 10 * next()),
  'of a large range': (next) => 2000 * next() - 1000,
}

describe.each(Object.entries(SCORES))('scores %s', (_title, scoreOf) => {
  it.each(LIMITS)('draws the tokens of the definition: %o', (limits) => {
    const next = uniforms(7)
    for (const count of [1, 2, 50, 3000]) {
      const scores = Float32Array.from({ length: count }, (_, i) => scoreOf(next, i + 1))
      const sampling = { ...NONE, ...limits }
      const tokens = kept(scores, sampling)
      // Without a limit tokens are drawn in the order of their indices.
      if (Object.keys(limits).length === 0) tokens.sort((a, b) => a[0] - b[0])
      for (const uniform of [0, 0.1, 0.5, next(), next(), 0.999])
        expect(sampleFrom(scores, sampling, uniform, [])).toBe(drawn(tokens, uniform))
    }
  })
})

it.each([...LIMITS, { topP: 1 }, { topK: 3000, topP: 1 }])(
  'draws no token that cannot come, at the end of a sum: %o',
  (limits) => {
    const next = uniforms(11)
    const scores = Float32Array.from({ length: 3000 }, (_, i) => (i % 2 === 0 ? 5 * next() : -Infinity))
    for (const uniform of [0, 1 - 2 ** -52, 1 - 2 ** -53])
      expect(scores[sampleFrom(scores, { ...NONE, ...limits }, uniform, [])]).toBeGreaterThanOrEqual(0)
  },
)

it('draws from the 50,000 scores of a large vocabulary in a few milliseconds', () => {
  const next = uniforms(3)
  const scores = Float32Array.from({ length: 50_000 }, () => 8 * next())
  const sampling = { ...NONE, topK: 50, topP: 0.9 }
  const times = Array.from({ length: 20 }, () => {
    const from = performance.now()
    sampleFrom(scores, sampling, next(), [])
    return performance.now() - from
  })
  expect(Math.min(...times)).toBeLessThan(15)
})
