// Random tensors as users import them: `import { random } from 'myelin'`.

export * from './random'
