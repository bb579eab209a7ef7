// The order of the folders of src/: every import goes down, also of types, and files have no import cycles.
// modes: simd

import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { posix } from 'node:path'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'
import { readDocument } from './helpers/documented'

/** Lowest first. A folder may import those of earlier lines; folders on one line do not import each other. */
const order: readonly (readonly string[])[] = [
  ['core'],
  ['engine/ir'],
  ['engine/primitives'],
  ['engine/transforms'],
  ['engine/plan'],
  ['engine/tape'],
  ['engine/runtime'],
  ['engine/webgpu'],
  ['ops'],
  ['plot/drawing', 'files/containers'],
  ['parts', 'losses', 'optimizers'],
  ['metrics'],
  ['data/samples'],
  ['layers'],
  ['training'],
  ['models'],
  ['data'],
  ['tables'],
  ['files/own'],
  ['balance', 'explain', 'generation', 'search', 'thrift'],
  ['files/keras', 'files/onnx', 'plot'],
  ['files/tfjs', 'files/weights', 'standalone'],
  ['files'],
  ['language'],
  ['namespaces'],
  // src/index.ts: all names of `myelin`
  ['index'],
  ['entries'],
]

/** The folders that write or read instructions, steps, or what kernels of readers read, and so import assembly/shared. */
const knowAssembly: readonly string[] = [
  'engine/ir',
  'engine/primitives',
  'engine/transforms',
  'engine/plan',
  'engine/tape',
  'engine/runtime',
  'engine/webgpu',
  'data',
  'standalone',
]

const filesIn = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => posix.join(folder, ...name.split(/[\\/]/)))
const files = filesIn('src')

/** What a file loads at run time, by `import()`: code that it does not need otherwise, and that may import it. */
const loadedAtRunTime: Readonly<Record<string, readonly string[]>> = {
  'src/files/formats.ts': ['../entries/keras', '../entries/onnx', '../entries/tfjs', '../entries/weights'],
  'src/files/load.ts': ['../entries/thrift', '../language/language-layers'],
  'src/engine/webgpu/kernels/routines.ts': ['../packed-kernels'],
  'src/files/weights/formats.ts': ['../../entries/keras'],
}

/** The files that a file imports. A folder name means its index file. */
function importsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8')
  const { importedFiles } = ts.preProcessFile(text, true, true)
  const late = loadedAtRunTime[file] ?? []
  for (const fileName of late)
    if (text.includes(`from '${fileName}'`)) throw new Error(`${file} imports ${fileName} at once`)
  return importedFiles.flatMap(({ fileName }) => {
    if (!fileName.startsWith('.') || late.includes(fileName)) return []
    const path = posix.join(posix.dirname(file), fileName)
    // What the build of assembly/ writes has declarations alone.
    return [[`${path}.ts`, `${path}.d.ts`].find((file) => existsSync(file)) ?? posix.join(path, 'index.ts')]
  })
}

const imports = new Map([...files, ...filesIn('assembly')].map((file) => [file, importsOf(file)]))

/** The folders with an order of their own: of `engine` and `files` every one. */
const inner = order.flat().filter((folder) => folder.includes('/'))

function folderOf(file: string): string {
  const [top, folder, next, ...rest] = file.split('/')
  if (top !== 'src') return top!
  if (next === undefined) return 'index'
  return rest.length > 0 && inner.includes(`${folder}/${next}`) ? `${folder}/${next}` : folder!
}

function isAllowed(from: string, to: string): boolean {
  if (from === to) return true
  if (to === 'assembly') return knowAssembly.includes(from)
  const rankOf = (folder: string): number => order.findIndex((line) => line.includes(folder))
  return rankOf(to) < rankOf(from)
}

/** Each import cycle, from the file at which it was found. */
function circles(): string[] {
  const found: string[] = []
  const done = new Set<string>()
  const path: string[] = []
  const walk = (file: string): void => {
    const at = path.indexOf(file)
    if (at >= 0) found.push([...path.slice(at), file].join(' → '))
    if (at >= 0 || done.has(file)) return
    path.push(file)
    for (const next of imports.get(file) ?? []) walk(next)
    path.pop()
    done.add(file)
  }
  for (const file of imports.keys()) walk(file)
  return found
}

describe('imports', () => {
  it('are found: each is a file, and each folder has its position in the order', () => {
    expect(new Set(files.map(folderOf))).toEqual(new Set(order.flat()))
    // The build writes the binaries of the entry for workerd.
    const missing = [...imports.values()].flat().filter((file) => !existsSync(file) && !file.includes('.wasm'))
    expect(missing).toEqual([])
    // A type, a value and an export from elsewhere.
    expect(imports.get('src/engine/plan/kernel.ts')).toContain('src/engine/ir/operand.ts')
    expect(imports.get('src/engine/plan/kernel.ts')).toContain('src/engine/ir/graph.ts')
    expect(imports.get('src/index.ts')).toContain('src/engine/runtime/configure.ts')
  })

  it('are tested in folders of the same names, or in folders that CONTRIBUTING.md describes', () => {
    const described = [...readDocument('CONTRIBUTING.md').matchAll(/`(tests\/[a-z]+)`(?=[^\n|]*\|)/g)].map(
      ([, name]) => name!,
    )
    const folders = readdirSync('tests', { withFileTypes: true }).filter((entry) => entry.isDirectory())
    const unknown = folders
      .map(({ name }) => name)
      .filter((name) => !existsSync(`src/${name}`) && !described.includes(`tests/${name}`))
    expect(unknown).toEqual([])
  })

  it('only go down the order', () => {
    const upward = files.flatMap((file) =>
      imports
        .get(file)!
        .filter((target) => !isAllowed(folderOf(file), folderOf(target)))
        .map((target) => `${file} → ${target}`),
    )
    expect([...new Set(upward)]).toEqual([])
  })

  it('have no cycles', () => {
    expect(circles()).toEqual([])
  })
})
