// How similar two vectors are.

/** @param a and b of the same length */
export type Similarity = (a: ArrayLike<number>, b: ArrayLike<number>) => number

function total(a: ArrayLike<number>, b: ArrayLike<number>, term: (x: number, y: number) => number): number {
  let result = 0
  for (let i = 0; i < a.length; i++) result += term(a[i]!, b[i]!)
  return result
}

const dot: Similarity = (a, b) => total(a, b, (x, y) => x * y)

/** By the names of sentence-transformers; distances are negative, so that more is always more similar. */
export const SIMILARITIES: Readonly<Record<string, Similarity>> = {
  cosine: (a, b) => {
    const lengths = Math.sqrt(dot(a, a) * dot(b, b))
    return lengths === 0 ? 0 : dot(a, b) / lengths
  },
  dot,
  euclidean: (a, b) => -Math.sqrt(total(a, b, (x, y) => (x - y) ** 2)),
  manhattan: (a, b) => -total(a, b, (x, y) => Math.abs(x - y)),
}
