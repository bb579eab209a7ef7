// The number of classes between a layer and the base of Layer: layers share functions and values, not base classes.
// modes: simd

import { readFileSync, readdirSync } from 'node:fs'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'
import { layers } from '../../src/layers/registry'
import { WeightOwner } from '../../src/layers/weight-owner'

/** The maximum number of classes between a layer and the base of Layer: Layer, and one that a family or users share. */
const MOST_CLASSES = 2
/** The maximum number of links that `configured` makes, one for each table of options. */
const MOST_LINKS = 4

/** The classes that the files of layers declare. A link of `configured` has no declaration. */
const declared = new Set(
  readdirSync('src/layers', { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .flatMap((name) => {
      const { statements } = ts.createSourceFile(
        name,
        readFileSync(`src/layers/${name}`, 'utf8'),
        ts.ScriptTarget.Latest,
      )
      return statements.filter(ts.isClassDeclaration).map((each) => each.name!.text)
    }),
)

/** The classes between a class and WeightOwner, the base of Layer, from the nearest on. */
function between(of: object): Function[] {
  const found: Function[] = []
  let each = Object.getPrototypeOf(of) as Function
  for (; each !== WeightOwner; each = Object.getPrototypeOf(each) as Function) found.push(each)
  return found
}

describe('the classes between a layer and the base of Layer', () => {
  it('are found', () => {
    const names = between(layers.all['RandomFlip']!).map(({ name }) => name)
    expect(names.filter((name) => declared.has(name))).toEqual(['ImageLayer', 'Layer'])
    expect(names).toHaveLength(4)
  })

  it.each(Object.entries(layers.all))('%s', (_, of) => {
    const links = between(of)
    const classes = links.filter((each) => declared.has(each.name)).map((each) => each.name)
    expect(classes.at(-1)).toBe('Layer')
    expect(classes.length, classes.join(' → ')).toBeLessThanOrEqual(MOST_CLASSES)
    // Each class may have one table of options, which is a link.
    expect(links.length, links.map((each) => each.name).join(' → ')).toBeLessThanOrEqual(MOST_LINKS)
  })
})
