// Every op as users call it: `import { ops } from 'myelin'`. The build and the tests replace this module: it then wraps each
// op with `recorded` of ../core/operation.ts, in a constant of its own, so that a bundle has only the ops that it uses
// (scripts/recorded-ops.mjs).

export * from '../../ops'
