// The public names of `myelin/onnx`, and nothing else.

export { isOnnx } from './onnx/file'
export { OnnxGraph } from './onnx/layer'
export type { ConstantLike, Constants, GraphInput, OnnxGraphOptions } from './onnx/layer'
export { loadOnnx } from './onnx/load'
export type { OnnxOptions } from './onnx/load'
export { OnnxModel } from './onnx/model'
export { saveAsOnnx, writeOnnx } from './onnx/write'
export type { WriteOnnxOptions } from './onnx/write'
