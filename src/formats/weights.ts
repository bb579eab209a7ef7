// Loads weights from a file into an existing model. Checks every tensor before it writes one.

import { FormatError, formatShape } from '../core/errors'
import { sameShape } from '../core/shapes'
import type { LayerBase } from '../layers/layer'
import { inFormerOrder } from '../layers/weights'
import type { Variable } from '../ops/variable'
import type { NamedTensor } from './safetensors'
import { decodeContainer, dtypeOf } from './safetensors'
import type { SavedVariable } from './save'
import { FORMAT, WEIGHTS_FORMAT, numbered, weightPaths } from './save'

/**
 * Copies the tensors of a file to variables, all or none. @throws FormatError naming the first one that does not fit
 */
export function restore(variables: readonly SavedVariable[], tensors: ReadonlyMap<string, NamedTensor>): void {
  const found = variables.map(({ key, variable }) => ({ variable, data: fitting(key, variable, tensors).data }))
  for (const { variable, data } of found) variable.view.set(data)
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

/** The same for numbered variables: the position decides which tensor belongs to which variable. */
export function restoreNumbered(variables: readonly SavedVariable[], tensors: ReadonlyMap<string, NamedTensor>): void {
  const byPosition = new Map([...tensors].map(([key, tensor]) => [positionOf(key), tensor]))
  const named = new Map<string, NamedTensor>()
  for (const { key } of variables) {
    const tensor = byPosition.get(positionOf(key))
    if (tensor !== undefined) named.set(key, tensor)
  }
  restore(variables, named)
}

/** Whether a file numbers layers and weights in the order of versions before 3. */
export function isFormer({ format, version }: Readonly<Record<string, string>>): boolean {
  return (format === FORMAT || format === WEIGHTS_FORMAT) && version === undefined
}

/** Loads the result of saveWeights or save into the weights of a model. */
export function loadWeightsFrom(model: LayerBase, bytes: Uint8Array): void {
  const { metadata, tensors } = decodeContainer(bytes)
  if (model.weights.length === 0)
    throw new FormatError(`${model} has no weights yet: build it, or call it once, before loading weights`)
  const isModel = metadata['format'] === FORMAT
  const found = inFormerOrder(isFormer(metadata), () =>
    isModel ? numbered('weights', model.weights) : weightPaths(model),
  )
  if (isModel) restoreNumbered(found, tensors)
  else restore(found, tensors)
}
