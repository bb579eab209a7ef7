/** A plugin for rolldown and Vite. */
export const recordedOps: {
  readonly name: string
  resolveId(source: string): string | null
  load(id: string): string | null
  transform(code: string, id: string): string | null
}
/** The namespaces of recorded ops: the module of each, by its path, such as `ops` or `ops.image`. */
export const recordedModules: ReadonlyMap<string, string>
/** The ops of a namespace, and the names of their parameters that users may give by name: see src/layers/core/arguments-in-order.ts. */
export function parametersOfOps(path: string): ReadonlyMap<string, string>
