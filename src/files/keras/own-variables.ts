// Layers that write their arrays themselves, with saveOwnVariables and loadOwnVariables: other names than the numbers of weights.

import { FormatError } from '../../core/errors'
import { Layer, type LayerBase } from '../../layers/layer'
import type { OwnVariables } from '../../layers/members'
import { toTensor } from '../../ops/convert'
import { Tensor } from '../../ops/tensor'
import { isNumbers, type Hdf5Array, type Hdf5Dataset } from './hdf5/types'

/** Whether a layer writes and reads its arrays itself. */
export function writesOwn({ saveOwnVariables, loadOwnVariables }: LayerBase): boolean {
  const { prototype } = Layer
  return saveOwnVariables !== prototype.saveOwnVariables || loadOwnVariables !== prototype.loadOwnVariables
}

/** The arrays that a layer writes, by their names. */
export function ownArrays(layer: LayerBase): [name: string, array: Hdf5Array][] {
  const store: OwnVariables = {}
  layer.saveOwnVariables(store)
  return Object.entries(store).map(([name, value]) => {
    const { data, shape, dtype } = toTensor(value, `${layer}: saveOwnVariables: ${name}`)
    if (name === '' || name.includes('/'))
      throw new FormatError(`${layer}: saveOwnVariables: a name must be without slashes, received '${name}'`)
    return [
      name,
      dtype === 'float32'
        ? { type: 'float32', shape, values: Float32Array.from(data) }
        : { type: 'int32', shape, values: Int32Array.from(data) },
    ]
  })
}

/** Lets a layer take its arrays of a file. @throws FormatError for strings, and what `loadOwnVariables` throws */
export function loadOwn(layer: LayerBase, datasets: readonly (readonly [name: string, dataset: Hdf5Dataset])[]): void {
  const store: OwnVariables = {}
  for (const [name, dataset] of datasets) {
    const { type, shape, values } = dataset.read()
    if (!isNumbers(values)) throw new FormatError(`${layer}: the file has strings at ${name}`)
    store[name] =
      type.startsWith('int') || type.startsWith('uint')
        ? new Tensor(Int32Array.from(values), [...shape], 'int32')
        : new Tensor(Float32Array.from(values), [...shape], 'float32')
  }
  layer.loadOwnVariables(store)
}
