// The public names. Bundlers drop the call, with the interpreter: package.json says that this module has no side effects. Only the entries
// of hosts pass the loader of files to models, because bundlers keep a call if a program uses a name of the same file.

import { runWithoutWasm } from './engine/runtime/without-wasm'

runWithoutWasm()

export * as activations from './namespaces/activations'
export * as ops from './namespaces/ops'
export * as random from './namespaces/random'
export { tensor } from './ops/convert'
export type { ShapedData, TensorLike, TensorsOf, TypedArray } from './ops/convert'
export { Tensor } from './ops/tensor'
export type { NestedArray, NumbersOfAnyRank, TensorData } from './ops/tensor'
export { StringTensor } from './ops/strings'
export type { NestedStrings } from './ops/strings'
export { Variable } from './ops/variable'
export { grad, jit, valueAndGrad } from './ops/transform'
export type { Argnums, DataArguments, GradOptions, GradientsOf, TensorFunction } from './ops/transform'
export { jvp } from './ops/jvp'
export { vjp } from './ops/vjp'
export type { AuxOption, Pullback } from './ops/vjp'
export { SeedGenerator } from './ops/random/generator'
export { setRandomSeed } from './ops/random/seed'
export type { DType } from './core/dtypes'
export type { Shape, TensorType } from './core/shapes'

export * as boundingBoxes from './ops/image/boxes'
export type { BoundingBoxFormat, BoundingBoxes } from './ops/image/boxes'

export { Sequential } from './models/sequential'
export { Model } from './models/model'
export type { FunctionalOptions, LayerChoice } from './models/model'
export type { ExportOptions, NamedValues, StateTree } from './models/members'
export { cloneModel } from './models/clone'
export { disassemble } from './models/disassemble'
export type { CloneFunction, CloneOptions } from './models/clone'
export type { Batch, ForwardOptions, ForwardResult, StepLogs } from './training/batch'
export type { Probe, ProbedStep } from './training/probes'
export type { SummaryOptions } from './models/summary'
export { TableModel } from './tables/table-model'
export type {
  ClassAnswer,
  ClassValue,
  LabelledOptions,
  TableAnswer,
  TableDescription,
  TableModelOptions,
} from './tables/table-model'
export type { TableKind, TableRow } from './tables/values'
export type { CompileOptions, MetricsOption, PerOutput } from './training/compiled'
export type { EvaluateOptions, FitOptions, PredictOptions, TrainOnBatchOptions, Verbosity } from './training/options'
export type {
  BatchData,
  Batches,
  ClassWeight,
  ClassWeights,
  DataOf,
  RowOf,
  TargetKeys,
  SampleWeights,
  TargetsOf,
  ValidationData,
} from './data/samples/data-types'
export { padSequences } from './data/samples/pad-sequences'
export type { PadSequencesOptions } from './data/samples/pad-sequences'
export { loadModel } from './files/load'
export { modelFromJSON } from './files/keras/json'
export * as models from './namespaces/models'
export type { LayerClass, LoadModelOptions, LoadOptions } from './models/load-options'

export { generate, generateTokens } from './generation/generate'
export type { GenerateOptions } from './generation/generate'
export type { SamplingOptions } from './generation/sampling'

export * from './layers'
export * as layers from './namespaces/layers'
export * as losses from './namespaces/losses'
export * as metrics from './namespaces/metrics'
export * as initializers from './namespaces/initializers'
export * as regularizers from './namespaces/regularizers'
export * as constraints from './namespaces/constraints'
export * from './optimizers'
export * as optimizers from './namespaces/optimizers'
export * as schedules from './namespaces/schedules'
export * from './training/callbacks'
export * as callbacks from './namespaces/callbacks'
export { Loss } from './losses'
export { Metric } from './metrics'
export { Initializer } from './parts/initializers'
export { Regularizer } from './parts/regularizers'
export { Constraint } from './parts/constraints'
export type { ActivationFunction, ActivationIdentifier } from './parts/activations'
export { clearSession } from './core/registry'
export { customObjectScope } from './models/scope'
export * as saving from './namespaces/saving'
export * as utils from './namespaces/utils'
export * as tree from './namespaces/tree'
export { PyDataset } from './data/samples/py-dataset'
export { registerKerasSerializable } from './files/own/registration'
export type { OptimizerIdentifier } from './optimizers/registry'
export type { Config, CustomObjects, Serialized } from './core/registry'

export { configure, dispose, runtimeInfo, threadsReady } from './engine/runtime/configure'
export type { RuntimeInfo, Settings } from './engine/runtime/configure'
export {
  ArgumentError,
  DataError,
  FormatError,
  MyelinError,
  NonFiniteError,
  ShapeError,
  StateError,
} from './core/errors'
