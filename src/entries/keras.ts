// myelin/keras: files of Keras.

export { loadKerasWeights, readKeras, writeKeras, writeKerasWeights } from '../files/keras/files'
export type { KerasSource, KerasWriteOptions } from '../files/keras/files'
export { formerHardSigmoid } from '../files/keras/former'
// For loadModel, loadWeights and save, which load this module when they meet such a file.
export { kerasFormat } from '../files/keras/format'
export { modelFromJSON } from '../files/keras/json'
export { fillFromKeras } from '../files/keras/read'
export { saveKerasWeights } from '../files/keras/write'
