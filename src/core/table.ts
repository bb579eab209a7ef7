// Text tables: numbers with thousands separators, bytes, and borders around cells.

/** 1234567 → `1,234,567` */
export function count(n: number): string {
  return n.toLocaleString('en-US')
}

/** `1 unit`, `2 units`, `1,234 units`. @param many the plural, if it is not the word with an s */
export function counted(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`
}

/** 1536 → `1.50 KB`; a KB has 1024 bytes. */
export function formatBytes(n: number): string {
  if (n < 1024) return `${n} B`
  return n < 1024 * 1024 ? `${(n / 1024).toFixed(2)} KB` : `${(n / 1024 / 1024).toFixed(2)} MB`
}

/** The lines of a table with a header; columns of numbers are right-aligned. */
export function tableLines(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  isNumber: (column: number) => boolean,
): string[] {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)))
  const line = (left: string, middle: string, right: string): string =>
    left + widths.map((width) => '─'.repeat(width + 2)).join(middle) + right
  const cells = (row: readonly string[]): string =>
    `│ ${row.map((cell, i) => (isNumber(i) ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!))).join(' │ ')} │`
  return [line('┌', '┬', '┐'), cells(head), line('├', '┼', '┤'), ...rows.map(cells), line('└', '┴', '┘')]
}
