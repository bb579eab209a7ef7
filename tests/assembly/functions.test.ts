// The sources of the kernels: no function is longer than a screen.
// modes: simd

import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const MOST_LINES = 60
const folder = fileURLToPath(new URL('../../assembly', import.meta.url))
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))

interface FunctionLength {
  readonly name: string
  readonly lines: number
}

/** The functions of a file. One ends with the brace that has its indentation; AssemblyScript has decorators that tsc cannot parse. */
function functionsOf(file: string): FunctionLength[] {
  const lines = readFileSync(join(folder, file), 'utf8').split('\n')
  return lines.flatMap((line, i) => {
    const [, indent, name] = /^( *)(?:export )?function (\w+)/.exec(line) ?? []
    if (name === undefined) return []
    if (line.endsWith('}')) return [{ name: `${file}: ${name}`, lines: 1 }]
    return [{ name: `${file}: ${name}`, lines: lines.indexOf(`${indent}}`, i) - i + 1 }]
  })
}

it(`no kernel is longer than ${MOST_LINES} lines`, () => {
  const functions = files.flatMap(functionsOf)
  expect(functions.length).toBeGreaterThan(500)
  expect(functions.filter(({ lines }) => lines > MOST_LINES || lines < 1)).toEqual([])
})
