// The namespace `models`. Keras: `keras.models`.

export { saveModel } from './files'
export { cloneModel } from '../models/clone'
export { loadModel } from '../models/load'
export { modelFromJSON } from '../models/revive'
export { Model } from '../models/model'
export { Sequential } from '../models/sequential'
