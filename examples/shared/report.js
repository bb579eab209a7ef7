// Shared by the examples: options, seconds, tables, pictures, and the claims that decide the exit code.

import { mkdirSync } from 'node:fs'
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

/**
 * The options of the command line with their defaults, whose types they have:
 *
 *   const { seed, quick } = readOptions({ seed: 1, quick: false }) // --seed 3 --quick
 */
export function readOptions(defaults) {
  const kinds = Object.entries(defaults).map(([name, value]) => [
    name,
    { type: typeof value === 'boolean' ? 'boolean' : 'string' },
  ])
  const { values } = parseArgs({ options: Object.fromEntries(kinds) })
  return Object.fromEntries(
    Object.entries(defaults).map(([name, value]) => {
      const chosen = values[name] ?? value
      return [name, typeof value === 'number' ? Number(chosen) : chosen]
    }),
  )
}

/** A function that returns the seconds since this call. */
export function stopwatch() {
  const started = performance.now()
  return () => (performance.now() - started) / 1000
}

export const percent = (share, digits = 1) => `${(100 * share).toFixed(digits)} %`

/** Prints rows of cells in columns: the first one to the left, the others to the right. */
export function printTable(rows) {
  const cells = rows.map((row) => row.map(String))
  const widths = cells[0].map((_, column) => Math.max(...cells.map((row) => row[column].length)))
  for (const [first, ...rest] of cells)
    console.log(
      `  ${[first.padEnd(widths[0]), ...rest.map((cell, i) => cell.padStart(widths[i + 1]))].join('   ')}`.trimEnd(),
    )
}

/** The path of a file in build/examples, which is created. */
export function outputPath(file) {
  const folder = fileURLToPath(new URL('../../build/examples/', import.meta.url))
  mkdirSync(folder, { recursive: true })
  return `${folder}${file}`
}

/** Saves a picture of `myelin/plot` as build/examples/NAME.svg, and prints the path. */
export async function savePicture(name, picture) {
  const path = outputPath(`${name}.svg`)
  await picture.save(path)
  printPicture(path)
}

/** Prints the path of a picture. */
export const printPicture = (path) => console.log(`\nPicture: ${relative('.', path)}`)

/**
 * Prints what the example claims and whether it holds. If something does not, the program ends with an error.
 *
 *   claim({ 'at least 95 % of the digits are read': accuracy >= 0.95 })
 */
export function claim(claims) {
  console.log()
  for (const [text, holds] of Object.entries(claims)) {
    console.log(`${holds ? '✓' : '✗ MISSED:'} ${text}`)
    if (!holds) process.exitCode = 1
  }
}
