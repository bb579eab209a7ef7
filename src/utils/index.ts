// The namespace `utils`. Keras: `keras.utils`; what reads files is in `myelin/data`.

export { clearSession } from '../core/registry'
export { padSequences } from '../data/pad-sequences'
export { PyDataset, PyDataset as Sequence } from '../data/py-dataset'
export type { PyDatasetOptions } from '../data/py-dataset'
export { toCategorical } from '../data/splits'
export { cloneModel } from '../models/clone'
export { setRandomSeed } from '../ops/random/seed'
export {
  customObjectScope,
  deserializeKerasObject,
  getCustomObjects,
  getRegisteredName,
  getRegisteredObject,
  registerKerasSerializable,
  serializeKerasObject,
} from '../saving'
export { isKerasTensor } from './is-keras-tensor'
export { Cross, Feature, FeatureSpace } from './feature-space'
export type { EncodedFeatures, FeatureKind, FeatureRecord, FeatureSpaceOptions, FeatureValues } from './feature-space'
export { normalize } from './normalize'
export { Progbar } from './progbar'
export type { ProgbarOptions, ProgbarValues } from './progbar'
