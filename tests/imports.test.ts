// The order of the folders of src/: every import goes down, also of types, and files have no import cycles.
// modes: simd

import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { posix } from 'node:path'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'

/** Lowest first. A folder may import those of earlier lines; folders on one line do not import each other. */
const order: readonly (readonly string[])[] = [
  ['core'],
  ['ir'],
  ['primitives'],
  ['transforms'],
  ['plan'],
  ['tape'],
  ['runtime'],
  ['archives'],
  ['ops'],
  ['drawing'],
  ['activations', 'constraints', 'initializers', 'regularizers', 'losses', 'optimizers'],
  ['metrics'],
  ['data'],
  ['layers'],
  ['formats'],
  ['training'],
  ['models'],
  ['saving'],
  ['utils'],
  ['tables'],
  ['balance', 'explain', 'generation', 'predict', 'search', 'thrift'],
  ['keras', 'onnx', 'plot'],
  ['tfjs', 'weights'],
  // The files of src itself.
  ['entries'],
]

/** The folders that write or read instructions, steps, or what kernels of readers read, and so import assembly/shared. */
const knowAssembly: readonly string[] = ['ir', 'primitives', 'transforms', 'plan', 'tape', 'runtime', 'data']

const files = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => posix.join('src', ...name.split(/[\\/]/)))

/** What a file loads at run time, by `import()`: code that it does not need otherwise, and that may import it. */
const loadedAtRunTime: Readonly<Record<string, readonly string[]>> = {
  'src/files/formats.ts': ['../keras', '../onnx', '../tfjs'],
  'src/files/load.ts': ['../thrift'],
  'src/files/weights/files.ts': ['../keras'],
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
    return [existsSync(`${path}.ts`) ? `${path}.ts` : posix.join(path, 'index.ts')]
  })
}

const imports = new Map(files.map((file) => [file, importsOf(file)]))

function folderOf(file: string): string {
  const [top, folder, ...rest] = file.split('/')
  if (top !== 'src') return top!
  return rest.length === 0 ? 'entries' : folder!
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
  for (const file of files) walk(file)
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

  it('only go down the order', () => {
    const upward = [...imports].flatMap(([file, targets]) =>
      targets.filter((target) => !isAllowed(folderOf(file), folderOf(target))).map((target) => `${file} → ${target}`),
    )
    expect([...new Set(upward)]).toEqual([])
  })

  it('have no cycles', () => {
    expect(circles()).toEqual([])
  })
})
