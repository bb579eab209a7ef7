// The namespace `models`. Keras: `keras.models`.

export { saveModel } from '../saving/files'
export { cloneModel } from './clone'
export { loadModel, modelFromJSON } from './load'
export { Model } from './model'
export { Sequential } from './sequential'
