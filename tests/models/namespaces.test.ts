// The namespaces have the flat exports, without duplicates.
// modes: simd

import { expect, it } from 'vitest'
import * as myelin from '../../src'

const { layers, optimizers, schedules, callbacks } = myelin

it.each<[string, object]>(Object.entries({ layers, optimizers, schedules, callbacks }))('%s', (_name, namespace) => {
  const flat: Readonly<Record<string, unknown>> = { ...myelin }
  const classes = Object.entries<unknown>(namespace as Record<string, unknown>).filter(
    ([key, value]) => typeof value === 'function' && /^[A-Z]/.test(key),
  )
  expect(classes.length).toBeGreaterThan(5)
  for (const [key, value] of classes) expect(flat[key], key).toBe(value)
})
