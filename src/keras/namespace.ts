// The namespace `models`, of which modelFromJSON reads the JSON of Keras as well. Keras: `keras.models`.

export { saveModel } from '../saving/files'
export { cloneModel } from '../models/clone'
export { loadModel } from '../models/load'
export { modelFromJSON } from './json'
export { Model } from '../models/model'
export { Sequential } from '../models/sequential'
