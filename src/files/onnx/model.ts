// OnnxModel: the model of an ONNX file.

import { GraphModel } from './graph-model'

/**
 * The model of an ONNX file, which `loadOnnx` makes. Its inputs and outputs have the names of the file; one input or one
 * output is a plain tensor. It is trained, evaluated and saved like every Model.
 *
 * `predict` computes all rows at once if the first axis of an input is not known to be that of the samples, such as a
 * state [layers, batch, units]. With the option `batchSize` it divides the first axis of all inputs.
 */
// oxlint-disable-next-line typescript/no-explicit-any -- a parameter of type OnnxModel takes every one
export class OnnxModel<const In = any, const Out = any> extends GraphModel<In, Out> {
  static override readonly className: string = 'OnnxModel'
}
