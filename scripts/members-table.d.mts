export const OTHER_NAMES: readonly {
  readonly of: readonly string[]
  readonly names: Readonly<Record<string, string>>
}[]
export const WITHOUT: readonly {
  readonly of: readonly string[]
  readonly names: readonly string[]
  readonly why: string
}[]
