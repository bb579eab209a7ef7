// The namespace `utils`. Keras: `keras.utils`. The functions that read files are in `myelin/data`.

export { clearSession } from '../core/registry'
export { padSequences } from '../data/samples/pad-sequences'
export { PyDataset, PyDataset as Sequence } from '../data/samples/py-dataset'
export type { PyDatasetOptions } from '../data/samples/py-dataset'
export { toCategorical } from '../data/samples/splits'
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
} from './saving'
export { isKerasTensor } from './utils/is-keras-tensor'
export { Cross, Feature, FeatureSpace } from '../tables/feature-space'
export type {
  EncodedFeatures,
  FeatureKind,
  FeatureRecord,
  FeatureSpaceOptions,
  FeatureValues,
} from '../tables/feature-space'
export { normalize } from './utils/normalize'
export { Progbar } from './utils/progbar'
export type { ProgbarOptions, ProgbarValues } from './utils/progbar'
