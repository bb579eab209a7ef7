// The parameters of every op compared with Keras: names, order and defaults. Ours are read from the sources; calls with
// only the required arguments verify the defaults.

import ts from 'typescript'
import { describe, expect, it } from 'vitest'
import { ops, random, tensor } from '../../src'
import { flatten } from '../../src/core/tree'
import type { Tree } from '../../src/core/tree'
import type { Tensor } from '../../src'
import type { SignatureDefault, SignatureParameter, SignaturesFile, StoredTensor } from '../golden/format'
import { expectTable } from '../helpers/documented'
import { readFixture } from '../helpers/golden'

const { signatures, calls } = readFixture<SignaturesFile>('signatures')

const camelCase = (name: string): string =>
  name
    .replace(/^\*+/, '')
    .replace(/_+$/, '')
    .replace(/_(\w)/g, (_all, letter: string) => letter.toUpperCase())

// ---------------------------------------------------------------- intended differences

/** Parameters of Keras that an op lacks, and why. */
const LEFT_OUT: readonly {
  readonly parameters: readonly string[]
  readonly ops?: readonly string[]
  readonly why: string
}[] = [{ parameters: ['kwargs'], why: 'holds options of former versions of Keras' }]

/** Further parameters that Keras does not have, and why. */
const ADDED: Readonly<Record<string, readonly string[]>> = {
  // all reductions have it
  countNonzero: ['keepDims'],
  average: ['keepDims'],
  // second names of max and min, which have it in Keras
  amax: ['initial'],
  amin: ['initial'],
  // as in Keras's layers and in lax.conv_general_dilated
  conv: ['groups'],
}

/** Defaults that differ from Keras, and why. */
const DEFAULTS: Readonly<Record<string, string>> = {
  'arange step': 'null is 1',
}

// ---------------------------------------------------------------- our side, from the sources

const index = 'src/ops/index.ts'
const modules = { ops: index, image: 'src/ops/image/index.ts', random: 'src/ops/random/random.ts' } as const
type Namespace = keyof typeof modules
const program = ts.createProgram(Object.values(modules), {
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  noLib: true,
  types: [],
})
const checker = program.getTypeChecker()
const sources = program.getSourceFiles().filter(({ fileName }) => fileName.includes('src/ops/'))

const interfaces = new Map(
  sources.flatMap(({ statements }) =>
    statements.flatMap((each) => (ts.isInterfaceDeclaration(each) ? [[each.name.text, each] as const] : [])),
  ),
)

/** The names of the options that an interface declares or inherits. */
function membersOf(name: string): string[] {
  const found = interfaces.get(name)
  if (found === undefined) return []
  const bases = (found.heritageClauses ?? []).flatMap(({ types }) =>
    types.flatMap(({ expression }) => membersOf(expression.getText())),
  )
  const own = found.members.flatMap((each) => (each.name === undefined ? [] : [each.name.getText()]))
  return [...new Set([...own, ...bases])]
}

interface Ours {
  readonly parameters: readonly ts.ParameterDeclaration[]
  readonly text: string
  readonly source: ts.SourceFile
}

const exported = (namespace: object): string[] =>
  Object.entries(namespace).flatMap(([name, value]) =>
    typeof value === 'function' && !/^[A-Z]/.test(name) ? [name] : [],
  )

/** The function that a module exports under a name, which may be a second name of it. */
function find(name: string, module: string): Ours {
  const found = checker
    .getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(module)!)!)
    .find((each) => each.name === name)
  expect(found, `the export ${name}`).toBeDefined()
  const isAlias = (found!.flags & ts.SymbolFlags.Alias) !== 0
  const { declarations = [] } = isAlias ? checker.getAliasedSymbol(found!) : found!
  for (const each of declarations) {
    const made = ts.isVariableDeclaration(each) ? each.initializer : each
    if (made === undefined || !(ts.isFunctionDeclaration(made) || ts.isArrowFunction(made))) continue
    if (made.body !== undefined)
      return { parameters: [...made.parameters], text: made.body.getText(), source: made.getSourceFile() }
  }
  throw new Error(`${name} is not declared as a function`)
}

/** Positional parameters, and the options of an object in place of the object. */
function namesOf({ parameters }: Ours): { readonly positional: string[]; readonly options: string[] } {
  const positional: string[] = []
  const options: string[] = []
  for (const { name, type } of parameters) {
    if (name.getText() !== 'options') positional.push(name.getText())
    const text = type?.getText() ?? ''
    for (const word of text.match(/\b\w+Options\b/g) ?? []) options.push(...membersOf(word))
  }
  return { positional, options: options.filter((name) => !positional.includes(name)) }
}

/** `keepDims` and `minlength` are options, which any spelling names; `function_` is a word of JavaScript. */
const same = (ours: string, theirs: string): boolean => camelCase(ours).toLowerCase() === theirs.toLowerCase()

/** Keras's parameters without those that this library omits. */
function expectedOf(name: string, kerasName: string, namespace: Namespace): SignatureParameter[] {
  return signatures[namespace][kerasName]!.filter(([parameter]) =>
    LEFT_OUT.every(
      ({ parameters, ops: only }) =>
        !parameters.includes(camelCase(parameter)) || !(only === undefined || only.includes(name)),
    ),
  )
}

/**
 * The default of a parameter, from its function or the tables of its file; undefined if neither has one. The value
 * after `??` also replaces null.
 */
function defaultOf({ text, source }: Ours, name: string, initial: SignatureDefault | undefined): string | undefined {
  const value = String.raw`(-?\d[\d.e-]*|true|false|null|'\w+'|\[[^\]]*\])`
  const own = [
    new RegExp(String.raw`\b${name} \?\? ${value}`),
    new RegExp(String.raw`read(?:OneAxis|AxisOnly)\('\w+', ${name}, ${value}\)`),
  ]
  const inTables = new RegExp(String.raw`\b${name}: option\((?:[^()]|\([^()]*(?:\([^()]*\))?[^()]*\))*, ${value}\)`)
  const tables = [...text.matchAll(/\b\w*[tT]able\b/g)].map(([table]) => table)
  const tableTexts = tables.flatMap((table) =>
    sources.flatMap((each) =>
      (each === source ? [each.getText()] : []).flatMap((all) => {
        const at = all.indexOf(`const ${table} =`)
        return at < 0 ? [] : [all.slice(at, all.indexOf('\n\n', at))]
      }),
    ),
  )
  for (const pattern of own) {
    const found = pattern.exec(text)
    if (found !== null) return initial === null && found[0].includes('??') ? undefined : found[1]
  }
  for (const all of [text, ...tableTexts]) {
    const found = inTables.exec(all)
    if (found !== null) return found[1]
  }
  return undefined
}

const theirs = (namespace: Namespace, name: string): string | undefined =>
  Object.keys(signatures[namespace]).find((each) => camelCase(each) === name)

const compared = (
  [
    ['ops', ops],
    ['image', ops.image],
    ['random', random],
  ] as const
).flatMap(([namespace, functions]) =>
  exported(functions).flatMap((name) => {
    const kerasName = theirs(namespace, name)
    return kerasName === undefined || signatures[namespace][kerasName] === undefined
      ? []
      : [{ title: `${namespace}.${name}`, namespace, name, kerasName }]
  }),
)

describe('parameters of ops and Keras', () => {
  it.each(compared)('$title', ({ namespace, name, kerasName }) => {
    const ours = find(name, modules[namespace])
    // `length`, which detects surplus arguments, does not count a parameter with a default value
    expect(ours.parameters.filter(({ initializer }) => initializer !== undefined).length, 'default values').toBe(0)
    const expected = expectedOf(name, kerasName, namespace)
    const { positional, options } = namesOf(ours)
    const added = ADDED[name] ?? []
    positional.forEach((own, i) => {
      const other = expected[i]
      if (other === undefined && added.includes(own)) return
      expect(other !== undefined && same(own, camelCase(other[0])), `${own} in the place of ${other?.[0]}`).toBe(true)
    })
    for (const [other] of expected.slice(positional.length))
      expect(
        options.some((own) => same(own, camelCase(other))),
        `the option ${other}`,
      ).toBe(true)
    for (const own of options)
      expect(
        added.includes(own) || expected.some(([other]) => same(own, camelCase(other))),
        `${own}, which Keras has`,
      ).toBe(true)
    for (const [other, initial] of expected.filter((each) => each.length === 2)) {
      const own = [...positional, ...options].find((each) => same(each, camelCase(other)))!
      const found = defaultOf(ours, own, initial)
      if (found === undefined || DEFAULTS[`${name} ${own}`] !== undefined) continue
      expect(JSON.parse(found.replace(/'/g, '"')), `the default of ${own}`).toEqual(initial)
    }
  })
})

it('docs/checks.md has the numbers', () => {
  const rows = (['ops', 'image', 'random'] as const).map((namespace) => {
    const functions = compared.filter((each) => each.namespace === namespace)
    const all = functions.map(({ name, kerasName }) => ({
      name,
      expected: expectedOf(name, kerasName, namespace),
      whole: signatures[namespace][kerasName]!,
    }))
    const pairs = (of: (each: (typeof all)[number]) => number): number => all.reduce((sum, each) => sum + of(each), 0)
    const names = new Set(all.map(({ name }) => name))
    return [
      `\`keras.${namespace === 'image' ? 'ops.image' : namespace}\``,
      all.length,
      pairs(({ expected }) => expected.length),
      pairs(({ whole, expected }) => whole.length - expected.length),
      pairs(({ name }) => ADDED[name]?.length ?? 0),
      pairs(({ expected }) => expected.filter(({ length }) => length === 2).length),
      Object.keys(DEFAULTS).filter((each) => names.has(each.split(' ')[0]!)).length,
      namespace === 'ops' ? calls.filter(({ op }) => functions.some(({ kerasName }) => kerasName === op)).length : 0,
    ]
  })
  const head = ['functions', 'parameters', 'left out', 'added', 'defaults', 'other defaults', 'results']
  expectTable('docs/checks.md', 'signatures', ['', ...head], rows)
})

// ---------------------------------------------------------------- calls

const isStored = (value: unknown): value is StoredTensor =>
  typeof value === 'object' && value !== null && 'dtype' in value && 'data' in value

function given(value: unknown): unknown {
  if (isStored(value)) return tensor({ ...value, data: value.data.map(Number) })
  return Array.isArray(value) ? value.map(given) : value
}

const ourName = new Map(compared.map(({ name, kerasName }) => [kerasName, name]))

const tested = calls.filter(({ op }) => ourName.has(op))

describe('calls with Keras’s defaults', () => {
  it.each(tested.map((call, i) => ({ title: `${call.op} ${i}`, call })))(
    '$title',
    ({ call: { op, given: all, outputs } }) => {
      const name = ourName.get(op)!
      const result: unknown = Reflect.apply(Reflect.get(ops, name), undefined, all.map(given))
      const found = flatten(result as Tree<Tensor>)
      expect(found.length).toBe(outputs.length)
      found.forEach((each, i) => {
        const { dtype, shape, data } = outputs[i]!
        expect(each.dtype, 'dtype').toBe(dtype)
        expect(each.shape, 'shape').toEqual(shape)
        data.map(Number).forEach((x, at) => {
          const own = each.data[at]!
          const isNear = Object.is(x, own) || Math.abs(x - own) <= 1e-5 * (1 + Math.abs(x))
          expect(isNear, `element ${at}: expected ${x}, received ${own}`).toBe(true)
        })
      })
    },
  )
})

describe('the optional arguments of ops are also read by name', () => {
  const named = tested.flatMap(({ op, given: all }) => {
    const name = ourName.get(op)!
    const { positional, options } = namesOf(find(name, modules.ops))
    return expectedOf(name, op, 'ops')
      .slice(all.length)
      .flatMap(([parameter, initial]) => {
        const own = [...positional, ...options].find((each) => same(each, camelCase(parameter)))
        return own === undefined || initial === undefined ? [] : [{ name, own, initial, all: all.map(given) }]
      })
  })
  it('of most ops', () => {
    expect(named.length).toBeGreaterThan(150)
  })
  it.each(named.map((each) => ({ title: `${each.name} { ${each.own}: ${JSON.stringify(each.initial)} }`, each })))(
    '$title',
    ({ each: { name, own, initial, all } }) => {
      const call = (...options: readonly unknown[]): unknown =>
        Reflect.apply(Reflect.get(ops, name), undefined, [...all, ...options])
      const plain = flatten(call() as Tree<Tensor>)
      const byName = flatten(call({ [own]: initial }) as Tree<Tensor>)
      expect(byName.map(({ dtype, shape, data }) => ({ dtype, shape, data }))).toEqual(
        plain.map(({ dtype, shape, data }) => ({ dtype, shape, data })),
      )
      expect(() => call({ [`${own}Z`]: initial })).toThrow()
    },
  )
})
