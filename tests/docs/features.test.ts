// The tables of docs/features.md are complete: every name in them is exported, and every class with a name is in them.
// modes: simd

import { describe, expect, it } from 'vitest'
import * as myelin from '../../src'
import { getActivation } from '../../src/parts/activations'
import { classesIn } from '../../src/core/registry'
import { readDocument } from '../helpers/documented'
import { errorOf } from '../helpers/training'

const [overview, ofLayers] = readDocument('docs/features.md').split('## Layers')
/** The rows of the overview: the topic and the text of each. */
const rows = new Map([...overview!.matchAll(/^\| ([a-z ]+) \| (.*) \|$/gm)].map(([, head, text]) => [head!, text!]))
const layerRows = ofLayers!.split('##')[0]!

/** The classes in `text`: those in backticks; a name without one is completed by `1D`, `2D` and `3D` behind it. */
function namesIn(text: string, exported: object): string[] {
  const words = [...text.matchAll(/`(\w+)`/g)].map(([, word]) => word!)
  return words
    .filter((word) => /^[A-Z]/.test(word))
    .flatMap((word) => (word in exported ? [word] : ['1D', '2D', '3D'].map((suffix) => word + suffix)))
}

const ownOnly = (names: readonly string[]): string[] => names.filter((name) => !name.startsWith('Lambda'))
const scheduleNames = Object.keys(classesIn(myelin.schedules))

describe('a row has all', () => {
  const { constraints, regularizers, schedules, optimizers } = myelin
  it.each<[string, object, readonly string[]]>([
    ['constraints', constraints, Object.keys(classesIn(constraints))],
    ['regularizers', regularizers, Object.keys(classesIn(regularizers))],
    ['schedules', schedules, scheduleNames],
    // "groups of weights" is in words.
    [
      'optimizers',
      optimizers,
      Object.keys(classesIn(optimizers)).filter((name) => ![...scheduleNames, 'ParameterGroup'].includes(name)),
    ],
  ])('%s', (row, exported, names) => {
    expect(namesIn(rows.get(row)!, exported).sort()).toEqual(ownOnly(names).sort())
  })

  it('layers', () => {
    expect([...new Set(namesIn(layerRows, myelin.layers))].sort()).toEqual(Object.keys(classesIn(myelin.layers)).sort())
  })

  it('activations', async () => {
    const { message } = await errorOf(async () => getActivation('no activation has this name'))
    const known = /Known: (.*)$/.exec(message)![1]!.split(', ')
    const words = rows.get('activations')!.match(/\w+/g)!
    expect(words.filter((word) => !['or', 'a', 'function'].includes(word)).sort()).toEqual(known.sort())
  })

  const { losses, metrics } = myelin
  it.each<[string, object]>(Object.entries({ losses, metrics }))('%s, as far as it names classes', (row, exported) => {
    const names = namesIn(rows.get(row)!, exported)
    expect(names.length).toBeGreaterThan(3)
    for (const name of names) expect(exported, name).toHaveProperty(name)
  })
})
