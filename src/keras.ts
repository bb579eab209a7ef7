// myelin/keras: files of Keras.

export { loadKerasWeights, readKeras } from './keras/files'
export type { KerasSource } from './keras/files'
export { formerHardSigmoid } from './keras/objects'
// For loadModel and loadWeights, which load this module when they meet such a file.
export { fillFromKeras, modelFromKeras } from './keras/read'
