// The namespace `models`, of which modelFromJSON reads the JSON of Keras as well. Keras: `keras.models`.

export { saveModel } from '../files/model-files'
export { cloneModel } from '../models/clone'
export { loadModel } from '../files/load'
export { modelFromJSON } from '../files/keras/json'
export { Model } from '../models/model'
export { Sequential } from '../models/sequential'
