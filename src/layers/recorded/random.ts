// Random tensors as users call them: `import { random } from 'myelin'`. See ops.ts.

export * from '../../ops/random/random'
