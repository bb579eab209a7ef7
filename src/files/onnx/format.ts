// ONNX files as a format of models: for loadModel and save.

import { ArgumentError, FormatError } from '../../core/errors'
import type { FileFormat } from '../../models/file-format'
import { requireNew } from '../../models/overwrite'
import { requireModel } from '../../models/required-model'
import { readInputOptions } from './graph-model'
import { modelFromOnnx } from './load'
import { writeOnnx } from './write'

/** How `loadModel` reads and `model.save` writes ONNX files. */
export const onnxFormat: FileFormat = {
  read: (file, options) => modelFromOnnx(file, readInputOptions(options)),
  fill: async (model) => {
    throw new FormatError(`${model}: weights are not loaded from ONNX files. Load the whole model with loadModel.`)
  },
  write: async (model, path, { includeOptimizer, overwrite }) => {
    if (includeOptimizer === true) throw new ArgumentError('save: an ONNX file has no optimizer')
    if (overwrite === false) requireNew(path, 'save')
    requireModel('save', model)
    return writeOnnx(model, path)
  },
}
