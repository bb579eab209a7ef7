// Options by position: for every class, their order is that of Keras's signature, at run time and in the types.
// modes: simd

import ts from 'typescript'
import { describe, expect, it } from 'vitest'
import {
  callbacks,
  constraints,
  initializers,
  layers,
  losses,
  metrics,
  optimizers,
  regularizers,
  schedules,
} from '../../src'
import { normalizeName } from '../../src/core/errors'
import { optionsOf, positionsOf } from '../../src/core/options'
import { readFixture } from '../helpers/golden'

const modules: Readonly<Record<string, object>> = {
  layers,
  losses,
  metrics,
  optimizers,
  schedules,
  initializers,
  regularizers,
  constraints,
  callbacks,
}

type Space = Record<string, readonly string[]>
const { keras: _version, ...spaces } = readFixture<Record<string, Space>>('classes')

/** Bases that users subclass, whose options come in the order of their own tables. */
const BASES = new Set(['Layer', 'Wrapper', 'Loss', 'Metric', 'Optimizer', 'Callback'])
/** Other parameters than Keras's: groups of weights; a record of methods. */
const OTHER = new Set(['MultiOptimizer', 'LambdaCallback'])

interface Row {
  readonly space: string
  readonly name: string
  readonly of: Function
  readonly keras: readonly string[]
}

const rows = Object.entries(spaces).flatMap(([space, classes]) => {
  const module = new Map<string, unknown>(Object.entries(modules[space]!))
  return Object.entries(classes).flatMap(([name, keras]): Row[] => {
    const of = module.get(name)
    return typeof of === 'function' && 'declare' in of && !BASES.has(name) && !OTHER.has(name)
      ? [{ space, name, of, keras: keras.map(normalizeName) }]
      : []
  })
})

/** The names of Keras's leading parameters that a class has as options. */
function known({ of, keras }: Row): readonly string[] {
  const options = Object.keys(optionsOf(of)).map(normalizeName)
  const end = keras.findIndex((each) => !options.includes(each))
  return end < 0 ? keras : keras.slice(0, end)
}

/** The names in the types, by `space.class`. */
function typedPositions(): ReadonlyMap<string, readonly string[]> {
  const { config } = ts.readConfigFile('tsconfig.json', (path) => ts.sys.readFile(path))
  const program = ts.createProgram(['src/index.ts'], ts.parseJsonConfigFileContent(config, ts.sys, '.').options)
  const checker = program.getTypeChecker()
  const index = checker.getSymbolAtLocation(program.getSourceFile('src/index.ts')!)!
  const found = new Map<string, readonly string[]>()
  for (const space of checker.getExportsOfModule(index)) {
    if (!(space.name in spaces)) continue
    for (const each of checker.getExportsOfModule(checker.getAliasedSymbol(space))) {
      const symbol = each.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(each) : each
      if (symbol.valueDeclaration === undefined || !ts.isClassLike(symbol.valueDeclaration)) continue
      const positional = checker.getTypeOfSymbol(symbol).getProperty('positional')
      if (positional === undefined) continue
      const type = checker.getNonNullableType(checker.getTypeOfSymbol(positional))
      const names = checker.isTupleType(type) ? checker.getTypeArguments(type as ts.TypeReference) : []
      found.set(
        `${space.name}.${each.name}`,
        names.map((name) => (name.isStringLiteral() ? name.value : checker.typeToString(name))),
      )
    }
  }
  return found
}

describe('options by position', () => {
  it('are tested for the classes of all namespaces', () => {
    expect(rows.length).toBeGreaterThan(200)
  })

  it.each(rows.map((row): [string, Row] => [`${row.space}.${row.name}`, row]))(
    "of %s come in Keras's order",
    (_title, row) => {
      const own = positionsOf(row.of).map(normalizeName)
      // Keras's order, as far as both have names.
      const shared = Math.min(own.length, row.keras.length)
      expect(own.slice(0, shared)).toEqual(row.keras.slice(0, shared))
      // The first option of Keras can be passed by position.
      expect(own.length).toBeGreaterThanOrEqual(Math.min(1, known(row).length))
    },
  )

  it('of classes of the library are options', () => {
    for (const { of, name } of rows) {
      const options = Object.keys(optionsOf(of))
      for (const each of positionsOf(of)) expect(options, name).toContain(each)
    }
  })

  it('have the same order in the types', () => {
    const typed = typedPositions()
    const lacking = rows.filter(({ space, name, of }) => {
      const names = typed.get(`${space}.${name}`) ?? []
      const own = positionsOf(of)
      const isPrefix = names.every((each, i) => each === own[i])
      return !isPrefix || (names.length === 0) !== (own.length === 0)
    })
    expect(lacking.map(({ space, name }) => `${space}.${name}: ${typed.get(`${space}.${name}`)?.join()}`)).toEqual([])
  })
})
