// Examples in docstrings with a result: the code gives that result.
import { readFileSync, readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import * as exported from '../../src'

interface Example {
  readonly file: string
  readonly code: string
  readonly expected: unknown
}

const root = new URL('../../src/', import.meta.url)

/** The text after the last `//`, if it is numbers. */
function valueIn(text: string): { code: string; expected: unknown } | null {
  const [, code, comment] = /^([\s\S]*?) +\/\/ (.*)$/.exec(text.trim()) ?? []
  if (code === undefined || !/^[[\]\d.,\s\-e]+$/.test(comment!)) return null
  return { code, expected: JSON.parse(comment!) }
}

/** `@example` followed by code, on the same line or on the lines below. */
function examplesIn(file: string): Example[] {
  const text = readFileSync(new URL(file, root), 'utf8')
  return [...text.matchAll(/^ *\* @example(?: (.*)|((?:\n *\* (?!@).*)+))$/gm)].flatMap(([, line, lines]) => {
    const value = valueIn(line ?? lines!.replace(/^ *\* /gm, ''))
    return value === null ? [] : [{ file, ...value }]
  })
}

function run(code: string): unknown {
  const lines = code.split('\n')
  const names = Object.keys(exported)
  // oxlint-disable-next-line typescript/no-implied-eval -- the code comes from our own documentation
  const result: unknown = new Function(...names, [...lines.slice(0, -1), `return ${lines.at(-1)!}`].join('\n'))(
    ...Object.values(exported),
  )
  return result instanceof exported.Tensor ? result.toArray() : result
}

/** Numbers as printed, to some digits. */
const near = (value: unknown): unknown =>
  Array.isArray(value) ? value.map(near) : expect.closeTo(value as number, Math.abs(value as number) < 1 ? 3 : 2)

const examples = (readdirSync(root, { recursive: true }) as string[])
  .filter((file) => file.endsWith('.ts'))
  .sort()
  .flatMap(examplesIn)

describe('examples', () => {
  it('are found', () => {
    expect(examples.length).toBeGreaterThan(100)
  })

  it.each(examples)('$file: $code', ({ code, expected }) => {
    expect(run(code)).toEqual(near(expected))
  })
})
