// The edits that a page for contributors shows: blocks that begin with `// src/…, a new KIND`. Tests compile the sources with some of
// them, and load a copy of the sources with all of them.

import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'
import ts from 'typescript'
import { blocksOf } from '../../scripts/pages.mjs'

const root = fileURLToPath(new URL('../../', import.meta.url))

export interface Edit<Kind> {
  readonly kind: Kind
  /** The path of the file from the root. */
  readonly file: string
  readonly code: string
}

/** The edits of a page, in its order. */
export function editsOf<Kind extends string>(document: string, kinds: readonly Kind[]): readonly Edit<Kind>[] {
  return blocksOf(document).flatMap(({ file, code }) => {
    const [, word] = /^.*, a new (\w+)\n/.exec(code) ?? []
    const kind = kinds.find((each) => each === word)
    return kind === undefined ? [] : [{ kind, file: file!, code: code.replace(/^.*\n/, '') }]
  })
}

/** A compiler of some files, by their paths from the root. It gets other texts of files, and returns what it reports of these files. */
export function compilerOf(files: readonly string[]): (texts: ReadonlyMap<string, string>) => string {
  const { config } = ts.readConfigFile(`${root}tsconfig.json`, ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root)
  const plain = ts.createCompilerHost(options)
  const parsed = new Map<string, ts.SourceFile | undefined>()
  let last: ts.Program | undefined
  return (texts) => {
    const textAt = (path: string): string | undefined =>
      path.startsWith(root) ? texts.get(path.slice(root.length)) : undefined
    const host: ts.CompilerHost = {
      ...plain,
      fileExists: (path) => textAt(path) !== undefined || plain.fileExists(path),
      getSourceFile(path, version) {
        const text = textAt(path)
        if (text !== undefined) return ts.createSourceFile(path, text, version)
        if (!parsed.has(path)) parsed.set(path, plain.getSourceFile(path, version))
        return parsed.get(path)
      },
    }
    const paths = files.map((file) => root + file).filter((path) => host.fileExists(path))
    const program = ts.createProgram(paths, { ...options, noEmit: true }, host, last)
    last = program
    return paths
      .flatMap((path) => program.getSemanticDiagnostics(program.getSourceFile(path)))
      .map(({ file, messageText }) =>
        [file!.fileName.slice(root.length), ts.flattenDiagnosticMessageText(messageText, '\n')].join(': '),
      )
      .join('\n')
  }
}

/** A copy of some files and folders below `build`. */
export class SourceCopy {
  readonly path: string

  constructor(name: string) {
    this.path = `${root}build/${name}/`
  }

  make(folders: readonly string[], texts: ReadonlyMap<string, string>): void {
    rmSync(this.path, { recursive: true, force: true })
    mkdirSync(this.path, { recursive: true })
    for (const folder of folders) cpSync(root + folder, this.path + folder, { recursive: true })
    for (const [file, text] of texts) writeFileSync(this.path + file, text)
  }

  load(file: string): Promise<unknown> {
    return import(/* @vite-ignore */ pathToFileURL(this.path + file).href)
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true })
  }
}
