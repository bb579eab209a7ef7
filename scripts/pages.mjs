// The code of a document. The blocks in JavaScript and TypeScript are one program, in their order: who pastes them into one file
// has a program that runs. A block that begins with a comment with a path, `// trainer.js`, is that file and no part of the
// program, and so is an excerpt of a file of this repository, `// excerpt of assembly/math.ts`. Blocks in HTML are separate pages. Blocks in other languages are not code.

import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../', import.meta.url))

/** Every document for users and for contributors, by its path from the root. */
export const documents = [
  'README.md',
  'CONTRIBUTING.md',
  ...['examples', 'site', 'bench', 'docs'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true })
      .filter((path) => path.endsWith('.md') && !path.includes('node_modules'))
      .map((path) => join(folder, path)),
  ),
].sort()

/** The blocks of a document: the language, the code, and the path in a first comment, or null. */
export function blocksOf(document) {
  const text = readFileSync(join(root, document), 'utf8')
  return [...text.matchAll(/^ *```(\w*)\n([\s\S]*?)^ *```$/gm)].map(([, language, code]) => ({
    language,
    code,
    file: /^\/\/ (?:excerpt of )?([\w./-]+\.\w+)(?:, a new \w+)?\n/.exec(code)?.[1] ?? null,
  }))
}

/** The program of a document, or null if it has none. */
export function programOf(document) {
  const blocks = blocksOf(document).filter(({ language, file }) => /^[jt]s$/.test(language) && file === null)
  return blocks.length === 0 ? null : blocks.map(({ code }) => code).join('\n')
}

/** The files that a program needs beside it, by their names. */
export function filesOf(document) {
  const named = blocksOf(document).filter(({ file }) => file !== null && !existsSync(join(root, file)))
  return new Map(named.filter(({ file }) => !file.includes('/')).map(({ file, code }) => [file, code]))
}

/** The pages in HTML of a document. What has no script is a line for a page. */
export function htmlOf(document) {
  return blocksOf(document).flatMap(({ language, code }) =>
    language === 'html' && code.includes('<script') ? [code] : [],
  )
}
