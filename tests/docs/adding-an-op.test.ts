// The three edits of docs/adding-an-op.md: the compiler asks for each that is missing, and all of them together, in a copy of the
// sources, are an op with the kernel, the gradient and the errors that the page states.
// modes: simd

import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type * as Ops from '../../src/ops'
import * as steps from '../../src/engine/ir/steps'
import type * as Configured from '../../src/engine/runtime/configure'
import type * as Current from '../../src/engine/runtime/current'
import type * as Wasm from '../../src/engine/runtime/wasm/wasm'
import type { TapeBackend } from '../../src/engine/runtime/tape-backend'
import { splitMultiplyAdds } from '../../scripts/multiply-add.mjs'
import { expectClose } from '../helpers/compare'
import { readDocument } from '../helpers/documented'
import { SourceCopy, compilerOf, editsOf } from '../helpers/page-edits'
import type * as Cases from '../engine/primitives/cases'
import type * as Checks from '../engine/primitives/check'
import type * as Sweeps from '../engine/primitives/sweep'

const page = readDocument('docs/adding-an-op.md')
const root = fileURLToPath(new URL('../../', import.meta.url))

const KINDS = ['op', 'record', 'kernel'] as const
type Kind = (typeof KINDS)[number]
const edits = new Map(editsOf('docs/adding-an-op.md', KINDS).map((edit) => [edit.kind, edit]))
const [, name] = /^export function step_(\w+)/m.exec(edits.get('kernel')!.code)!

/** The files with some edits: a record goes into the table, all others to the end of their file. */
function textsWith(kinds: readonly Kind[]): Map<string, string> {
  const texts = new Map<string, string>()
  for (const kind of kinds) {
    const { file, code } = edits.get(kind)!
    const text = readDocument(file)
    const table = 'export const elementwise = {\n'
    texts.set(file, kind === 'record' ? text.replace(table, table + code) : `${text}\n${code}`)
  }
  if (kinds.includes('kernel')) texts.set('src/engine/ir/steps.ts', withPlace(readDocument('src/engine/ir/steps.ts')))
  return texts
}

/** The place that the build would give to the new step. */
const place = 1 + Math.max(...Object.values(steps))
const withPlace = (text: string): string => `${text}export const ${name} = ${place}\n`

it('there are three', () => {
  expect([...edits.keys()]).toEqual(['op', 'record', 'kernel'])
})

describe('the compiler', () => {
  const compile = compilerOf([edits.get('op')!.file, edits.get('record')!.file, 'src/engine/primitives/index.ts'])
  /** What it reports after some of the edits. */
  const reports = (...made: readonly Kind[]): string => compile(textsWith(made))

  it.each([
    ['op', ['op'], `Argument of type '"${name}"' is not assignable to parameter of type 'UnaryName'`],
    ['record', ['op', 'record'], `Property '${name}' does not exist on type`],
    ['kernel alone', ['kernel'], `Property '${name}' is missing in type`],
  ] as const)('asks for the next edit after the %s', (_title, made, message) => {
    expect(reports(...made)).toContain(message)
    expect(page).toContain(`\`${message}\``)
  })

  it('accepts all of them', () => {
    expect(reports('op', 'record', 'kernel')).toBe('')
  })
})

describe('a copy of the sources with the edits', () => {
  const copy = new SourceCopy('adding-an-op')

  beforeAll(() =>
    copy.make(['src', 'assembly', 'bench/report.mjs', 'tests/helpers', 'tests/engine/primitives'], textsWith(KINDS)),
  )
  afterAll(() => copy.remove())

  /** The kernel alone, compiled. */
  function compiledKernel(): WebAssembly.Module {
    const file = edits.get('kernel')!.file.replace(/^assembly\/|\.ts$/g, '')
    writeFileSync(`${copy.path}assembly/entry.ts`, `export { step_${name} } from './${file}'\n`)
    const compiler = `${root}node_modules/assemblyscript/bin/asc.js`
    const outputs = ['--outFile', `${copy.path}kernel.wasm`, '--textFile', `${copy.path}kernel.wat`]
    const settings = ['--config', `${root}asconfig.json`, '--target', 'relaxed', '--disableWarning', '112']
    execFileSync(process.execPath, [compiler, `${copy.path}assembly/entry.ts`, ...settings, ...outputs], {
      stdio: 'pipe',
    })
    return new WebAssembly.Module(splitMultiplyAdds(readFileSync(`${copy.path}kernel.wasm`)).plain)
  }

  it('computes what the record states', async () => {
    const { link } = (await copy.load('src/engine/runtime/wasm/wasm.ts')) as typeof Wasm
    const { makeRuntime } = (await copy.load('src/engine/runtime/configure.ts')) as typeof Configured
    const { currentRuntime } = (await copy.load('src/engine/runtime/current.ts')) as typeof Current
    const own = makeRuntime(currentRuntime().settings)
    const kernel = compiledKernel()
    for (const { backend } of [own, currentRuntime()]) {
      const { kernels, memory } = backend as TapeBackend
      link(kernels, [[`step_${name}`, place]], kernel, memory)
    }

    // The rows that follow from the record, in wasm.
    await copy.load('tests/helpers/families.ts')
    const { casesOf } = (await copy.load('tests/engine/primitives/cases.ts')) as typeof Cases
    const { checkCase } = (await copy.load('tests/engine/primitives/check.ts')) as typeof Checks
    const rows = casesOf(name as 'exp')
    expect(rows.length).toBeGreaterThan(15)
    for (const row of rows) checkCase(own, row)
    const { contracts, largestError } = (await copy.load('tests/engine/primitives/sweep.ts')) as typeof Sweeps
    const contract = contracts.find((each) => each.name === name)!
    expect(largestError(own, contract).ulp).toBeLessThanOrEqual(contract.ulp)

    const ops = (await copy.load('src/ops/index.ts')) as typeof Ops & Readonly<Record<string, typeof Ops.exp>>
    const x = [0, 0.5, 1, 2, -1, NaN, Infinity]
    const y = ops[name!]!(x).data
    const truth = [0, 0.5 * Math.log(0.5), 0, 2 * Math.log(2), NaN, NaN, Infinity]
    expectClose(
      Float32Array.from(y),
      Float64Array.from(truth),
      { ulp: contract.ulp, absolute: 0, signedZero: true },
      name!,
    )
  })
})
