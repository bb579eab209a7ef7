// Scoped values: they hold while a function runs.
// modes: simd

import { readFileSync, readdirSync } from 'node:fs'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'
import { limitWeights, requireRoom } from '../../src/core/weight-limit'
import { customObject, customObjectScope, describing, nameToSave } from '../../src/core/registry'
import { scoped } from '../../src/core/scope'
import {
  CallContext,
  currentFrame,
  currentPath,
  isInferring,
  whileInferring,
  withFrame,
  withTap,
  withinPath,
  tapped,
} from '../../src/layers/context'
import { inFormerOrder, isFormerOrder } from '../../src/layers/weight-lists'
import { StringTensor } from '../../src/ops/strings'

const fail = (): never => {
  throw new Error('body')
}

describe('a scoped value', () => {
  it('holds within a body, and is restored afterwards', () => {
    const path = scoped<readonly string[]>([])
    const seen = path.within(['a'], () => {
      const inner = path.within(['a', 'b'], () => path.current)
      return [inner, path.current]
    })
    expect(seen).toEqual([['a', 'b'], ['a']])
    expect(path.current).toEqual([])
  })

  it('may be undefined or null within a body, also if its initial value is not', () => {
    const value = scoped<number | null | undefined>(3)
    expect(value.within(undefined, () => value.current)).toBeUndefined()
    expect(value.within(null, () => value.current)).toBeNull()
    expect(value.current).toBe(3)
  })

  it('is restored when a body throws, with all other keys', () => {
    const [first, second] = [scoped(1), scoped('x')]
    expect(() => first.within(2, () => second.within('y', () => first.within(3, fail)))).toThrow('body')
    expect([first.current, second.current]).toEqual([1, 'x'])
  })

  it('does not change other keys', () => {
    const [first, second] = [scoped(1), scoped(1)]
    expect(first.within(2, () => second.within(3, () => [first.current, second.current]))).toEqual([2, 3])
  })

  it('ends when the body returns a promise', async () => {
    const value = scoped(0)
    const later = value.within(1, async () => {
      const before = value.current
      await Promise.resolve()
      return [before, value.current]
    })
    expect(value.current).toBe(0)
    expect(await later).toEqual([1, 0])
  })
})

describe('no key of the library leaks when a body throws', () => {
  const strings = new StringTensor(['a'], [1])
  const cases: Readonly<
    Record<string, { readonly run: (body: () => never) => unknown; readonly state: () => unknown }>
  > = {
    'the call of a layer': {
      run: (body) => withFrame({}, new CallContext(false), body),
      state: () => currentFrame(),
    },
    'the path of weights': { run: (body) => withinPath('a', body), state: () => currentPath().length },
    inferring: { run: whileInferring, state: isInferring },
    'a tap': {
      run: (body) => withTap(() => [], body),
      state: () => Array.isArray(tapped(null, [], strings)),
    },
    'the order of old files': { run: (body) => inFormerOrder(true, body), state: isFormerOrder },
    'custom objects': { run: (body) => customObjectScope({ Mine: 1 }, body), state: () => customObject('Mine') },
    'names of functions': { run: describing, state: () => nameToSave({ name: '' }) },
    'the limit of weights': {
      run: (body) => limitWeights(1, 1, body),
      state: () => {
        try {
          requireRoom('kernel', [2])
          return 'room'
        } catch {
          return 'no room'
        }
      },
    },
  }
  it.each(Object.entries(cases))('%s', (_, { run, state }) => {
    const before = state()
    let inside: unknown = before
    expect(() =>
      run(() => {
        inside = state()
        return fail()
      }),
    ).toThrow('body')
    expect(inside).not.toEqual(before)
    expect(state()).toEqual(before)
  })
})

/** The variables of a module that are assigned in a `finally` block: they hold while a function runs. */
function heldVariables(file: string): string[] {
  const source = ts.createSourceFile(file, readFileSync(`src/${file}`, 'utf8'), ts.ScriptTarget.Latest)
  const variables = new Set(
    source.statements
      .filter(ts.isVariableStatement)
      .flatMap(({ declarationList }) => declarationList.declarations)
      .flatMap(({ name }) => (ts.isIdentifier(name) ? [name.text] : [])),
  )
  const found = new Set<string>()
  const visit = (node: ts.Node, isFinal: boolean): void => {
    if (isFinal && ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.EqualsToken)
      if (ts.isIdentifier(node.left) && variables.has(node.left.text)) found.add(node.left.text)
    ts.forEachChild(node, (child) => visit(child, isFinal || (ts.isTryStatement(node) && child === node.finallyBlock)))
  }
  visit(source, false)
  return [...found].map((name) => `${file}: ${name}`)
}

it('all values that hold while a function runs are scoped, except the two that every op reads', () => {
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))
  const held = files.flatMap((name) => heldVariables(name.replaceAll('\\', '/')))
  expect(held.sort()).toEqual(['engine/runtime/current.ts: current', 'ops/trace.ts: active'])
})

/** Statements of modules that match, as `file: name`. */
function declared(pattern: RegExp): string[] {
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))
  return files
    .flatMap((name) =>
      Array.from(
        readFileSync(`src/${name}`, 'utf8').matchAll(pattern),
        ([, found]) => `${name.replaceAll('\\', '/')}: ${found}`,
      ),
    )
    .sort()
}

/** The variables of modules that can be assigned, as `file: name`. */
function variablesOfModules(): string[] {
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))
  return files
    .flatMap((name) => {
      const source = ts.createSourceFile(name, readFileSync(`src/${name}`, 'utf8'), ts.ScriptTarget.Latest)
      return source.statements
        .filter(ts.isVariableStatement)
        .filter(({ declarationList }) => (declarationList.flags & ts.NodeFlags.Let) !== 0)
        .flatMap(({ declarationList }) => declarationList.declarations)
        .map((each) => `${name.replaceAll('\\', '/')}: ${each.name.getText(source)}`)
    })
    .sort()
}

it('modules have no other variables', () => {
  expect(variablesOfModules()).toEqual(
    [
      // How many objects were numbered.
      'core/numbers.ts: last',
      // How warm the loop is that looks for NaN.
      'core/dtypes.ts: elementsUntilLoop',
      'data/samples/doubles.ts: saving',
      'data/samples/record-hook.ts: records',
      'models/file-loader.ts: current',
      'ops/random/seed.ts: state',
      'ops/trace.ts: active',
      'optimizers/match.ts: make',
      // The device that useWebGPU sets: runners of every model ask for it.
      'engine/runtime/accelerator.ts: current',
      'engine/runtime/current.ts: current',
    ].sort(),
  )
})

it('modules have no other scoped values', () => {
  expect(declared(/^(?:export )?const (\w+) = (?:\/\* @__PURE__ \*\/ )?scoped\b/gm)).toEqual([
    'core/file-scope.ts: file',
    'core/registry.ts: customObjects',
    'core/registry.ts: met',
    'layers/context.ts: calls',
    'layers/saved.ts: sharing',
    'layers/weight-lists.ts: building',
    'ops/random/seed.ts: draw',
    'ops/variable.ts: place',
  ])
})
