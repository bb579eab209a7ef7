// NumPy's archives of arrays as a format of weights.

import { FormatError } from '../../core/errors'
import { readNpy, writeNpy } from '../../data/readers/npy'
import { readArchive, writeArchive } from '../containers/archive'
import { dtypeOf, type NamedTensor } from '../containers/safetensors'
import { Tensor } from '../../ops/tensor'
import type { ArrayFormat } from './format'

const ENDING = '.npy'

export const npz: ArrayFormat = {
  async read(bytes) {
    const arrays = new Map<string, NamedTensor>()
    for (const [file, content] of await readArchive(bytes)) {
      if (!file.endsWith(ENDING))
        throw new FormatError(`The archive has '${file}', which is not a NumPy array, so it is no .npz file`)
      const name = file.slice(0, -ENDING.length)
      const { shape, data } = await readNpy(content)
      arrays.set(name, { name, shape, data })
    }
    return arrays
  },
  async write(arrays) {
    const files = await Promise.all(
      arrays.map(async ({ name, shape, data }): Promise<[string, Uint8Array]> => {
        return [`${name}${ENDING}`, await writeNpy(new Tensor(data, shape, dtypeOf(data)))]
      }),
    )
    return writeArchive(new Map(files))
  },
}
