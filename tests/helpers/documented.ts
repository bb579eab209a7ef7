// Runs code of documents unchanged: every block below a `<!-- tested -->` line, in order and in one scope, as a reader
// would type it.

import { readFileSync } from 'node:fs'
import { expect } from 'vitest'

/** The text of a document, by its path from the root. */
export function readDocument(path: string): string {
  return readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
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
