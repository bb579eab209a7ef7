// Every public name of Keras is here under its name in camelCase, or under another stated name, or is left out with a
// reason.
// modes: simd

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { kerasDocument } from '../../scripts/keras-document.mjs'
import { ELSEWHERE, LEFT_OUT, NAMESPACES, PARTS_OF_OPS, entriesOf, ownPath } from '../../scripts/keras-table.mjs'
import * as myelin from '../../src'
import * as data from '../../src/entries/data'
import { readDocument } from '../helpers/documented'

interface KerasName {
  readonly kind: string
  readonly first?: string
}
const { modules } = JSON.parse(readFileSync(new URL('../golden/keras-names.json', import.meta.url), 'utf8')) as {
  readonly modules: Readonly<Record<string, Readonly<Record<string, KerasName>>>>
}
const entries = entriesOf(modules)

/** The export at a path such as `ops.add` or `myelin/data.splitDataset`; undefined if there is none. */
function exportAt(path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>(
      (value, name) => (typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined),
      { ...myelin, 'myelin/data': data },
    )
}

const titled = entries.map((entry) => ({ title: `${entry.module}.${entry.name}`, entry }))
const present = titled.filter(({ entry: { ours } }) => ours !== null)

describe('a name of Keras is exported', () => {
  it.each(present)('$title', ({ entry: { ours, kind } }) => {
    const found = exportAt(ours!)
    expect(found, ours!).toBeDefined()
    if (kind !== 'value') expect(typeof found).toBe(kind === 'module' ? 'object' : 'function')
  })
})

describe('a second name is the same class', () => {
  const seconds = present.filter(({ entry: { kind, first } }) => kind === 'class' && first !== undefined)
  it.each(seconds)('$title', ({ entry: { module, first, ours } }) => {
    expect(exportAt(ours!)).toBe(exportAt(`${NAMESPACES[module]}.${first}`))
  })
})

it('no name that is left out exists', () => {
  const left = titled.filter(({ entry: { module, ours } }) => ours === null && NAMESPACES[module] !== undefined)
  const found = left.filter(({ entry: { module, name } }) => exportAt(ownPath(module, name)) !== undefined)
  expect(found.map(({ title }) => title)).toEqual([])
})

describe('the tables name only what Keras has', () => {
  const known = new Set([...titled.map(({ title }) => title), ...PARTS_OF_OPS])
  it('ELSEWHERE', () => {
    expect(Object.keys(ELSEWHERE).filter((key) => !known.has(key))).toEqual([])
  })
  it('LEFT_OUT', () => {
    const named = LEFT_OUT.flatMap(({ module, names = [] }) => [...(module === undefined ? [] : [module]), ...names])
    expect(named.filter((key) => !known.has(key) && modules[key] === undefined)).toEqual([])
  })
  it('every module has a namespace or is left out', () => {
    const left = LEFT_OUT.flatMap(({ module }) => module ?? [])
    expect([...Object.keys(NAMESPACES), ...PARTS_OF_OPS, ...left].sort()).toEqual(Object.keys(modules).sort())
  })
})

it.each(PARTS_OF_OPS)('keras.%s has only names of keras.ops', (module) => {
  expect(Object.keys(modules[module]!).filter((name) => modules['ops']![name] === undefined)).toEqual([])
})

it('docs/keras.md is current: npm run keras', () => {
  expect(readDocument('docs/keras.md')).toBe(kerasDocument())
})
