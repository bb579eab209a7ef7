// ONNX files as a format of models: for loadModel and save.

import { FormatError } from '../core/errors'
import type { ModelFormat } from '../models/format-hook'
import { modelFromOnnx } from './load'

export const onnxFormat: ModelFormat = {
  read: (file) => modelFromOnnx(file, {}),
  fill: async (model) => {
    throw new FormatError(`${model}: weights are not loaded from ONNX files. Load the whole model with loadModel.`)
  },
  write: async () => {
    throw new FormatError('save: models are not written as ONNX files')
  },
}
