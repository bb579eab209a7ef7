// Variables in a file: the names under which they are saved, and loading them into an existing model. Checks every
// tensor before it writes one.

import { FormatError, formatShape } from '../core/errors'
import { classNameOf, snakeCase } from '../core/registry'
import { sameShape } from '../core/shapes'
import type { LayerBase } from './layer'
import { inFormerOrder } from './weight-lists'
import { Tensor } from '../ops/tensor'
import type { Variable } from '../ops/variable'
import {
  decodeContainer,
  dtypeOf,
  encodeContainer,
  type NamedTensor,
  type Reading,
} from '../files/containers/safetensors'

export const FORMAT = 'myelin'
const WEIGHTS_FORMAT = `${FORMAT}-weights`
/** Version 2 numbers layers and weights in another order: see inFormerOrder. */
export const VERSION = 3

/** A variable with the name under which it is saved. */
export interface SavedVariable {
  readonly key: string
  readonly variable: Variable
}

/** The variables that files have for these weights. */
export function inFiles(weights: readonly Variable[]): readonly Variable[] {
  return weights.flatMap((weight) => weight.inFile ?? weight)
}

/** Variables under keys that contain their positions: `weights/3/dense/kernel`. */
export function numbered(group: string, variables: readonly Variable[]): SavedVariable[] {
  return variables.map((variable, i) => ({ key: `${group}/${i}/${variable.name}`, variable }))
}

/**
 * The weights of a model under structural paths, `encoder/dense_1/kernel`: class names in snake case, numbered among
 * their siblings, so that automatic layer names do not matter. Keras's rule for .weights.h5.
 */
export function weightPaths(model: LayerBase): SavedVariable[] {
  const found: SavedVariable[] = []
  const seen = new Set<object>()
  const walk = (layer: LayerBase, path: string): void => {
    if (seen.has(layer)) return
    seen.add(layer)
    const taken = new Map<string, number>()
    const unique = (name: string): string => {
      let count = taken.get(name) ?? 0
      // The numbered name may already belong to another weight: `dense`, `dense_1`, `dense`.
      while (count > 0 && taken.has(`${name}_${count}`)) count++
      const unique = count === 0 ? name : `${name}_${count}`
      taken.set(name, count + 1)
      if (unique !== name) taken.set(unique, 1)
      return `${path}${unique}`
    }
    for (const variable of inFiles(layer.ownWeights)) {
      if (seen.has(variable)) continue
      seen.add(variable)
      found.push({ key: unique(variable.name.split('/').at(-1)!), variable })
    }
    for (const inner of layer.sublayers) walk(inner, `${unique(snakeCase(classNameOf(inner)))}/`)
  }
  walk(model, '')
  return found
}

/** The contents of variables, for a container. */
export function namedTensors(variables: readonly SavedVariable[]): NamedTensor[] {
  // A view is enough: the container copies it.
  return variables.map(({ key, variable }) => ({ name: key, shape: variable.shape, data: variable.view }))
}

/** The bytes of a model's weights alone. */
export function saveWeights(model: LayerBase): Uint8Array {
  return encodeContainer(namedTensors(weightPaths(model)), { format: WEIGHTS_FORMAT, version: String(VERSION) })
}

/**
 * Copies the tensors of a file to variables, all or none. @throws FormatError naming the first one that does not fit
 */
function restore(variables: readonly SavedVariable[], tensors: ReadonlyMap<string, NamedTensor>): void {
  const found = variables.map(({ key, variable }) => ({ variable, data: fitting(key, variable, tensors).data }))
  for (const { variable, data } of found) variable.assign(new Tensor(data, variable.shape, variable.dtype))
}

function fitting(key: string, variable: Variable, tensors: ReadonlyMap<string, NamedTensor>): NamedTensor {
  const tensor = tensors.get(key)
  if (tensor === undefined) throw new FormatError(`The file lacks '${key}'`)
  if (!sameShape(tensor.shape, variable.shape)) {
    throw new FormatError(
      `'${key}' has shape ${formatShape(tensor.shape)}, the model needs ${formatShape(variable.shape)}`,
    )
  }
  const held = dtypeOf(tensor.data)
  if (held !== (variable.dtype === 'bool' ? 'int32' : variable.dtype))
    throw new FormatError(`'${key}' is ${held}, the model needs ${variable.dtype}`)
  return tensor
}

/** `weights/3/encoder/dense/kernel` → `weights/3/`: the rest is for readers, and depends on where a layer was built. */
export function positionOf(key: string): string {
  return /^\w+\/\d+\//.exec(key)?.[0] ?? key
}

/**
 * The same for numbered variables: the position decides which tensor belongs to which variable.
 * @param isWhole whether every tensor must belong to a variable
 * @throws FormatError for two tensors of one position, and for a tensor without a variable if `isWhole`
 */
export function restoreNumbered(
  variables: readonly SavedVariable[],
  tensors: ReadonlyMap<string, NamedTensor>,
  isWhole = false,
): void {
  const keys = new Map(variables.map(({ key }) => [positionOf(key), key]))
  const named = new Map<string, NamedTensor>()
  for (const [found, tensor] of tensors) {
    const key = keys.get(positionOf(found))
    if (key === undefined ? isWhole : named.has(key))
      throw new FormatError(`The file is damaged: its model does not read '${found}'`)
    if (key !== undefined) named.set(key, tensor)
  }
  restore(variables, named)
}

/** Whether a file numbers layers and weights in the order of versions before 3. */
export function isFormer({ format, version }: Readonly<Record<string, string>>): boolean {
  return (format === FORMAT || format === WEIGHTS_FORMAT) && version === undefined
}

/**
 * Loads the result of saveWeights or save into the weights of a model.
 * @param reading see decodeContainer
 */
export function loadWeightsFrom(model: LayerBase, bytes: Uint8Array, reading?: Reading): void {
  const { metadata, tensors } = decodeContainer(bytes, reading)
  if (model.weights.length === 0)
    throw new FormatError(`${model} has no weights yet: build it, or call it once, before loading weights`)
  const isModel = metadata['format'] === FORMAT
  const found = inFormerOrder(isFormer(metadata), () =>
    isModel ? numbered('weights', inFiles(model.weights)) : weightPaths(model),
  )
  if (isModel) restoreNumbered(found, tensors)
  else restore(found, tensors)
}
