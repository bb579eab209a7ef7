// modes: simd
import { describe, expect, it } from 'vitest'
import type { ActivationsFile, OptimizersFile, TrajectoriesFile } from '../golden/format'
import { readFixture } from './golden'
import { notYet, type FixtureName } from './not-yet'

/** The name of every case, and its text. */
const stored: { [File in FixtureName]?: [name: string, text: string][] } = {
  activations: readFixture<ActivationsFile>('activations').cases.map((each) => [
    `${each.activation} ${JSON.stringify(each.config)}`,
    JSON.stringify(each.config),
  ]),
  optimizers: readFixture<OptimizersFile>('optimizers').cases.map((each) => [
    each.name,
    JSON.stringify(each.optimizer),
  ]),
  trajectories: readFixture<TrajectoriesFile>('trajectories').cases.map((each) => [each.name, JSON.stringify(each)]),
}

describe('the list of missing features', () => {
  it.each(notYet)('has exactly the cases that use $option', ({ option, cases }) => {
    for (const [file, all] of Object.entries(stored)) {
      const using = all.filter(([, text]) => text.includes(`"${option}"`)).map(([name]) => name)
      expect(new Map(Object.entries(cases)).get(file) ?? [], file).toEqual(using)
    }
  })
})
