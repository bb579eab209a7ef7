// Every public name is used by a test or a fixture: finds exports without tests.
// modes: simd
import { readFileSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import * as library from '../../src'
import * as explain from '../../src/entries/explain'
import * as search from '../../src/entries/search'
import * as standalone from '../../src/entries/standalone'
import * as thrift from '../../src/entries/thrift'

const folder = fileURLToPath(new URL('..', import.meta.url))
const own = 'exports.test.ts'
const texts = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter(
    (path) => /\.(test\.ts|json)$/.test(path) && !path.endsWith(own) && !/(signatures|keras-names)\.json$/.test(path),
  )
  .map((path) => readFileSync(`${folder}/${path}`, 'utf8').replace(/^import [^']* from '[^']*'$/gm, ''))

/** The names that some text has at the place of the pattern's group. */
function namesAt(pattern: RegExp): Set<string> {
  return new Set(texts.flatMap((text) => Array.from(text.matchAll(pattern), ([, name]) => name!)))
}

const named = namesAt(/\b([A-Za-z_]\w*)\b/g)
/** Constructed, subclassed, described by a fixture, a row of a table, or expected. */
const usedAsClass = [
  namesAt(/new (?:\w+\.)?(\w+)/g),
  namesAt(/extends (?:\w+\.)?(\w+)/g),
  namesAt(/"class": ?"(\w+)"/g),
  namesAt(/\b(\w+), \[/g),
  namesAt(/(?:InstanceOf|toThrow)\((\w+)\)/g),
]

function isClass(value: unknown): boolean {
  return typeof value === 'function' && Function.prototype.toString.call(value).startsWith('class')
}

/** A class must be used as one; for the rest it is enough to be named. */
function isUsed(name: string, value: unknown): boolean {
  return isClass(value) ? usedAsClass.some((names) => names.has(name)) : named.has(name)
}

const groups: [string, Record<string, unknown>][] = [
  ['myelin', { ...library }],
  ['myelin/explain', { ...explain }],
  ['myelin/search', { ...search }],
  ['myelin/standalone', { ...standalone }],
  ['myelin/thrift', { ...thrift }],
  ['ops', { ...library.ops }],
  ['random', { ...library.random }],
  ['losses', { ...library.losses }],
  ['metrics', { ...library.metrics }],
  ['initializers', { ...library.initializers }],
  ['regularizers', { ...library.regularizers }],
  ['layers', { ...library.layers }],
  ['models', { ...library.models }],
  ['saving', { ...library.saving }],
  ['tree', { ...library.tree }],
  ['utils', { ...library.utils }],
]

describe.each(groups)('every name of %s', (_group, names) => {
  it.each(Object.entries(names).map(([name, value]) => ({ name, value })))('$name', ({ name, value }) => {
    // A class may have several names.
    const all = Object.keys(names).filter((each) => names[each] === value)
    expect(
      all.some((each) => isUsed(each, value)),
      `a test that uses ${name}`,
    ).toBe(true)
  })
})

describe('the check itself', () => {
  it('reports missing names', () => {
    expect(isUsed('NoSuchLayerAnywhere', library.Dense)).toBe(false)
    expect(isUsed(['noSuch', 'Function'].join(''), () => 0)).toBe(false)
  })
})
