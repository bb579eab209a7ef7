/** What tests use of report.mjs. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string
export function replaceTable(file: string, name: string, markdown: string): void
