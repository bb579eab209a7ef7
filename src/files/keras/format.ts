// Keras's files as a format of models: for loadModel, loadWeights and save.

import type { FileFormat } from '../../models/file-format'
import { requireNoInputOptions } from '../../models/load-options'
import { requireModel } from '../../models/required-model'
import { readerBeside } from '../../engine/runtime/beside'
import { writeKeras } from './files'
import { fillFromKeras, modelFromKeras } from './read'

/** How `loadModel` reads and `model.save` writes `.keras` and `.h5` files. */
export const kerasFormat: FileFormat = {
  read: ({ bytes }, options) => {
    requireNoInputOptions(options, 'a file of Keras')
    return modelFromKeras(bytes, options)
  },
  fill: (model, bytes, source, signal) =>
    fillFromKeras(model, bytes, readerBeside(source, bytes, 'loadWeights', signal)),
  write: async (model, path, options) => {
    requireModel('save', model)
    return writeKeras(model, path, options)
  },
}
