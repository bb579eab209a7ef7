/** What tests use of pages.mjs. */
interface Block {
  readonly language: string
  readonly code: string
  readonly file: string | null
}

export const documents: readonly string[]
export function blocksOf(document: string): readonly Block[]
export function programOf(document: string): string | null
/** The files beside a program, by their names. */
export function filesOf(document: string): ReadonlyMap<string, string>
