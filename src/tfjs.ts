// myelin/tfjs: models of TensorFlow.js.

export { readTfjs, writeTfjs } from './tfjs/files'
export type { TfjsFiles, TfjsOptions } from './tfjs/files'
export type { TfjsSource } from './tfjs/artifacts'
