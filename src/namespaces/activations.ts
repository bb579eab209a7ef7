// The namespace `activations`: the activations as functions, and `get` and `deserialize`, which find them by name.

export * from '../parts/activations/functions'
export { deserialize, get } from '../parts/activations/by-name'
