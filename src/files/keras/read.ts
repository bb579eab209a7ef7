// Reads Keras's files. A model is made from its configuration, built, compiled, and then filled with the arrays of the file; nothing is
// assigned before everything was checked.

import { utf8Text } from '../../core/text'
import { ArgumentError, FormatError, listed } from '../../core/errors'
import type { CustomObjects, Json } from '../../core/registry'
import { withFile } from '../../core/file-scope'
import { SPARE_ELEMENTS, limitWeights } from '../../core/weight-limit'
import { sizeOf } from '../../core/shapes'
import type { LayerBase } from '../../layers/layer'
import { compileSaved } from '../own/revive'
import type { LoadSettings } from '../../models/load-options'
import { Model } from '../../models/model'
import { TableModel, readTable } from '../../tables/table-model'
import type { FileReader } from '../../engine/runtime/beside'
import { isArchive, readArchive } from '../containers/archive'
import { compileConfig, compileOptions, warnOfState } from './compile'
import { openHdf5 } from './hdf5/read'
import { isNumbers, type Hdf5Dataset, type Hdf5Group } from './hdf5/types'
import { isRecord, valueAt, type JsonRecord } from '../containers/json'
import { isFormerVersion } from './keras-object'
import { inFloatForm } from '../../layers/float-form'
import { isKerasJson, isShardMap } from '../containers/first-bytes'
import { isLegacy, legacyFile, legacyOptimizer, legacyWeightsIn, memberAt, namesAt } from './legacy'
import { PATHS, trainedPaths } from './legacy-order'
import { ObjectReader, type FileParts } from './objects'
import { modelFromParsed, modelOf } from './json'
import { parsePythonJson } from './python-json'
import { readShards } from './shards'
import { optimizerArrays, optimizerState, type OptimizerFile } from './slots'
import { assignAll, assignmentsOf, loadOwnVariables, variableGroups, weightsIn, type Loaded } from './read-weights'

/** A file of either kind, in the same form. */
interface ModelFile extends FileParts {
  readonly root: Hdf5Group
  readonly config: Json
  readonly compile: JsonRecord | null
  /** The description of the table, of a TableModel. */
  readonly table?: Json | undefined
  weights(model: Model): readonly Loaded[]
  /** Lets layers read their arrays themselves. */
  loadOwn?(model: Model): void
  readonly optimizer: OptimizerFile & {
    readonly datasets: readonly Hdf5Dataset[]
    /** The paths of the weights that have a state, in files of this library. */
    readonly paths: readonly string[]
  }
}

/** The model of a file with JSON: it has the options of compile, if Keras wrote them, and new weights. */
function modelFromJsonFile(bytes: Uint8Array, { customObjects = {}, compile = true }: LoadSettings): Model {
  if (bytes.length > LONGEST_TEXT)
    throw new FormatError(`The JSON has ${bytes.length} bytes, more than that of a model`)
  const config = parsePythonJson(utf8Text(bytes), 'The file')
  const model = withFile({ fillsWeights: true }, () => modelFromParsed(config, customObjects))
  const saved = compile ? compileConfig(config) : null
  if (saved !== null) compileSaved(model, compileOptions(saved, model, customObjects), customObjects)
  return model
}

/**
 * The model of a `.keras` or `.h5` file, or of the JSON of one.
 * @throws FormatError for a damaged file, and for what this library does not have
 */
export async function modelFromKeras(bytes: Uint8Array, options: LoadSettings = {}): Promise<Model> {
  const { customObjects = {}, compile = true } = options
  if (isKerasJson(bytes)) return modelFromJsonFile(bytes, options)
  const file = isArchive(bytes) ? await archiveFile(bytes) : await legacyModelFile(bytes)
  const saved = ObjectReader.model(file.config, customObjects, file)
  const { largest, total } = sizesOf(file.root)
  return limitWeights(largest, SPARE_ELEMENTS + 2 * total, () => {
    const made = withFile({ fillsWeights: true }, () => modelOf(saved, customObjects))
    const model = file.table === undefined ? made : tableModelOf(made, file.table)
    fill(model, file, customObjects, compile)
    return model
  })
}

/** The same graph as a TableModel. @throws FormatError for a damaged description */
function tableModelOf({ input, output, name }: Model, table: Json): Model {
  return new TableModel({ inputs: input, outputs: output, name, table: readTable(table) })
}

/**
 * Fills a model with the weights of a file of any kind.
 * @param read reads other files in the folder of the file; null if that is not known
 * @param skipped takes the layers whose weights do not fit; null if that is an error
 */
export async function fillFromKeras(
  model: LayerBase,
  bytes: Uint8Array,
  read: FileReader | null = null,
  skipped: string[] | null = null,
): Promise<void> {
  if (!(model instanceof Model)) throw new ArgumentError(`Weights of a file need a model, received ${model}`)
  const roots = isShardMap(bytes)
    ? await readShards(bytes, read)
    : [isArchive(bytes) ? (await archiveFile(bytes)).root : await openHdf5(bytes)]
  const [root] = roots
  const isOld = roots.length === 1 && isLegacy(root!)
  const groups = isOld ? new Map<string, []>() : variableGroups(...roots)
  inFloatForm(() => {
    const loaded = isOld ? legacyWeightsIn(root!, model, skipped) : weightsIn(groups, model, skipped)
    if (skipped !== null && loaded.length === 0) throw new FormatError('No weight of the file fits the model')
    if (!isOld) loadOwnVariables(groups, model)
    assignAll(assignmentsOf(loaded))
  })
}

function fill(model: Model, file: ModelFile, customObjects: CustomObjects, compile: boolean): void {
  const assignments = [...assignmentsOf(file.weights(model))]
  if (compile && file.compile !== null) {
    compileSaved(model, compileOptions(file.compile, model, customObjects), customObjects)
    const { datasets, paths } = file.optimizer
    if (datasets.length > optimizerArrays(model.optimizer, file.optimizer).length)
      model.optimizer.build(model.trainableWeights)
    const isOthers = paths.length > 0 && String(trainedPaths(model.optimizer, model)) !== String(paths)
    const state = isOthers
      ? `it is that of ${listed(paths, ', ')}`
      : optimizerState(model.optimizer, datasets, file.optimizer)
    if (typeof state === 'string') warnOfState(model, state)
    else assignments.push(...state)
  }
  file.loadOwn?.(model)
  assignAll(assignments)
}

/** The bytes of a configuration in a smaller archive; parsed text takes up to twenty times its bytes in memory. */
const LONGEST_TEXT = 2 ** 22

async function archiveFile(bytes: Uint8Array): Promise<ModelFile> {
  const files = await readArchive(bytes)
  const jsonAt = (name: string): Json => {
    const found = files.get(name)
    if (found === undefined) throw new FormatError(`The .keras file is damaged: it has no ${name}`)
    if (found.length > Math.max(LONGEST_TEXT, bytes.length))
      throw new FormatError(`The .keras file is damaged: its ${name} has ${found.length} bytes`)
    return parsePythonJson(utf8Text(found), name)
  }
  const config = jsonAt('config.json')
  const metadata = jsonAt('metadata.json')
  const weights = files.get('model.weights.h5')
  if (weights === undefined)
    throw new FormatError('The .keras file has no model.weights.h5; weights in other files are not read')
  const root = await openHdf5(weights)
  const groups = variableGroups(root)
  const isFormer = isFormerVersion(metadata)
  return {
    root,
    config,
    isFormer,
    assets: files,
    idfWeights: (path) => idfWeightsAt(root, path),
    compile: compileConfig(config),
    table: isRecord(metadata) ? valueAt(metadata, 'table') : undefined,
    weights: (model) => weightsIn(groups, model),
    loadOwn: (model) => loadOwnVariables(groups, model),
    optimizer: { datasets: groups.get('optimizer') ?? [], isFormer, paths: optimizerPaths(root) },
  }
}

/** The tf-idf weights of a lookup layer, which are not among the numbered arrays. */
function idfWeightsAt(root: Hdf5Group, path: string): readonly number[] | undefined {
  const found = memberAt(root, `${path}/vars/idf_weights`)
  if (found?.kind !== 'dataset' || found.shape.length !== 1) return undefined
  const { values } = found.read()
  return isNumbers(values) ? Array.from(values) : undefined
}

/** The paths of the weights that the optimizer of a `.keras` file trained; none in files of Keras. */
function optimizerPaths(root: Hdf5Group): readonly string[] {
  const vars = memberAt(root, 'optimizer/vars')
  return vars?.kind === 'group' ? namesAt(vars, PATHS) : []
}

async function legacyModelFile(bytes: Uint8Array): Promise<ModelFile> {
  const root = await openHdf5(bytes)
  const { config, compile, isFormer } = legacyFile(root)
  if (config === null)
    throw new FormatError(
      'This HDF5 file has weights, but no model. Create the model, then load the weights into it: model.loadWeights(path)',
    )
  return {
    root,
    config,
    isFormer,
    compile,
    weights: (model) => legacyWeightsIn(root, model),
    optimizer: { ...legacyOptimizer(root), isFormer },
  }
}

/** The number of elements of the largest array, and of all arrays. */
function sizesOf(root: Hdf5Group): { readonly largest: number; readonly total: number } {
  let [largest, total] = [1, 0]
  const visit = (member: Hdf5Group | Hdf5Dataset): void => {
    if (member.kind === 'group') return member.members.forEach(visit)
    largest = Math.max(largest, sizeOf(member.shape))
    total += sizeOf(member.shape)
  }
  visit(root)
  return { largest, total }
}
