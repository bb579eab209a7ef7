// Keras's public names and the names here: the data of docs/keras.md and of tests/api/keras.test.ts.
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
  models: 'models',
}

/** Modules of `keras.ops` whose names are all in `keras.ops`, too. */
export const PARTS_OF_OPS = ['ops.linalg', 'ops.nn', 'ops.numpy']

/** Names with another place or another name here; `myelin/data` is a separate module. */
export const ELSEWHERE = {
  'keras.Function': 'Model',
  'keras.KerasTensor': 'Tensor',
  'keras.InputSpec': 'TensorSpec',
  'keras.remat': 'ops.remat',
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
  'models.model_from_json': 'models.modelFromJSON',
  'keras.preprocessing': 'utils',
  'preprocessing.image': 'utils',
  'preprocessing.sequence': 'utils',
  'preprocessing.image_dataset_from_directory': 'myelin/data.imageDatasetFromDirectory',
  'preprocessing.text_dataset_from_directory': 'myelin/data.textDatasetFromDirectory',
  'preprocessing.timeseries_dataset_from_array': 'myelin/data.timeseriesDatasetFromArray',
  'preprocessing.image.load_img': 'myelin/data.readImage',
  'preprocessing.image.img_to_array': 'myelin/data.fromPixels',
  'utils.audio_dataset_from_directory': 'myelin/data.audioDatasetFromDirectory',
  'utils.bounding_boxes': 'boundingBoxes',
  'utils.image_dataset_from_directory': 'myelin/data.imageDatasetFromDirectory',
  'utils.img_to_array': 'myelin/data.fromPixels',
  'utils.load_img': 'myelin/data.readImage',
  'utils.split_dataset': 'myelin/data.splitDataset',
  'utils.text_dataset_from_directory': 'myelin/data.textDatasetFromDirectory',
  'utils.timeseries_dataset_from_array': 'myelin/data.timeseriesDatasetFromArray',
}

/** Names left out: of a whole module, or the listed ones, each with the reason. */
export const LEFT_OUT = [
  {
    module: 'applications',
    why: 'The package has no pretrained networks and starts no downloads. `loadModel` opens files into which Keras saved them.',
  },
  { module: 'backend', why: 'There is one backend. Its names that are useful elsewhere are in `keras.utils`.' },
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
    why: '`model.save` writes ONNX, `.keras`, TensorFlow.js and the format of this library, by the ending of the path. The other formats need their frameworks.',
  },
  { module: 'mixed_precision', why: 'Computation is in float32.' },
  {
    module: 'quantizers',
    why: '`quantize` of `myelin/thrift` makes layers with int8 or int4 weights. GPTQ, AWQ and float8 are for models that are larger than a web page can load.',
  },
  {
    module: 'visualization',
    why: '`myelin/plot` draws trainings, models, images and explanations as SVG.',
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
    why: 'They exist only for programs of former versions of Keras.',
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
    names: ['callbacks.CallbackList'],
    why: '`fit`, `evaluate` and `predict` call a list of callbacks. A loop of your own calls the methods of its callbacks.',
  },
  { names: ['callbacks.ProgbarLogger'], why: '`fit` shows its progress itself; `verbose` chooses the form.' },
  { names: ['utils.Config'], why: 'Options are plain objects, and classes refuse unknown ones.' },
  {
    names: ['utils.get_file'],
    why: 'The package does not store downloads on disk. `myelin/data` reads a file from its address.',
  },
  {
    names: ['utils.array_to_img', 'utils.save_img', 'preprocessing.image.array_to_img', 'preprocessing.image.save_img'],
    why: 'A page draws pictures on a canvas. In Node, a package for images writes files.',
  },
  {
    names: ['preprocessing.image.smart_resize'],
    why: '`ops.image.resize` with `cropToAspectRatio: true` computes the same.',
  },
  {
    names: [
      'utils.disable_interactive_logging',
      'utils.enable_interactive_logging',
      'utils.is_interactive_logging_enabled',
    ],
    why: '`fit`, `evaluate` and `predict` have the option `verbose`; there is no setting that applies to all calls.',
  },
  { names: ['utils.get_source_inputs'], why: '`model.inputs` has the inputs of a model.' },
  {
    names: ['utils.model_to_dot', 'utils.plot_model'],
    why: 'They need Graphviz. `plotModel` of `myelin/plot` draws the graph, and `model.summary` prints it.',
  },
  {
    names: ['utils.pack_x_y_sample_weight', 'utils.unpack_x_y_sample_weight'],
    why: 'A step gets a record, `{ x, y, sampleWeight }`, and a data set gives an array, `[x, y, sampleWeight]`. Use destructuring to take either apart.',
  },
  { names: ['utils.standardize_dtype'], why: 'A dtype has one form: its name.' },
  { names: ['saving.KerasFileEditor'], why: 'It edits files in the HDF5 format.' },
  { names: ['tree.lists_to_tuples'], why: 'JavaScript has no tuples.' },
  {
    names: ['keras.RematScope'],
    why: 'JavaScript has no `with` blocks. `ops.remat` takes the function whose values are computed again.',
  },
  {
    names: ['keras.StatelessScope', 'keras.SymbolicScope', 'keras.device', 'keras.name_scope'],
    why: 'They are for code that Keras shares among its backends.',
  },
  { names: ['keras.Operation'], why: 'Ops on symbols are recorded without a class of your own.' },
  { names: ['keras.version'], why: 'The version is that of `package.json`.' },
  {
    names: ['utils.CustomObjectScope', 'saving.CustomObjectScope'],
    why: 'JavaScript has no `with` blocks. `customObjectScope` takes a function, which runs in the scope.',
  },
]

/** `nan_to_num` → `nanToNum`; names of classes and constants stay. */
export function camelCase(name) {
  return /^[A-Z_]+$/.test(name) ? name : name.replace(/(?<=.)_(\w)/g, (_all, letter) => letter.toUpperCase())
}

/** @returns the reason for which a name is left out; undefined if it is not */
function reasonOf(module, name) {
  return LEFT_OUT.find(({ module: whole, names }) => whole === module || names?.includes(`${module}.${name}`))?.why
}

/** @returns where a name is if no table says otherwise */
export function ownPath(module, name) {
  const namespace = NAMESPACES[module]
  return namespace === '' ? camelCase(name) : `${namespace}.${camelCase(name)}`
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
          const elsewhere = ELSEWHERE[`${module}.${name}`]
          const why = reasonOf(module, name)
          const ours = why === undefined ? (elsewhere ?? ownPath(module, name)) : null
          return { module, name, kind, first: elsewhere === undefined && ours !== null ? first : undefined, ours, why }
        }),
  )
}
