// Formats results as text and Markdown, in Node and in pages. Measures nothing.

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
