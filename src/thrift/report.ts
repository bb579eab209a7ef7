// A report that prints itself as a table, and shows itself so in consoles and notebooks.

import { tableLines } from '../core/table'

/** The content of a table. */
export interface Table {
  readonly title: string
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
  /** The first column of numbers, and the first one after them. */
  readonly numbers: readonly [from: number, to: number]
  /** Lines after the table. */
  readonly notes?: readonly string[]
}

/** The base of reports. */
export abstract class Report {
  protected abstract table(): Table

  /** As a table. */
  toString(): string {
    const { title, head, rows, numbers, notes = [] } = this.table()
    return [title, ...tableLines(head, rows, (i) => i >= numbers[0] && i < numbers[1]), ...notes].join('\n')
  }

  /** Prints the table. */
  print(print: (line: string) => void = console.log): void {
    this.toString()
      .split('\n')
      .forEach((line) => print(line))
  }

  /** What `console.log` shows in Node and Bun. @internal */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString()
  }

  /** What `console.log` shows in Deno. @internal */
  [Symbol.for('Deno.customInspect')](): string {
    return this.toString()
  }

  /** What notebooks display. @internal */
  [Symbol.for('Jupyter.display')](): Readonly<Record<string, string>> {
    return { 'text/plain': this.toString() }
  }
}
