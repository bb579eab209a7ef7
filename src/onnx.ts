// The public names of `myelin/onnx`, and nothing else.

export { isOnnxFile as isOnnx } from './formats/onnx-file'
export { OnnxGraph } from './onnx/layer'
export type { OnnxGraphOptions } from './onnx/layer'
export type { Constants, GraphInput } from './onnx/graph-layer'
export type { ConstantLike } from './models/load-options'
export { loadOnnx } from './onnx/load'
export type { OnnxOptions } from './onnx/load'
export { OnnxModel } from './onnx/model'
// For loadModel, which loads this module when it meets such a file.
export { onnxFormat } from './onnx/format'
export { writeOnnx } from './onnx/write'
export type { WriteOnnxOptions } from './onnx/write'
