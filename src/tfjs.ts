// myelin/tfjs: models of TensorFlow.js.

export { readTfjs } from './tfjs/files'
export type { TfjsOptions } from './tfjs/files'
export type { TfjsSource } from './tfjs/artifacts'
