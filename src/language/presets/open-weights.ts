// interim
import { decodeContainer } from '../../files/containers/safetensors'
import type { StoredTensor } from '../families/weights'
import type { PresetFolder } from './preset-folder'
export async function openWeights(
  folder: PresetFolder,
  name = 'model.safetensors',
): Promise<ReadonlyMap<string, StoredTensor>> {
  const bytes = (await folder.bytes(name))!
  const others = {
    BF16: {
      bytes: 2,
      read: (b: Uint8Array) => {
        const from = new Uint16Array(new Uint8Array(b).buffer)
        const to = new Uint32Array(from.length)
        for (let i = 0; i < to.length; i++) to[i] = from[i]! << 16
        return new Float32Array(to.buffer)
      },
    },
  }
  return new Map(
    [...decodeContainer(bytes, { others }).tensors].map(([key, { shape, data }]) => {
      const row = data.length / (shape[0] ?? 1)
      return [
        key,
        { name: key, shape, read: async (a = 0, b = shape[0] ?? 1) => (data as Float32Array).slice(a * row, b * row) },
      ]
    }),
  )
}
