// Files that were changed: each is refused with a FormatError, or has the same content. FLIPS=100000 flips that many bits.
// modes: simd

import { beforeAll, describe, expect, it } from 'vitest'
import { Adam, Dense, Input, MyelinError, Sequential, loadModel } from '../../src'
import { encodeContainer, decodeContainer } from '../../src/files/containers/safetensors'
import { generator } from '../helpers/data'
import { errorOf } from '../helpers/training'

const flips = Number(process.env['FLIPS'] ?? 400)
let bytes: Uint8Array
/** The number of bytes before the tensors. */
let header: number

const made = (): Sequential => {
  const model = new Sequential([Input({ shape: [4] }), new Dense(8), new Dense(3, { activation: 'softmax' })])
  model.compile({ optimizer: new Adam(), loss: 'categoricalCrossentropy', metrics: ['accuracy'] })
  return model
}

beforeAll(async () => {
  const model = made()
  await model.fit([[1, 2, 3, 4]], [[1, 0, 0]], { verbose: 0 })
  bytes = await model.save()
  header = 8 + Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true))
})

describe('a flipped bit', () => {
  it('of the header or the data is found', async () => {
    const random = generator(5)
    // Every byte of the header, if there are that many flips; then any.
    for (let i = 0; i < flips; i++) {
      const at = i % 2 === 0 ? Math.floor((i / flips) * header) : Math.floor(random() * bytes.length)
      const changed = bytes.slice()
      changed[at]! ^= 1 << Math.floor(8 * random())
      const error = await errorOf(() => loadModel(changed))
      expect(error, `byte ${at}`).toBeInstanceOf(MyelinError)
    }
  }, 600_000)
})

describe('a tensor that the model does not need', () => {
  it.each(['more', 'weights/9/dense/kernel', 'optimizer/99/x'])('is refused: %s', async (name) => {
    const { metadata, tensors } = decodeContainer(bytes)
    const { xxh32: _checksum, ...others } = metadata
    const changed = encodeContainer([...tensors.values(), { name, shape: [2], data: new Float32Array(2) }], others)
    const error = await errorOf(() => loadModel(changed))
    expect(error.name).toBe('FormatError')
    expect(error.message).toContain(`its model does not read '${name}'`)
  })

  it('is allowed for the optimizer, if the model is not compiled', async () => {
    const model = await loadModel(bytes, { compile: false })
    expect(model.weights).toHaveLength(4)
  })
})

describe('a model with many metrics', () => {
  it('takes time in proportion to them', () => {
    const seconds = (count: number): number => {
      const model = made()
      model.compile({ loss: 'mse', metrics: Array.from({ length: count }, () => 'mae') })
      const started = performance.now()
      expect(model.metrics).toHaveLength(count + 1)
      return performance.now() - started
    }
    seconds(100)
    // 16 times as many took 250 times as long.
    expect(seconds(8000) / seconds(500)).toBeLessThan(100)
  })
})
