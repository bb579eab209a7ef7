// myelin/tfjs: models of TensorFlow.js.

export { readTfjs, writeTfjs } from '../files/tfjs/files'
export type { TfjsFiles, TfjsOptions } from '../files/tfjs/files'
export type { TfjsSource } from '../files/tfjs/artifacts'
export { TfjsGraph } from '../files/tfjs/graph/layer'
export { TfjsModel } from '../files/tfjs/graph/load'
// For loadModel, loadWeights and save, which load this module when they meet such a file.
export { tfjsFormat } from '../files/tfjs/format'
