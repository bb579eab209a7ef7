// myelin/keras: files of Keras.

export { loadKerasWeights, readKeras, writeKeras, writeKerasWeights } from './keras/files'
export type { KerasSource, KerasWriteOptions } from './keras/files'
export { formerHardSigmoid } from './keras/former'
// For loadModel, loadWeights and save, which load this module when they meet such a file.
export { kerasFormat } from './keras/format'
export { modelFromJSON } from './keras/json'
export { fillFromKeras } from './keras/read'
export { saveKerasWeights } from './keras/write'
