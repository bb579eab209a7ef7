// Keras's files as a format of models: for loadModel, loadWeights and save.

import type { ModelFormat } from '../models/format-hook'
import { typed } from '../core/tree'
import { writeKeras } from './files'
import { fillFromKeras, modelFromKeras } from './read'

export const kerasFormat: ModelFormat = {
  read: ({ bytes }, options) => modelFromKeras(bytes, options),
  fill: (model, bytes) => fillFromKeras(model, bytes),
  write: (model, path, options) => writeKeras(typed(model), path, options),
}
