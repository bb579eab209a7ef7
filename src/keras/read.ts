// Reads `.keras` files. A model is made from `config.json`, built, compiled, and then filled from `model.weights.h5`; nothing is
// assigned before everything was checked.

import { FormatError } from '../core/errors'
import { limitWeights } from '../core/weight-limit'
import { sizeOf } from '../core/shapes'
import { modelFromJSON } from '../models/load'
import type { LoadOptions } from '../models/load'
import type { Model } from '../models/model'
import { readArchive } from './archive'
import { compileAs, compileConfig } from './compile'
import { openHdf5 } from './hdf5/read'
import type { Hdf5Dataset } from './hdf5/types'
import { own, isRecord, parseJson } from './json'
import { ObjectReader, formerHardSigmoid } from './objects'
import { optimizerState } from './slots'
import type { VariableGroups } from './weights'
import { assignmentsOf, variableGroups, weightsIn } from './weights'

type AnyModel = Model<unknown, unknown>

/** Elements that variables may have besides those in the file: 64 MB. */
const SPARE_ELEMENTS = 2 ** 24

/** The text of an entry. */
function textOf(files: ReadonlyMap<string, Uint8Array>, name: string): string {
  const bytes = files.get(name)
  if (bytes === undefined) throw new FormatError(`The .keras file is damaged: it has no ${name}`)
  return new TextDecoder().decode(bytes)
}

/** The model of a `.keras` file. */
export async function modelFromArchive(
  bytes: Uint8Array,
  { customObjects = {}, compile = true }: LoadOptions,
): Promise<AnyModel> {
  const files = await readArchive(bytes)
  const config = parseJson(textOf(files, 'config.json'), 'config.json')
  const metadata = parseJson(textOf(files, 'metadata.json'), 'metadata.json')
  const version = isRecord(metadata) ? own(metadata, 'keras_version') : undefined
  const weights = files.get('model.weights.h5')
  if (weights === undefined)
    throw new FormatError('The .keras file has no model.weights.h5; those with weights as .npz are not read')
  const groups = variableGroups(await openHdf5(weights))
  const isFormer = String(version).startsWith('2.')
  const saved = ObjectReader.model(config, customObjects, isFormer)
  const { largest, total } = sizesOf(groups)
  return limitWeights(largest, SPARE_ELEMENTS + 2 * total, () => {
    const model = modelFromJSON(saved, { customObjects: { formerHardSigmoid, ...customObjects } })
    fill(model, config, groups, isFormer, { customObjects, compile })
    return model
  })
}

function fill(
  model: AnyModel,
  config: Parameters<typeof compileConfig>[0],
  groups: VariableGroups,
  isFormer: boolean,
  { customObjects = {}, compile = true }: LoadOptions,
): void {
  const assignments = [...assignmentsOf(weightsIn(groups, model))]
  const compiled = compile ? compileConfig(config) : null
  if (compiled !== null) {
    compileAs(model, compiled, customObjects)
    const datasets = optimizerDatasets(groups)
    if (datasets.length > 0) {
      if (datasets.length > 2) model.optimizer.build(model.trainableWeights)
      assignments.push(...optimizerState(model.optimizer, datasets, isFormer))
    }
  }
  for (const [variable, value] of assignments) variable.assign(value)
}

function optimizerDatasets(groups: VariableGroups): readonly Hdf5Dataset[] {
  return groups.get('optimizer') ?? []
}

/** The elements of the largest array, and of all. */
function sizesOf(groups: VariableGroups): { readonly largest: number; readonly total: number } {
  const sizes = [...groups.values()].flat().map(({ shape }) => sizeOf(shape))
  return { largest: Math.max(1, ...sizes), total: sizes.reduce((sum, size) => sum + size, 0) }
}
