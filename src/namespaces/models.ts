// The namespace `models`. Its modelFromJSON also reads the JSON of Keras. Keras: `keras.models`.

export { saveModel } from '../files/model-files'
export { cloneModel } from '../models/clone'
export { loadModel } from '../files/load'
export { modelFromJSON } from '../files/keras/json'
export { Model } from '../models/model'
export { Sequential } from '../models/sequential'
