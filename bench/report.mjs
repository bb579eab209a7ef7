// Formats results as Markdown and puts tables into a file. Measures nothing.
import { readFileSync, writeFileSync } from 'node:fs'

/** Three significant digits, in the unit that suits. */
export function formatMilliseconds(ms) {
  if (ms >= 1) return `${significant(ms)} ms`
  if (ms >= 1e-3) return `${significant(ms * 1e3)} µs`
  return `${significant(ms * 1e6)} ns`
}

function significant(value) {
  return value >= 100 ? Math.round(value).toLocaleString('en-US') : value.toPrecision(value >= 10 ? 3 : 2)
}

/** A Markdown table; the first column is text, the others are numbers. */
export function table(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n')
}

/** Replaces the text between `<!-- name:start -->` and `<!-- name:end -->`. */
export function replaceTable(file, name, markdown) {
  const [start, end] = [`<!-- ${name}:start -->`, `<!-- ${name}:end -->`]
  const text = readFileSync(file, 'utf8')
  const [from, to] = [text.indexOf(start), text.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`${file}: the markers ${start} and ${end} are missing`)
  writeFileSync(file, `${text.slice(0, from + start.length)}\n\n${markdown}\n\n${text.slice(to)}`)
}
