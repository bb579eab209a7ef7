// The public names of `myelin/standalone`, and nothing else.

export { exportModule, moduleFiles } from '../standalone/export-module'
export type { ExportOptions, ExportedFile } from '../standalone/export-module'
