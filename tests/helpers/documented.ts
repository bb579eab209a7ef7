// Runs code of documents unchanged: every block below a `<!-- tested -->` line, in order and in one scope, as a reader
// would type it. Compares tables of documents with computed ones.

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { replaceTable, table } from '../../bench/report.mjs'

/** The text of a document, by its path from the root. */
export function readDocument(path: string): string {
  return readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
}

/** A document has this table between `<!-- name:start -->` and `<!-- name:end -->`. WRITE_TABLES=1 writes it there. */
export function expectTable(
  path: string,
  name: string,
  head: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): void {
  const markdown = table(
    head,
    rows.map((row) => row.map((cell) => cell.toLocaleString('en-US'))),
  )
  const file = fileURLToPath(new URL(`../../${path}`, import.meta.url))
  if (process.env['WRITE_TABLES'] === '1') replaceTable(file, name, markdown)
  const [, found] =
    new RegExp(`<!-- ${name}:start -->\\n\\n([^]*?)\\n\\n<!-- ${name}:end -->`).exec(readDocument(path)) ?? []
  expect(found, `${path}: run the test with WRITE_TABLES=1`).toBe(markdown)
}

export function testedBlocks(document: string): string[] {
  return [...document.matchAll(/^<!-- tested -->\n```[jt]s\n([\s\S]*?)^```$/gm)].map(([, code]) => code!)
}

/** Replaces imports from the package by look-ups in its exports, so that a missing name is an error. */
function withoutImports(code: string): { code: string; names: string[] } {
  const names = new Set<string>()
  const body = code.replace(/^import \{([^}]*)\} from 'myelin(?:\/\w+)?'$/gm, (_line, list: string) => {
    for (const name of list.split(',')) if (name.trim() !== '') names.add(name.trim())
    return ''
  })
  return { code: body, names: [...names] }
}

/**
 * Runs blocks and returns the requested variables.
 * @param exported the exports of the package
 * @param scope the variables that the text assumes
 */
export async function runBlocks(
  blocks: readonly string[],
  exported: object,
  scope: Readonly<Record<string, unknown>>,
  results: readonly string[],
) {
  const { code, names } = withoutImports(blocks.join('\n'))
  for (const name of names) expect(exported, `the document imports ${name}`).toHaveProperty(name)
  const whole = { ...scope, ...Object.fromEntries(names.map((name) => [name, Reflect.get(exported, name) as unknown])) }
  const AsyncFunction = Object.getPrototypeOf(async () => {}).constructor as FunctionConstructor
  return new AsyncFunction(...Object.keys(whole), `${code}\nreturn { ${results.join(', ')} }`)(...Object.values(whole))
}
