// Keras's public names and the names here: the data of docs/keras.md and of tests/keras.test.ts.
//
// A name of Keras is the export of the same name in camelCase, in the namespace of its module, unless a table below
// says otherwise. Keys are names as in tests/golden/keras-names.json, `module.name`, without `keras.`.

/** The namespace of each module of Keras that has one; '' is the package itself. */
export const NAMESPACES = {
  keras: '',
  ops: 'ops',
  'ops.image': 'ops.image',
  layers: 'layers',
  activations: 'activations',
  random: 'random',
  losses: 'losses',
  metrics: 'metrics',
  optimizers: 'optimizers',
  'optimizers.schedules': 'schedules',
  callbacks: 'callbacks',
  initializers: 'initializers',
  regularizers: 'regularizers',
  constraints: 'constraints',
  utils: 'utils',
  'utils.bounding_boxes': 'boundingBoxes',
  preprocessing: 'utils',
  'preprocessing.image': 'utils',
  'preprocessing.sequence': 'utils',
  tree: 'tree',
  saving: 'saving',
  models: '',
}

/** Modules of `keras.ops` whose names are all in `keras.ops`, too. */
export const PARTS_OF_OPS = ['ops.linalg', 'ops.nn', 'ops.numpy']

/** Names with another place or another name here. */
export const ELSEWHERE = {
  'keras.Function': 'Model',
  'keras.KerasTensor': 'Tensor',
  'keras.InputSpec': 'TensorSpec',
  'layers.InputSpec': 'TensorSpec',
  'ops.linalg': 'ops',
  'ops.nn': 'ops',
  'ops.numpy': 'ops',
  'optimizers.schedules': 'schedules',
  'random.SeedGenerator': 'SeedGenerator',
  'utils.set_random_seed': 'setRandomSeed',
  'utils.clear_session': 'clearSession',
  'utils.custom_object_scope': 'customObjectScope',
  'saving.custom_object_scope': 'customObjectScope',
  'saving.load_model': 'loadModel',
  'utils.pad_sequences': 'padSequences',
  'preprocessing.sequence.pad_sequences': 'padSequences',
  'models.model_from_json': 'modelFromJSON',
}

/** Names left out: of a whole module, or the listed ones, each with the reason. */
export const LEFT_OUT = [
  { module: 'applications', why: 'The package has no pretrained networks, and reads no files in the HDF5 format.' },
  { module: 'backend', why: 'There is one backend. Its names that are of use elsewhere are in `keras.utils`.' },
  {
    module: 'config',
    why: 'There is one backend, one dtype of floating-point numbers, one epsilon and one layout of images. `configure` sets the threads and the kind of engine.',
  },
  {
    module: 'datasets',
    why: 'The package has no data and starts no downloads. `myelin/data` reads files from any address.',
  },
  {
    module: 'distillation',
    why: '`distill` of `myelin/thrift` trains a small model on the answers of a large one.',
  },
  { module: 'distribution', why: 'A model runs on one machine, on one or several threads.' },
  { module: 'dtype_policies', why: 'Computation is in float32.' },
  {
    module: 'export',
    why: 'The formats are those of other frameworks. `model.save` writes a model for this library, in a container that others read.',
  },
  { module: 'mixed_precision', why: 'Computation is in float32.' },
  {
    module: 'quantizers',
    why: '`quantize` of `myelin/thrift` makes layers with int8 weights. GPTQ, AWQ, int4 and float8 are for models that are larger than a web page can load.',
  },
  {
    module: 'visualization',
    why: 'Pictures need a library for plots. `myelin/explain` draws its results as SVG.',
  },
  { module: 'wrappers', why: 'scikit-learn is a library for Python.' },
  {
    names: [
      'keras.DTypePolicy',
      'keras.FloatDTypePolicy',
      'keras.Quantizer',
      'keras.applications',
      'keras.backend',
      'keras.config',
      'keras.datasets',
      'keras.distillation',
      'keras.distribution',
      'keras.dtype_policies',
      'keras.export',
      'keras.mixed_precision',
      'keras.quantizers',
      'keras.visualization',
      'keras.wrappers',
    ],
    why: 'They belong to a module that is left out.',
  },
  {
    names: ['keras.legacy', 'optimizers.legacy', 'utils.legacy'],
    why: 'They keep programs of former versions of Keras alive.',
  },
  {
    names: ['layers.FlaxLayer', 'layers.JaxLayer', 'layers.TFSMLayer', 'layers.TorchModuleWrapper'],
    why: 'They call other frameworks.',
  },
  {
    names: ['callbacks.OrbaxCheckpoint'],
    why: 'Orbax is a library for Python. `ModelCheckpoint` and `BackupAndRestore` save runs.',
  },
  {
    names: ['optimizers.LossScaleOptimizer', 'optimizers.OptimizerMap'],
    why: 'The first one is for float16, in which nothing is computed here. The second one is a part of `MultiOptimizer`.',
  },
  {
    names: ['keras.RematScope', 'keras.remat'],
    why: 'They trade time for the memory of a GPU. Here, values whose times do not overlap share memory.',
  },
  {
    names: ['keras.StatelessScope', 'keras.SymbolicScope', 'keras.device', 'keras.name_scope'],
    why: 'They are for code that Keras shares among its backends.',
  },
  { names: ['keras.Operation'], why: 'A call of an op on symbols is recorded without a class of the user.' },
  { names: ['keras.version'], why: 'The version is that of `package.json`.' },
  {
    names: ['utils.CustomObjectScope', 'saving.CustomObjectScope'],
    why: 'JavaScript has no `with`. `customObjectScope` runs a function.',
  },
]

/**
 * Names that a later change adds. The test fails if one of them exists: then it has to be removed here.
 */
export const PENDING = {
  keras: 'activations models preprocessing saving tree utils',
  ops: `adaptive_average_pool adaptive_max_pool allclose angle argpartition associative_scan binary_crossentropy
    categorical_crossentropy cdist celu cond conj conjugate convert_to_numpy convert_to_tensor copy corrcoef correlate
    ctc_decode ctc_loss custom_gradient depth_to_space dtype eig erfc extract_sequences fabs fmax fmin fmod fold get_item glu
    hard_shrink hard_swish hard_tanh heaviside i0 imag image in_top_k is_tensor isneginf isposinf isreal istft jvp ldexp
    log_sigmoid logaddexp2 matrix_rank multi_hot nanargmax nanargmin nancumprod nancumsum nanmax nanmean nanmedian nanmin
    nanpercentile nanprod nanquantile nanstd nansum nanvar ndim nextafter nonzero percentile polar psnr real rearrange
    saturate_cast segment_prod select shape signbit size soft_shrink space_to_depth sparse_categorical_crossentropy
    sparse_plus sparse_sigmoid sparsemax squareplus stft swish switch tanh_shrink threshold trapezoid unfold unique
    unravel_index vectorize vectorized_map view view_as_complex view_as_real while_loop`,
  'ops.image': '*',
  layers: `AdaptiveAveragePooling1D AdaptiveAveragePooling2D AdaptiveAveragePooling3D AdaptiveMaxPooling1D AdaptiveMaxPooling2D
    AdaptiveMaxPooling3D AugMix ContrastLimitedAdaptiveHistogramEqualization HashedCrossing MaxNumBoundingBoxes MelSpectrogram
    Pipeline RandAugment RandomColorDegeneration RandomColorJitter RandomElasticTransform RandomHue RandomPerspective
    RandomPosterization RandomSaturation RandomSharpness ReversibleEmbedding STFTSpectrogram add average concatenate
    deserialize dot maximum minimum multiply serialize subtract`,
  activations: '*',
  random: 'beta binomial categorical gamma shuffle',
  losses: 'deserialize get serialize',
  metrics: `binary_accuracy categorical_accuracy concordance_correlation deserialize get pearson_correlation serialize
    sparse_categorical_accuracy sparse_top_k_categorical_accuracy top_k_categorical_accuracy`,
  optimizers: 'deserialize get serialize',
  'optimizers.schedules': 'deserialize serialize',
  callbacks: 'CallbackList ProgbarLogger',
  initializers: 'deserialize get serialize',
  regularizers: 'deserialize get serialize',
  constraints: 'deserialize get serialize',
  utils: '*',
  'utils.bounding_boxes': '*',
  preprocessing: '*',
  'preprocessing.image': '*',
  tree: '*',
  saving: '*',
  models: 'save_model',
}

/** `nan_to_num` → `nanToNum`; names of classes and constants stay. */
export function camelCase(name) {
  return /^[A-Z_]+$/.test(name) ? name : name.replace(/(?<=.)_(\w)/g, (_all, letter) => letter.toUpperCase())
}

/** @returns whether PENDING has a name of a module */
function isPending(module, name) {
  const listed = PENDING[module] ?? ''
  return listed === '*' || listed.split(/\s+/).includes(name)
}

/** @returns the reason for which a name is left out; undefined if it is not */
function reasonOf(module, name) {
  return LEFT_OUT.find(({ module: whole, names }) => whole === module || names?.includes(`${module}.${name}`))?.why
}

/**
 * All names of Keras, in the order of the file.
 * @param modules of tests/golden/keras-names.json
 */
export function entriesOf(modules) {
  return Object.entries(modules).flatMap(([module, names]) =>
    PARTS_OF_OPS.includes(module)
      ? []
      : Object.entries(names).map(([name, { kind, first }]) => {
          const key = `${module}.${name}`
          const why = reasonOf(module, name)
          const namespace = NAMESPACES[module]
          const own = namespace === '' ? camelCase(name) : `${namespace}.${camelCase(name)}`
          const ours = why === undefined ? (ELSEWHERE[key] ?? own) : null
          const pending = why === undefined && ELSEWHERE[key] === undefined && isPending(module, name)
          const second = ELSEWHERE[key] === undefined && why === undefined ? first : undefined
          return { module, name, kind, first: second, ours, why, pending }
        }),
  )
}
