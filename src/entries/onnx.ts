// The public names of `myelin/onnx`, and nothing else.

export { isOnnxFile as isOnnx } from '../files/containers/onnx-file'
export { OnnxGraph } from '../files/onnx/layer'
export type { OnnxGraphOptions } from '../files/onnx/layer'
export type { Constants, GraphInput } from '../files/onnx/graph-layer'
export type { ConstantLike } from '../models/load-options'
export { loadOnnx } from '../files/onnx/load'
export type { OnnxOptions } from '../files/onnx/load'
export { OnnxModel } from '../files/onnx/model'
// For loadModel, which loads this module when it meets such a file.
export { onnxFormat } from '../files/onnx/format'
export { writeOnnx } from '../files/onnx/write'
export type { WriteOnnxOptions } from '../files/onnx/write'
