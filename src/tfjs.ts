// myelin/tfjs: models of TensorFlow.js.

export { readTfjs, writeTfjs } from './tfjs/files'
export type { TfjsFiles, TfjsOptions } from './tfjs/files'
export type { TfjsSource } from './tfjs/artifacts'
export { TfjsGraph } from './tfjs/graph/layer'
export { TfjsModel } from './tfjs/graph/load'
// For loadModel, loadWeights and save, which load this module when they meet such a file.
export { tfjsFormat } from './tfjs/format'
