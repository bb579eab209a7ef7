// modes: simd
import { describe, expect, it } from 'vitest'
import { losses } from '../../src/losses/registry'
import { optimizers } from '../../src/optimizers/registry'
import type { ActivationsFile, LossesFile, OptimizersFile, TrajectoriesFile } from '../golden/format'
import { readFixture } from './golden'
import type { FixtureName } from './not-yet'
import { notYet, reductionsNotYet } from './not-yet'

/** The name of every case, and its text. */
const stored: { [File in FixtureName]?: [name: string, text: string][] } = {
  activations: readFixture<ActivationsFile>('activations').cases.map((each) => [`${each.activation} ${JSON.stringify(each.config)}`, JSON.stringify(each.config)]),
  optimizers: readFixture<OptimizersFile>('optimizers').cases.map((each) => [each.name, JSON.stringify(each.optimizer)]),
  trajectories: readFixture<TrajectoriesFile>('trajectories').cases.map((each) => [each.name, JSON.stringify(each)]),
}

describe('the list of what is not there yet', () => {
  it.each(notYet)('names exactly the cases that use $option', ({ option, cases }) => {
    for (const [file, all] of Object.entries(stored)) {
      const using = all.filter(([, text]) => text.includes(`"${option}"`)).map(([name]) => name)
      expect(new Map(Object.entries(cases)).get(file) ?? [], file).toEqual(using)
    }
  })

  it.each(notYet.filter(({ cases }) => cases.optimizers !== undefined))('$option is an option that no optimizer has', ({ option }) => {
    for (const className of ['SGD', 'RMSprop', 'Adam', 'AdamW']) {
      expect(() => optimizers.get({ className, config: { [option]: 2 } })).toThrow(new RegExp(`Unknown option of \\w+ '${option}'`))
    }
  })

  it('has the reductions that losses refuse', () => {
    const [first] = readFixture<LossesFile>('losses').cases
    for (const reduction of reductionsNotYet) {
      expect(Object.keys(first!)).toContain(reduction)
      expect(() => losses.get({ className: 'MeanSquaredError', config: { reduction } }).apply([1], [2])).toThrow()
    }
  })
})
