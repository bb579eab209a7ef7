// The namespace `models`. Keras: `keras.models`.

export { saveModel } from './files'
export { cloneModel } from '../models/clone'
export { loadModel, modelFromJSON } from '../models/load'
export { Model } from '../models/model'
export { Sequential } from '../models/sequential'
