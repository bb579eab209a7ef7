// ops.rearrange refuses patterns that it cannot follow. Its results are compared with Keras in golden.test.ts.
// modes: simd

import { expect, it } from 'vitest'
import { Input, Model, ops } from '../../src'

const x = ops.reshape(ops.arange(24), [2, 3, 4])

it.each<[pattern: string, lengths: Record<string, number> | undefined, message: string]>([
  ['a b c', undefined, 'the pattern must have two sides'],
  ['a -> b -> c', undefined, 'the pattern must have two sides'],
  ['a b c -> a b', undefined, "the axis 'c' is on one side only"],
  ['a b -> a b c', undefined, "the axis 'c' is on one side only"],
  ['a b c -> a b c c', undefined, "'c' in 'a b c c' is there twice"],
  ['a b c -> a 1 b c', undefined, "'1' in 'a 1 b c' is not the name of an axis"],
  ['a ... -> ... a', undefined, "'...' in 'a ...' is not the name of an axis"],
  ['a () b c -> a b c', undefined, "'()' in 'a () b c' is not the name of an axis"],
  ['a (b c -> a b c', undefined, "'(' in 'a (b c' is not the name of an axis"],
  ['a ((b) c) -> a b c', undefined, "'(' in 'a ((b) c)' is not the name of an axis"],
  ['a b -> b a', undefined, "the pattern 'a b -> b a' is for 2 axes, received the shape [2, 3, 4]"],
  ['a b (c d) -> a b c d', undefined, 'axesLengths must have all axes of (c d) but one; it lacks c and d'],
  ['a b (c d) -> a b c d', { c: 3 }, 'the axis (c d) must have 3 · d elements, received 4'],
  ['a b (c d) -> a b c d', { c: 0 }, 'the axis (c d) must have 0 · d elements, received 4'],
  ['a b (c d) -> a b c d', { c: 2, d: 3 }, 'the axis (c d) must have 2 · 3 elements, received 4'],
  ['a b c -> c b a', { b: 4 }, 'the axis (b) must have 4 elements, received 3'],
  ['a b c -> c b a', { d: 4 }, "axesLengths has 'd', which is not an axis"],
  ['a b (c d) -> a b c d', { c: 0.5 }, 'axesLengths.c'],
])('%s %j', (pattern, lengths, message) => {
  expect(() => ops.rearrange(x, pattern, lengths)).toThrow(`rearrange: ${message}`)
})

it('takes symbols of a model, with any number of rows', () => {
  const image = Input([4, 6, 1])
  const patches = ops.rearrange(image, 'b (h p) (w q) c -> b (h w) (p q c)', { p: 2, q: 3 })
  const model = new Model({ inputs: image, outputs: patches })
  expect(patches.shape.slice(1)).toEqual([4, 6])
  const rows = ops.reshape(ops.arange(48), [2, 4, 6, 1])
  const [first] = model.predictOnBatch(rows).toArray<number[][][]>()
  expect(first![1]).toEqual([3, 4, 5, 9, 10, 11])
})
