// Models of TensorFlow.js as a format of models: for loadModel, loadWeights and save.

import { requireModel } from '../../models/required-model'
import type { FileFormat } from '../../models/file-format'
import { openedFile } from '../../engine/runtime/beside'
import { artifactsOf } from './artifacts'
import { modelFrom, writeTfjs } from './files'
import { fillFromLayers } from './layers/read'
import { readStored } from './stores'

/** How `loadModel` reads and `model.save` writes models of TensorFlow.js. */
export const tfjsFormat: FileFormat = {
  read: async (file, options) => modelFrom(await artifactsOf(file, {}, 'loadModel'), options),
  readStored: async (address, options) => modelFrom(await readStored(address, 'loadModel'), options),
  fill: async (model, bytes, source, signal) => {
    signal?.throwIfAborted()
    const file = openedFile(source, bytes, 'loadWeights', signal)
    fillFromLayers(model, await artifactsOf(file, {}, 'loadWeights'))
  },
  write: async (model, path, options) => {
    requireModel('save', model)
    return (await writeTfjs(model, path, options)).json
  },
}
