// The namespace `saving`: files, and objects by name. Keras: `keras.saving`.

export { customObjectScope } from '../models/scope'
export { loadModel } from '../models/load'
export { loadWeights, saveModel, saveWeights } from './files'
export { deserializeKerasObject, serializeKerasObject } from './objects'
export type { SerializedObject } from './objects'
export { getCustomObjects, getRegisteredName, getRegisteredObject, registerKerasSerializable } from './registration'
