// interim
import { decodeContainer } from '../../files/containers/safetensors'
import { fromBfloat16 } from '../../core/half'
import type { StoredTensor } from '../families/weights'
import type { PresetFolder } from './preset-folder'
export async function openWeights(folder: PresetFolder, name = 'model.safetensors'): Promise<ReadonlyMap<string, StoredTensor>> {
  const bytes = (await folder.bytes(name))!
  const others = { BF16: { bytes: 2, read: (b: Uint8Array) => Float32Array.from(new Uint16Array(b.slice().buffer), fromBfloat16) } }
  return new Map([...decodeContainer(bytes, { others }).tensors].map(([key, { shape, data }]) => {
    const row = data.length / (shape[0] ?? 1)
    return [key, { name: key, shape, read: async (a = 0, b = shape[0] ?? 1) => (data as Float32Array).slice(a * row, b * row) }]
  }))
}
