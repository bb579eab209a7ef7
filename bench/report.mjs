// Puts tables into a file; format.mjs makes them. Measures nothing.
import { readFileSync, writeFileSync } from 'node:fs'

export { formatMilliseconds, table } from './format.mjs'

/** Replaces the text between `<!-- name:start -->` and `<!-- name:end -->`. */
export function replaceTable(file, name, markdown) {
  const [start, end] = [`<!-- ${name}:start -->`, `<!-- ${name}:end -->`]
  const text = readFileSync(file, 'utf8')
  const [from, to] = [text.indexOf(start), text.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`${file}: the markers ${start} and ${end} are missing`)
  writeFileSync(file, `${text.slice(0, from + start.length)}\n\n${markdown}\n\n${text.slice(to)}`)
}
