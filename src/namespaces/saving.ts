// The namespace `saving`: files, and objects by name. Keras: `keras.saving`.

export { customObjectScope } from '../models/scope'
export { loadModel } from '../files/load'
export { loadWeights, saveModel, saveWeights } from '../files/model-files'
export { deserializeKerasObject, serializeKerasObject } from '../files/own/objects'
export type { SerializedObject } from '../files/own/objects'
export {
  getCustomObjects,
  getRegisteredName,
  getRegisteredObject,
  registerKerasSerializable,
} from '../files/own/registration'
