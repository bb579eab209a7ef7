// The fixtures from Keras: reads them, turns their descriptions into objects of this library, compares.

import { readFileSync } from 'node:fs'
import { expect } from 'vitest'
import { tensor, type Tensor } from '../../src'
import type { Config, Json } from '../../src/core/registry'
import type { ConfigValue, Described, FixtureTensor } from '../golden/format'
import type { FixtureName } from './not-yet'

/** |received − expected| ≤ tolerance · (1 + |expected|). */
export const TOLERANCE = 1e-5

export function readFixture<File>(
  name:
    | FixtureName
    | 'attention'
    | 'classes'
    | 'control'
    | 'preprocessing'
    | 'one-cycle'
    | 'order'
    | 'masked-order'
    | 'paths'
    | 'rules'
    | 'regularizers'
    | 'explain'
    | 'feature-space'
    | 'signatures'
    | `${'layers' | 'ops'}/${string}`,
): File {
  const file: File = JSON.parse(readFileSync(new URL(`../golden/${name}.json`, import.meta.url), 'utf8'))
  return file
}

export function toTensor({ data, shape }: FixtureTensor): Tensor {
  return tensor({ data: Float32Array.from(data), shape })
}

function isDescribed(value: ConfigValue): value is Described {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && 'class' in value
}

/** A description as a saved configuration, which every registry takes. */
export function serialized({ class: className, config }: Described): { className: string; config: Config } {
  return {
    className,
    config: Object.fromEntries(Object.entries(config).map(([option, value]) => [option, savedForm(value)])),
  }
}

function savedForm(value: ConfigValue): Json {
  if (isDescribed(value)) return { ...serialized(value) }
  return Array.isArray(value)
    ? value.map((each: ConfigValue | null) => (each === null ? null : savedForm(each)))
    : value
}

/** For titles: `Huber {"delta":0.5}`. */
export function titleOf({ class: className, config }: Described): string {
  return Object.keys(config).length === 0 ? className : `${className} ${JSON.stringify(config)}`
}

/** Compares numbers; the error names the worst one. */
export function expectNear(
  received: ArrayLike<number>,
  expected: ArrayLike<number>,
  where: string,
  tolerance = TOLERANCE,
): void {
  expect(received.length, `${where}: length`).toBe(expected.length)
  let worst = { excess: 0, text: '' }
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs(received[i]! - expected[i]!) / (1 + Math.abs(expected[i]!))
    // Not `error > …`: NaN must fail.
    if (error <= tolerance || error < worst.excess) continue
    worst = {
      excess: error,
      text: `[${i}] expected ${expected[i]}, received ${received[i]}, off by ${error.toExponential(2)}`,
    }
  }
  expect(worst.text, where).toBe('')
}

/** Compares a tensor with a stored one: the shape, and each element. */
export function expectTensor(received: Tensor, expected: FixtureTensor, where: string, tolerance = TOLERANCE): void {
  expect(received.shape, `${where}: shape`).toEqual(expected.shape)
  expectNear(received.data, expected.data, where, tolerance)
}
