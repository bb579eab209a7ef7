// The three edits of docs/adding-an-op.md: the compiler asks for each that is missing, and all of them together, in a copy of the
// sources, are an op with the kernel, the gradient and the errors that the page states.
// modes: simd

import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import ts from 'typescript'
import type * as Ops from '../src/ops'
import * as steps from '../src/engine/ir/steps'
import type * as Configured from '../src/engine/runtime/configure'
import type * as Current from '../src/engine/runtime/current'
import type * as Wasm from '../src/engine/runtime/wasm/wasm'
import type { TapeBackend } from '../src/engine/runtime/tape-backend'
import { splitMultiplyAdds } from '../scripts/multiply-add.mjs'
import { blocksOf } from '../scripts/pages.mjs'
import { expectClose } from './helpers/compare'
import { readDocument } from './helpers/documented'
import type * as Cases from './primitives/cases'
import type * as Checks from './primitives/check'
import type * as Sweeps from './primitives/sweep'

const root = fileURLToPath(new URL('../', import.meta.url))
const page = readDocument('docs/adding-an-op.md')

type Kind = 'op' | 'record' | 'kernel'
/** The edits of the page: the block of each, and its file. */
const edits = new Map(
  blocksOf('docs/adding-an-op.md').flatMap(({ file, code }) => {
    const kind = /^.*, a new (op|record|kernel)\n/.exec(code)?.[1] as Kind | undefined
    return kind === undefined ? [] : [[kind, { file: file!, code: code.replace(/^.*\n/, '') }] as const]
  }),
)
const [, name] = /^export function step_(\w+)/m.exec(edits.get('kernel')!.code)!

/** A file with an edit: a record goes into the table, all others to the end. */
function withEdit(kind: Kind, text: string): string {
  const { code } = edits.get(kind)!
  const table = 'export const elementwise = {\n'
  return kind === 'record' ? text.replace(table, table + code) : `${text}\n${code}`
}

/** The place that the build would give to the new step. */
const place = 1 + Math.max(...Object.values(steps))
const withPlace = (text: string): string => `${text}export const ${name} = ${place}\n`

it('there are three', () => {
  expect([...edits.keys()]).toEqual(['op', 'record', 'kernel'])
})

describe('the compiler', () => {
  const { config } = ts.readConfigFile(`${root}tsconfig.json`, ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root)
  const plain = ts.createCompilerHost(options)
  const parsed = new Map<string, ts.SourceFile | undefined>()
  let last: ts.Program | undefined
  const [op, record] = (['op', 'record'] as const).map((kind) => root + edits.get(kind)!.file) as [string, string]
  const index = `${root}src/engine/primitives/index.ts`

  /** What it reports of the files of the page and of the list of primitives, after some of the edits. */
  function reports(...made: readonly Kind[]): string {
    const texts = new Map(
      (['op', 'record'] as const)
        .filter((kind) => made.includes(kind))
        .map((kind) => [root + edits.get(kind)!.file, withEdit(kind, readDocument(edits.get(kind)!.file))] as const),
    )
    if (made.includes('kernel'))
      texts.set(`${root}src/engine/ir/steps.ts`, withPlace(readDocument('src/engine/ir/steps.ts')))
    const host: ts.CompilerHost = {
      ...plain,
      getSourceFile(path, version) {
        const text = texts.get(path)
        if (text !== undefined) return ts.createSourceFile(path, text, version)
        if (!parsed.has(path)) parsed.set(path, plain.getSourceFile(path, version))
        return parsed.get(path)
      },
    }
    last = ts.createProgram([op, record, index], { ...options, noEmit: true }, host, last)
    return [op, record, index]
      .flatMap((path) => last!.getSemanticDiagnostics(last!.getSourceFile(path)))
      .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))
      .join('\n')
  }

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
  const copy = `${root}build/adding-an-op/`
  const load = (path: string): Promise<unknown> => import(/* @vite-ignore */ pathToFileURL(copy + path).href)

  beforeAll(() => {
    rmSync(copy, { recursive: true, force: true })
    mkdirSync(copy, { recursive: true })
    for (const folder of ['src', 'assembly', 'bench/report.mjs', 'tests/helpers', 'tests/primitives'])
      cpSync(root + folder, copy + folder, { recursive: true })
    for (const [kind, { file }] of edits) writeFileSync(copy + file, withEdit(kind, readDocument(file)))
    writeFileSync(`${copy}src/engine/ir/steps.ts`, withPlace(readDocument('src/engine/ir/steps.ts')))
  })
  afterAll(() => rmSync(copy, { recursive: true, force: true }))

  /** The kernel alone, compiled. */
  function compiledKernel(): WebAssembly.Module {
    const file = edits.get('kernel')!.file.replace(/^assembly\/|\.ts$/g, '')
    writeFileSync(`${copy}assembly/entry.ts`, `export { step_${name} } from './${file}'\n`)
    const compiler = `${root}node_modules/assemblyscript/bin/asc.js`
    const outputs = ['--outFile', `${copy}kernel.wasm`, '--textFile', `${copy}kernel.wat`]
    const settings = ['--config', `${root}asconfig.json`, '--target', 'relaxed', '--disableWarning', '112']
    execFileSync(process.execPath, [compiler, `${copy}assembly/entry.ts`, ...settings, ...outputs], { stdio: 'pipe' })
    return new WebAssembly.Module(splitMultiplyAdds(readFileSync(`${copy}kernel.wasm`)).plain)
  }

  it('computes what the record states', async () => {
    const { link } = (await load('src/engine/runtime/wasm/wasm.ts')) as typeof Wasm
    const { makeRuntime } = (await load('src/engine/runtime/configure.ts')) as typeof Configured
    const { currentRuntime } = (await load('src/engine/runtime/current.ts')) as typeof Current
    const own = makeRuntime(currentRuntime().settings)
    const kernel = compiledKernel()
    for (const { backend } of [own, currentRuntime()]) {
      const { kernels, memory } = backend as TapeBackend
      link(kernels, [[`step_${name}`, place]], kernel, memory)
    }

    // The rows that follow from the record, in wasm.
    await load('tests/helpers/families.ts')
    const { casesOf } = (await load('tests/primitives/cases.ts')) as typeof Cases
    const { checkCase } = (await load('tests/primitives/check.ts')) as typeof Checks
    const rows = casesOf(name as 'exp')
    expect(rows.length).toBeGreaterThan(15)
    for (const row of rows) checkCase(own, row)
    const { contracts, largestError } = (await load('tests/primitives/sweep.ts')) as typeof Sweeps
    const contract = contracts.find((each) => each.name === name)!
    expect(largestError(own, contract).ulp).toBeLessThanOrEqual(contract.ulp)

    const ops = (await load('src/ops/index.ts')) as typeof Ops & Readonly<Record<string, typeof Ops.exp>>
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
