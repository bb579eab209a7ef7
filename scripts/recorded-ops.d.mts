/** A plugin for rolldown and Vite. */
export const recordedOps: {
  readonly name: string
  resolveId(source: string): string | null
  load(id: string): string | null
  transform(code: string, id: string): string | null
}
/** The namespaces of recorded ops: the module of each, by its path, such as `ops` or `ops.image`. */
export const recordedModules: ReadonlyMap<string, string>
