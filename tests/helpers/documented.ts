// Reads documents, and compares their tables with computed ones.

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
