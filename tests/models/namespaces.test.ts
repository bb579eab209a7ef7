// The namespaces have what is exported flat, and nothing is there twice.
// modes: simd

import { expect, it } from 'vitest'
import * as myelin from '../../src'

it.each(['layers', 'optimizers', 'schedules', 'callbacks'] as const)('%s', (name) => {
  const namespace: Readonly<Record<string, unknown>> = { ...myelin[name] }
  const flat: Readonly<Record<string, unknown>> = { ...myelin }
  const classes = Object.entries(namespace).filter(([key, value]) => typeof value === 'function' && /^[A-Z]/.test(key))
  expect(classes.length).toBeGreaterThan(5)
  for (const [key, value] of classes) expect(flat[key], key).toBe(value)
})
