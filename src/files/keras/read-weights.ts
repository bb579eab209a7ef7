// The variables of a model from `model.weights.h5`. Every array is checked before the first one is copied, so that a model is loaded
// as a whole or not at all.

import { allocateData } from '../../core/dtypes'
import { FormatError, formatShape, listed } from '../../core/errors'
import { sameShape, sizeOf } from '../../core/shapes'
import type { LayerBase } from '../../layers/layer'
import { Tensor } from '../../ops/tensor'
import type { Variable } from '../../ops/variable'
import { isNumbers, type Hdf5Dataset, type Hdf5Group } from './hdf5/types'
import { loadOwn, writesOwn } from './own-variables'
import { placesOf } from './places'

/** An array of the file for a variable. */
export interface Loaded {
  readonly variable: Variable
  readonly path: string
  readonly dataset: Hdf5Dataset
}

/** The datasets of each layer, in order, by the path of its group. Keras has attributes with and without an underscore. */
export type VariableGroups = ReadonlyMap<string, readonly Hdf5Dataset[]>

const withoutUnderscores = (path: string): string => path.replace(/(^|\/)_+/g, '$1')

/** The numbered datasets of all groups `vars`, whose members may be in several files. */
export function variableGroups(...roots: readonly Hdf5Group[]): VariableGroups {
  const found = new Map<string, Map<string, Hdf5Group | Hdf5Dataset>>()
  const visit = (group: Hdf5Group, path: string): void => {
    for (const [name, member] of group.members) {
      if (member.kind === 'dataset') continue
      if (name !== 'vars' && name !== 'inner_vars') {
        visit(member, path === '' ? name : `${path}/${name}`)
        continue
      }
      const key = name === 'vars' ? path : `${path}/inner_vars`
      const members = found.get(key) ?? new Map<string, Hdf5Group | Hdf5Dataset>()
      found.set(key, members)
      for (const [number, array] of member.members) {
        // It belongs to the configuration: see idfWeightsAt.
        if (number === 'idf_weights') continue
        if (members.has(number)) throw new FormatError(`The file is damaged: it has ${key}/${name}/${number} twice`)
        members.set(number, array)
      }
    }
  }
  for (const root of roots) visit(root, '')
  const groups = [...found].filter(([, members]) => members.size > 0)
  return new Map(groups.map(([path, members]) => [withoutUnderscores(path), numberedDatasets(members, path)]))
}

/** The names of the datasets of groups in which they are not all numbers. */
const namesOf = new WeakMap<readonly Hdf5Dataset[], readonly string[]>()

/** The datasets of a group, whose names are numbers from 0 on, or those that a layer chose. */
function numberedDatasets(members: ReadonlyMap<string, Hdf5Group | Hdf5Dataset>, path: string): readonly Hdf5Dataset[] {
  const names = [...members.keys()]
  if (names.some((name) => !/^\d+$/.test(name))) {
    const datasets = [...members.values()].filter((member) => member.kind === 'dataset')
    if (datasets.length < names.length) throw new FormatError(`The file is damaged: ${path}/vars has groups`)
    namesOf.set(datasets, names)
    return datasets
  }
  return Array.from({ length: members.size }, (_, i) => {
    const member = members.get(String(i))
    if (member?.kind === 'dataset') return member
    throw new FormatError(`The file is damaged: ${path}/vars has ${members.size} members, but no array ${i}`)
  })
}

/** Groups of a model that contain no weights: random streams, metrics, the optimizer. */
const OTHERS = /(?:^|\/)(?:seed_generator|(?:compile_)?metrics|loss_tracker|optimizer)(?:\/|_\d+\/|$)/

/**
 * The arrays of the weights of a model.
 * @param skipped takes the layers whose weights do not fit, which are then no problem; null for none
 * @throws FormatError that names weights that the file does not have, those that the model does not have, and those of other
 * shapes
 */
export function weightsIn(
  groups: VariableGroups,
  model: LayerBase,
  skipped: string[] | null = null,
): readonly Loaded[] {
  const left = new Set(groups.keys())
  const problems: string[] = []
  const loaded: Loaded[] = []
  for (const { path: place, variables, layer } of placesOf(model)) {
    const path = withoutUnderscores(place)
    const datasets = groups.get(path) ?? []
    left.delete(path)
    if (writesOwn(layer)) continue
    if (namesOf.has(datasets))
      problems.push(`${layer} has no loadOwnVariables for the arrays that the file has at ${place}`)
    const found = loadedOf({ layer, variables, datasets, path: `${place}/vars` }, skipped)
    if (found !== null) loaded.push(...found)
    else
      problems.push(
        `${layer} has ${variables.length} weights, but the file has ${datasets.length} at ${place === '' ? 'its root' : place}`,
      )
  }
  for (const path of left)
    if (skipped === null && !OTHERS.test(path))
      problems.push(`the file has weights at ${path}, where the model has no layer`)
  requireFitting(loaded, problems)
  return loaded
}

/** Lets the layers that read their arrays themselves do so. */
export function loadOwnVariables(groups: VariableGroups, model: LayerBase): void {
  for (const { path, layer } of placesOf(model)) {
    if (!writesOwn(layer)) continue
    const datasets = groups.get(withoutUnderscores(path)) ?? []
    const names = namesOf.get(datasets)
    loadOwn(
      layer,
      datasets.map((dataset, i) => [names?.[i] ?? String(i), dataset]),
    )
  }
}

/** @throws FormatError for problems, and for arrays of other shapes than their variables */
export function requireFitting(loaded: readonly Loaded[], problems: readonly string[]): void {
  const all = [...problems, ...loaded.flatMap(misfits)]
  if (all.length > 0) throw new FormatError(`The weights of the file do not fit the model: ${listed(all)}`)
}

/** The weights of a layer, and their arrays in a file. */
interface LayerArrays {
  readonly layer: LayerBase
  /** In the order of the arrays; null if it is not known. */
  readonly variables: readonly Variable[] | null
  readonly datasets: readonly Hdf5Dataset[]
  /** What the paths of the arrays begin with. */
  readonly path: string
}

/**
 * The arrays for the weights of a layer; null if there is another number of them, or another order.
 * @param skipped takes a layer whose weights do not fit, which then has no arrays; null for none
 */
export function loadedOf(
  { layer, variables, datasets, path }: LayerArrays,
  skipped: string[] | null,
): readonly Loaded[] | null {
  const found =
    variables?.length === datasets.length
      ? variables.map((variable, i): Loaded => ({ variable, path: `${path}/${i}`, dataset: datasets[i]! }))
      : null
  if (skipped === null || found?.every((each) => misfits(each).length === 0)) return found
  skipped.push(String(layer))
  return []
}

function misfits({ variable, path, dataset }: Loaded): string[] {
  if (!sameShape(dataset.shape, variable.shape))
    return [
      `${variable.name} has shape ${formatShape(variable.shape)}, but the file has ${formatShape(dataset.shape)} at ${path}`,
    ]
  return dataset.type === 'string' ? [`the file has strings at ${path}`] : []
}

/** The numbers of a dataset as a tensor of the type of a variable; a view of the file, if it has them in this type. */
export function tensorFor({ variable: { shape, dtype }, path, dataset }: Loaded): Tensor {
  const { values } = dataset.read()
  const count = sizeOf(shape)
  if (values.length !== count || !isNumbers(values))
    throw new FormatError(`The file is damaged: ${path} must have ${count} numbers, received ${values.length}`)
  if (dtype === 'float32' && values instanceof Float32Array) return new Tensor(values, shape, dtype)
  const data = allocateData(dtype, count)
  data.set(values)
  return new Tensor(data, shape, dtype)
}

/** A variable and the function that returns its next value, which cannot fail. */
export type Assignment = readonly [variable: Variable, value: () => Tensor]

/** The values of variables. Those whose reading may fail are read now; the others when they are assigned, so that few arrays are in memory. */
export function assignmentsOf(loaded: readonly Loaded[]): readonly Assignment[] {
  return loaded.map((each) => {
    if (each.dataset.isSafe) return [each.variable, () => tensorFor(each)]
    const value = tensorFor(each)
    return [each.variable, () => value]
  })
}

/** Assigns all values. */
export function assignAll(assignments: readonly Assignment[]): void {
  for (const [variable, value] of assignments) variable.assign(value())
}
