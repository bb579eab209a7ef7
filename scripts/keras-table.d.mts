type Modules = Readonly<Record<string, Readonly<Record<string, { readonly kind: string; readonly first?: string }>>>>
interface Entry {
  readonly module: string
  readonly name: string
  readonly kind: string
  /** For a second name, the first one. */
  readonly first: string | undefined
  /** The path of the export, `ops.add` or `myelin/data.splitDataset`; null if the name is left out. */
  readonly ours: string | null
  /** Why the name is left out. */
  readonly why: string | undefined
}
export const NAMESPACES: Readonly<Record<string, string>>
export const PARTS_OF_OPS: readonly string[]
export const ELSEWHERE: Readonly<Record<string, string>>
export const LEFT_OUT: readonly { readonly module?: string; readonly names?: readonly string[]; readonly why: string }[]
export function camelCase(name: string): string
export function ownPath(module: string, name: string): string
export function entriesOf(modules: Modules): Entry[]
