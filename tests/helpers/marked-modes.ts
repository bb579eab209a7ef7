// Which test files a mode leaves out. A file whose result depends only on some modes lists them in its first lines:
//
//   // modes: simd, interpreter
//
// It then runs in those; without such a line it runs in all. Everything runs in simd.

import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Mode } from './modes'

const MARK = /^\/\/ modes: (.*)$/m
const HEAD_LINES = 8

/** The modes that a test file names; null if it runs in all. @throws Error for an unknown mode */
export function markedModes(source: string, known: readonly string[]): readonly string[] | null {
  const found = MARK.exec(source.split('\n', HEAD_LINES).join('\n'))
  if (found === null) return null
  const named = found[1]!.split(',').map((mode) => mode.trim())
  const unknown = named.find((mode) => !known.includes(mode))
  if (unknown !== undefined) throw new Error(`there is no mode '${unknown}': ${known.join(', ')}`)
  if (!named.includes('simd')) throw new Error('every file must run in the mode simd, which test:quick runs')
  return named
}

/** The test files below `folder` that do not run in `mode`, as paths from the working directory. */
export function leftOut(folder: string, mode: Mode, known: readonly string[]): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => join(folder, name))
    .filter((file) => {
      try {
        return markedModes(readFileSync(file, 'utf8'), known)?.includes(mode) === false
      } catch (error) {
        throw new Error(`${file}: ${String(error)}`, { cause: error })
      }
    })
}
