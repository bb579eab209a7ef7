// Every op, as users import it: `import { ops } from 'myelin'`. Works on concrete tensors at once, and on
// symbols inside traced functions.

export * from './elementwise'
export * from './activations'
export * from './reduce'
export * from './shape'
export * from './linalg'
export { foriLoop, map, scan } from './scan'
export type { ScanOptions } from './scan'
