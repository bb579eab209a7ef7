// The form of quantized layers in files of other programs: those programs have no such layers, so their files have the layers
// before quantization, with the rounded weights as float32.

import { fileScope, withFile } from '../core/file-scope'
import { warnOnce } from '../core/warnings'
import type { LayerBase } from './layer'

/** Whether quantized layers have the form of float32 layers now. */
export function isFloatForm(): boolean {
  return fileScope().isInFloats === true
}

/** Runs `body`, which reads or writes a file of another program, while quantized layers have the float form. It must be synchronous. */
export function inFloatForm<Result>(body: () => Result): Result {
  return withFile({ isInFloats: true }, body)
}

/** The same for `body`, which writes a model: warns once if the file has more bytes than the weights need. */
export function writtenAsFloats<Result>(model: LayerBase, body: () => Result): Result {
  if (model.allLayers.some(({ quantizationMode }) => quantizationMode !== null))
    warnOnce(
      'save: files of other programs have quantized weights as float32, rounded. A .safetensors file has them as integers, in a quarter of the bytes or less',
    )
  return inFloatForm(body)
}
