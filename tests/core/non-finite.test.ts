import { expect, it } from 'vitest'
import { hasNonFinite } from '../../src/core/dtypes'

// The first checks use other code than later ones: here both run on the same data.
it.each([0, 1, 3, 4, 5, 100, 4097])('finds NaN and ±Inf anywhere among %i elements', (length) => {
  const finite = Float32Array.from({ length }, (_, i) => (i % 2 === 0 ? 3e38 : -1e-45))
  const places = [...new Set([0, 1, length >> 1, length - 2, length - 1])].filter((at) => at >= 0 && at < length)
  const check = (): void => {
    expect(hasNonFinite(finite)).toBe(false)
    for (const at of places)
      for (const bad of [NaN, Infinity, -Infinity]) expect(hasNonFinite(finite.with(at, bad))).toBe(true)
  }
  check()
  hasNonFinite(new Float32Array(2 ** 17))
  check()
})

it('knows that integers are finite', () => {
  const integers = Int32Array.from([2 ** 31 - 1, -(2 ** 31), 0])
  expect(hasNonFinite(integers)).toBe(false)
})
