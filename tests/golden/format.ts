// The shape of each fixture file in this folder, as make_fixtures.py writes it. Types only.
// All names are myelin's: Keras's class names, options in camelCase.

/** Row-major. The decimals are the shortest that give the same float32, so `new Float32Array(data)` is exact. */
export interface FixtureTensor {
  shape: number[]
  data: number[]
}

export type ConfigValue = string | number | boolean | null | (number | null)[] | Described | Described[]

/** A class and its options; omitted options have Keras's default. */
export interface Described {
  class: string
  config: { [option: string]: ConfigValue }
}

interface FixtureFile {
  /** The version of Keras that computed the file. */
  keras: string
}

// attention.json

export interface AttentionCase {
  name: string
  /** query, key and value */
  inputs: FixtureTensor[]
  bias: FixtureTensor | null
  /** 0 and 1 */
  mask: FixtureTensor | null
  options: { scale?: number; isCausal?: boolean }
  output: FixtureTensor
  outputWeights: FixtureTensor
  /** d sum(output · outputWeights) / d query, key, value and bias. */
  gradients: FixtureTensor[]
}

export interface AttentionFile extends FixtureFile {
  cases: AttentionCase[]
}

// activations.json

export interface ActivationCase {
  activation: string
  config: { [option: string]: number | boolean }
  input: FixtureTensor
  output: FixtureTensor
  outputWeights: FixtureTensor
  /** d sum(output · outputWeights) / d input */
  inputGradient: FixtureTensor
}

export interface ActivationsFile extends FixtureFile {
  cases: ActivationCase[]
}

// constraints.json

interface ConstraintCase {
  constraint: Described
  weight: FixtureTensor
  result: FixtureTensor
}

/** A Sequential model, fitted in order: batches of 4, 3 epochs, mean squared error. */
export interface FittedRun {
  layers: Described[]
  optimizer: Described
  x: FixtureTensor
  y: FixtureTensor
  initial: FixtureTensor[]
  final: FixtureTensor[]
}

export interface ConstraintsFile extends FixtureFile {
  cases: ConstraintCase[]
  runs: FittedRun[]
}

// normalized.json: layers that change with the batches they see

export interface NormalizedFile extends FixtureFile {
  runs: FittedRun[]
}

// layers/<family>.json: every layer is called with training = false

export interface LayerInput extends FixtureTensor {
  dtype: 'float32' | 'int32'
}

export interface LayerCase {
  name: string
  layer: Described
  inputs: LayerInput[]
  /** Whether the layer takes a list. */
  isList: boolean
  /** 0 and 1, for each input that has one; null if none has. */
  masks: (FixtureTensor | null)[] | null
  /** The initial state of a recurrent layer; null for zeros. */
  initialState: FixtureTensor[] | null
  /** Further arguments of the call; a mask is 0 and 1. */
  said?: Record<string, boolean | FixtureTensor>
  /** In Keras's order, kernel then bias; empty for a layer without weights. */
  weights: FixtureTensor[]
  output: FixtureTensor
  /** The last states of a recurrent layer with returnState; otherwise empty. */
  states: FixtureTensor[]
  outputMask: FixtureTensor | null
  /** The losses of the layer and its regularizers. */
  loss: number
  outputWeights: FixtureTensor
  /** d (sum(output · outputWeights) + ½ sum of all states) / d input; null for an input of integers. */
  inputGradients: (FixtureTensor | null)[]
  weightGradients: FixtureTensor[]
}

export interface LayersFile extends FixtureFile {
  cases: LayerCase[]
}

// preprocessing.json

export interface AdaptedCase {
  name: string
  layer: Described
  /** The arguments of adapt, one at a time. */
  batches: FixtureTensor[]
  /** The boundaries of Discretization; mean, then variance of Normalization. */
  found: FixtureTensor
  input: FixtureTensor
  output: FixtureTensor
}

/** A layer of images called with training = true. Not random: factors are [f, f]. */
export interface TrainedCase {
  name: string
  layer: Described
  input: FixtureTensor
  output: FixtureTensor
}

/** A layer called on black images with boxes in its format. */
export interface BoxedCase {
  name: string
  layer: Described
  training: boolean
  /** The shape of the images. */
  images: number[]
  boxes: FixtureTensor
  labels: FixtureTensor
  output: FixtureTensor
  outputLabels: FixtureTensor
}

/** A call of a function of keras.utils.bounding_boxes. */
export interface UtilityCase {
  name: string
  arguments: (FixtureTensor | number[] | number | string | boolean | null)[]
  output: FixtureTensor
}

export interface PreprocessingFile extends FixtureFile {
  adapted: AdaptedCase[]
  trained: TrainedCase[]
  boxed: BoxedCase[]
  utilities: UtilityCase[]
}

// embedding.json: Embedding → Flatten → Dense, or with maskZero Embedding → Dense; batches of 4 in order, six epochs

interface EmbeddingCase {
  maskZero: boolean
  optimizer: Described
  ids: FixtureTensor
  y: FixtureTensor
  initialWeights: FixtureTensor[]
  /** For each epoch. */
  loss: number[]
  weights: FixtureTensor[]
  predictions: FixtureTensor
}

export interface EmbeddingFile extends FixtureFile {
  cases: EmbeddingCase[]
}

// losses.json

interface LossCase {
  /** Not unique: the data's name, and `weighted`. */
  name: string
  loss: Described
  yTrue: FixtureTensor
  yPred: FixtureTensor
  /** The shape of the per-sample losses, or one that is aligned with it. */
  sampleWeight: FixtureTensor | null
  /** 1 for the predictions that are not masked. */
  mask?: FixtureTensor
  /** The loss with each reduction. `none`: per sample, times its weight. */
  none: FixtureTensor
  sum: number
  sumOverBatchSize: number
  mean: number
  meanWithSampleWeight: number
  /** d sum / d yPred, which is also d (sum of `none`) / d yPred; null where yPred is saturated. */
  sumGradient: FixtureTensor | null
  sumOverBatchSizeGradient: FixtureTensor | null
}

export interface LossesFile extends FixtureFile {
  cases: LossCase[]
  /**
   * The saved configuration of each class, with required options given and the others by default; without dtype, and
   * for losses without name.
   */
  configs: Described[]
}

// metrics.json

interface MetricBatch {
  yTrue: FixtureTensor
  yPred: FixtureTensor
  sampleWeight: FixtureTensor
}

interface MetricCase {
  metric: Described
  /** The key in `data`. Every batch is one updateState. */
  data: string
  /** Whether the batches' sampleWeight is passed. */
  weighted: boolean
  /** result() after each batch; a list for several thresholds or classes */
  results: (number | number[])[]
}

interface MeanCase {
  name: string
  updates: { values: FixtureTensor; sampleWeight: FixtureTensor | null; result: number }[]
}

export interface MetricsFile extends FixtureFile {
  data: { [name: string]: MetricBatch[] }
  cases: MetricCase[]
  /** The metric Mean, whose updateState takes values. */
  means: MeanCase[]
  /** The metric Sum, likewise. */
  sums: MeanCase[]
  /** As for losses. */
  configs: Described[]
}

// optimizers.json

interface OptimizerCase {
  name: string
  optimizer: Described
  /** The parameters after each of the file's gradients has been applied. */
  steps: FixtureTensor[][]
  /** Parts of the names, v0 and v1, of parameters that are excluded from weight decay. */
  exclude?: string[]
  /** The parameters at the end of training, for optimizers that keep an average. */
  finalized?: FixtureTensor[]
}

interface ScheduleCase {
  name: string
  schedule: Described
  steps: number[]
  /** The learning rate at each of `steps`. */
  values: number[]
}

export interface OptimizersFile extends FixtureFile {
  /** The initial parameters of every case. */
  parameters: FixtureTensor[]
  /** One list for each step: a gradient for each parameter. */
  gradients: FixtureTensor[][]
  cases: OptimizerCase[]
  schedules: ScheduleCase[]
}

// rules.json

interface RuleCase {
  name: string
  optimizer: Described
  /**
   * The parameters after each of the file's gradients has been applied, concatenated into one list; a case may end
   * early.
   */
  steps: number[][]
  exclude?: string[]
  finalized?: number[]
}

export interface RulesFile extends FixtureFile {
  names: string[]
  /** The initial parameters of every case. */
  parameters: FixtureTensor[]
  /** One list for each step: a gradient for each parameter. */
  gradients: FixtureTensor[][]
  cases: RuleCase[]
}

// regularizers.json

export interface RegularizersFile extends FixtureFile {
  cases: { regularizer: Described; weight: FixtureTensor; penalty: number; gradient: FixtureTensor }[]
}

// trajectories.json

/** Rows [start, end) of one of the file's `data`. */
export interface Rows {
  data: string
  rows: [start: number, end: number]
}

interface ValidationData {
  x: Rows
  y: Rows
  sampleWeight?: Rows
}

export interface TrajectoryCase {
  name: string
  /** Without the batch axis. */
  inputShape: number[]
  /** Of a Sequential. */
  layers: Described[]
  /** The key in the file's `initialWeights`. */
  initialWeights: string
  compile: {
    optimizer: Described
    loss: Described
    metrics: (string | Described)[]
    weightedMetrics: (string | Described)[]
  }
  /** Always with shuffle = false. */
  fit: {
    x: Rows
    y: Rows
    batchSize: number
    epochs: number
    validationData?: ValidationData
    sampleWeight?: Rows
    /** An omitted class has weight 1. */
    classWeight?: { [label: string]: number }
  }
  /** One value per epoch: loss, accuracy, valLoss, valAccuracy, … */
  history: { [name: string]: number[] }
  /** evaluate(x, y) after fit, with fit's batchSize and sampleWeight; classWeight does not affect it. */
  evaluate: { [name: string]: number }
  finalWeights: FixtureTensor[]
  /** predict of the first five rows of x */
  predictions: FixtureTensor
}

export interface TrajectoriesFile extends FixtureFile {
  data: { [name: string]: FixtureTensor }
  initialWeights: { [name: string]: FixtureTensor[] }
  cases: TrajectoryCase[]
}

// initializers.json: facts about the distributions, no random numbers

export interface InitializerCase {
  initializer: Described
  shape: number[]
  fanIn: number
  fanOut: number
  distribution:
    | 'uniform'
    | 'truncatedNormal'
    | 'untruncatedNormal'
    | 'constant'
    | 'identity'
    /** Orthonormal columns (rows, if there are fewer) of the matrix [product of all but the last axis, last axis], times gain. */
    | 'orthogonal'
  mean: number
  std: number
  /** null: unbounded */
  min: number | null
  max: number | null
}

export interface InitializersFile extends FixtureFile {
  cases: InitializerCase[]
}

// explain.json: the results of Captum, SHAP and scikit-learn; weights in Keras's layouts

export interface ExplainFile extends FixtureFile {
  /** Dense 8 tanh → Dense 5 relu → Dense 3. For the largest unit of each row unless another is named. */
  dense: {
    weights: FixtureTensor[]
    x: FixtureTensor
    baseline: FixtureTensor
    background: FixtureTensor
    units: number[]
    saliency: FixtureTensor
    gradient: FixtureTensor
    gradientTimesInput: FixtureTensor
    /** By the number of points, from the baseline. */
    integratedGradients: { [points: string]: { attributions: FixtureTensor; delta: FixtureTensor } }
    /** One element at a time, replaced by the baseline; two at a time, by 0. */
    occlusion: FixtureTensor
    occlusionOfTwo: FixtureTensor
    /** Shapley values of unit 1 against the background. */
    exact: FixtureTensor
    exactBase: FixtureTensor
    kernelShap: FixtureTensor
    /** For unit 1 and feature 2 of the background. */
    dependence: { grid: FixtureTensor; average: FixtureTensor; individual: FixtureTensor }
  }
  /** Conv2D 4 of 3 × 3 same tanh → MaxPooling2D → Conv2D 5 of 3 × 3 relu → Flatten → Dense 3. */
  cnn: {
    weights: FixtureTensor[]
    x: FixtureTensor
    units: number[]
    saliency: FixtureTensor
    gradientTimesInput: FixtureTensor
    integratedGradients: { attributions: FixtureTensor; delta: FixtureTensor }
    /** Windows of three rows and two columns, with strides of two rows and one column. */
    occlusion: FixtureTensor
    gradCam: { coarse: FixtureTensor; heatMap: FixtureTensor }
    /** For unit 0 at the first convolution. */
    gradCamEarly: FixtureTensor
  }
  /** Embedding 12 × 3 → Flatten → Dense 6 tanh → Dense 2; unit 1, from token 0. */
  tokens: { weights: FixtureTensor[]; x: number[][]; integratedGradients: FixtureTensor }
}

// functional.json

/** A value, or lists and records of trees. */
type FixtureTree<Leaf> = Leaf | FixtureTree<Leaf>[] | { [key: string]: FixtureTree<Leaf> }

/** The key of a layer, a nested model, or an op with further arguments. */
type Callee = string | { model: string } | { op: string; more?: (string | number)[] }

interface GraphCall {
  layer: Callee
  /** Names of symbols, and numbers; for an op the list of its arguments. */
  from: FixtureTree<string | number>
  /** The names of the results. */
  as: FixtureTree<string>
}

export interface GraphDescription {
  inputs: { [name: string]: { shape: number[]; dtype: 'float32' | 'int32' } }
  /** The inputs of the model: a tree of names. */
  order: FixtureTree<string>
  calls: GraphCall[]
  outputs: FixtureTree<string>
}

/** A Sequential: the options of its input, then the keys of its layers. */
type SequentialDescription = [{ shape: number[]; dtype?: 'int32' }, ...string[]]

type WeightsByLayer = { [layer: string]: FixtureTensor[] }

export interface FunctionalCase {
  name: string
  /** By key, which is also the name. `OutputPenalty` adds factor · mean(x²) to the loss. */
  layers: { [key: string]: Described }
  /** Nested models by key, in an order in which they can be made. */
  models: { [key: string]: GraphDescription | SequentialDescription }
  main: GraphDescription
  compile: {
    optimizer: Described
    loss: FixtureTree<string | null>
    lossWeights?: FixtureTree<number>
    metrics?: FixtureTree<string | null>
    weightedMetrics?: FixtureTree<string | null>
  }
  /** Trees of names of the file's `data`: rows 0 … 9, and rows 10 … 13 for validation. Never shuffled. */
  fit: {
    x: FixtureTree<string>
    y: FixtureTree<string>
    sampleWeight?: FixtureTree<string>
    batchSize: number
    epochs: number
    validation: boolean
  }
  /** Layers that are frozen in a first fit, and not in a second one, which starts with another compile. */
  freeze?: string[]
  frozenHistory?: { [name: string]: number[] }
  frozenWeights?: WeightsByLayer
  initialWeights: WeightsByLayer
  /** null for numbers that Keras on JAX does not report: metrics of training if the predictions are masked. */
  history: { [name: string]: number[] | null }
  /** evaluate on the training rows, with the same weights. */
  evaluate: { [name: string]: number }
  finalWeights: WeightsByLayer
  /** predict on the validation rows. */
  predictions: FixtureTree<FixtureTensor>
}

export interface FunctionalFile extends FixtureFile {
  data: { [name: string]: LayerInput }
  cases: FunctionalCase[]
}

// ops/<family>.json

/** NaN and infinities are strings. */
export interface OpTensor {
  shape: number[]
  dtype: 'float32' | 'int32' | 'bool'
  data: (number | 'NaN' | 'Infinity' | '-Infinity')[]
}

export interface OpCase {
  op: string
  inputs: OpTensor[]
  /** Whether the first two are the parts of one complex operand. */
  pairs?: boolean
  /** Whether they are one argument, a list. */
  listed?: boolean
  /** The position, among the tensors, of the first of `more`. Default after them. */
  insert?: number
  /** The arguments after the tensors. */
  more: unknown[]
  outputs: OpTensor[]
  /** For the gradients. Default 1e-5. */
  tolerance?: number
  /** d Σ w · output / d input for each float32 input; see flat_weights in ops.py for w. */
  gradients?: OpTensor[]
  /** d Σ w · gradient / d input */
  second?: OpTensor[]
}

export interface OpsFile extends FixtureFile {
  cases: OpCase[]
}

// control.json

/** A function of tests/ops/control-golden.test.ts; the other fields are those of an OpCase. */
export interface ControlCase {
  name: string
  inputs: OpTensor[]
  outputs: OpTensor[]
  gradients?: OpTensor[]
  second?: OpTensor[]
}

export interface ControlFile extends FixtureFile {
  cases: ControlCase[]
}

// order.json: random graphs in which every symbol is [batch, 3]

/** Each step gives one symbol, a nested model one per output; they are numbered consecutively. */
type OrderStep =
  | { input: string }
  | { class: string; name: string; from: number[] }
  | { again: string; from: [number] }
  | { op: 'add' | 'multiply' | 'tanh' | 'maximum'; from: number[] }
  | { model: string; from: number[] }

export interface OrderModel {
  steps: OrderStep[]
  /** Numbers of symbols, sometimes of one that a layer made. */
  inputs: number[]
  outputs: number[] | { [name: string]: number }
  /** Names of layers that are not trainable. */
  frozen: string[]
}

export interface OrderCase {
  /** Nested models, in an order in which they can be made. */
  models: { [key: string]: OrderModel }
  main: OrderModel
  /** Their names; '' for the layer of an input that another layer made. */
  layers: string[]
  /** `layer/variable`, or `layer/seed`. */
  weights: string[]
  variables: string[]
  trainable: string[]
  nonTrainable: string[]
  /** Computed with setWeights of wave(size, 7 i), for inputs wave(6, 100 + i). */
  predictions: FixtureTensor[]
}

export interface OrderFile extends FixtureFile {
  cases: OrderCase[]
}

/** masked-order.json: each step gives one symbol; `layers` are the names in Keras's order. */
export interface MaskedOrderFile extends FixtureFile {
  readonly cases: readonly {
    readonly steps: readonly (
      | { readonly input: string }
      | {
          readonly class: string
          readonly name: string
          readonly config: Readonly<Record<string, unknown>>
          readonly from: readonly number[]
        }
    )[]
    readonly outputs: readonly number[]
    readonly layers: readonly string[]
  }[]
}

export type SignatureDefault = string | number | boolean | null | readonly number[]
/** A required parameter has no default. */
export type SignatureParameter = readonly [name: string, initial?: SignatureDefault]

/** Numbers that JSON lacks are strings. */
export interface StoredTensor {
  readonly dtype: 'float32' | 'int32' | 'bool'
  readonly shape: readonly number[]
  readonly data: readonly (number | string)[]
}

interface SignatureCall {
  readonly op: string
  readonly given: readonly unknown[]
  readonly outputs: readonly StoredTensor[]
}

/** signatures.json */
export interface SignaturesFile {
  readonly keras: string
  readonly signatures: Readonly<
    Record<'ops' | 'image' | 'random' | 'activations', Readonly<Record<string, readonly SignatureParameter[]>>>
  >
  readonly calls: readonly SignatureCall[]
}

// paths.json

/** The paths of a model whose layers the test makes, sorted; every part in camelCase. */
export interface PathsCase {
  name: string
  /** Of the layers that have a path in Keras. */
  layers: string[]
  variables: string[]
  inputSpec: unknown
  /** Of the slots of Adam, without their kinds. */
  slots: string[]
}

/** What a layer requires of its input before and after it is built. */
export interface InputSpecCase {
  layer: Described
  /** Without the batch. */
  shape: number[]
  before: unknown
  built: unknown
}

export interface PathsFile extends FixtureFile {
  models: PathsCase[]
  layers: InputSpecCase[]
}
