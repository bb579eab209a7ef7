// `import { activations } from 'myelin'`: the activations as functions, and those of names.

export * from './functions'
export { deserialize, get } from './by-name'
