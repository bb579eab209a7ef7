// `import { activations } from 'myelin'`: the activations as functions, and those of names.

export * from '../parts/activations/functions'
export { deserialize, get } from '../parts/activations/by-name'
