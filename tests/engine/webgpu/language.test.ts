// Language models on the GPU: weights of few bits give the tokens of the CPU, and stay where they are from token to token.
// modes: simd

import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { AdamW } from '../../../src'
import type { Shape } from '../../../src/core/shapes'
import { setAccelerator } from '../../../src/engine/runtime/accelerator'
import { Gpu } from '../../../src/engine/webgpu/device'
import { WebGpu } from '../../../src/engine/webgpu/webgpu'
import { CausalLM } from '../../../src/entries/language'
import { Decoding } from '../../../src/generation/decoding'
import { presetOf } from '../../helpers/language'
import { testGpu } from './adapter'
import { expectOnGpu, onGpu } from './both'

const gpu = await testGpu()

interface Case {
  readonly config: Readonly<Record<string, unknown>>
  readonly shapes: Readonly<Record<string, Shape>>
}
interface Fixture {
  readonly tokenizer: Readonly<Record<string, unknown>>
  readonly texts: readonly string[]
  readonly cases: Readonly<Record<'llama', Case>>
}
const {
  tokenizer,
  texts,
  cases: { llama },
}: Fixture = JSON.parse(readFileSync(new URL('../../golden/language/causal-lm.json', import.meta.url), 'utf8'))

/** A tiny Llama whose widths are not multiples of a group. */
const WIDTH = 40
const INNER = 72
const config = { ...llama.config, hidden_size: WIDTH, intermediate_size: INNER, head_dim: 10 }
const shapes = Object.fromEntries(
  Object.entries(llama.shapes).map(([name, shape]): [string, Shape] => {
    // Those of the fixture: a width of 16, 24 inner features, and 8 of keys and values.
    const widths = new Map([
      [16, WIDTH],
      [24, INNER],
      [8, WIDTH / 2],
    ])
    return [name, shape.map((extent) => widths.get(extent) ?? extent)]
  }),
)
const KINDS = ['int4', 'int8', 'float32'] as const

let folder: string
beforeAll(() => {
  folder = presetOf(config, shapes, tokenizer)
})

/** The likeliest tokens after a text. @param afterEach what is called after each token */
async function greedyTokens(lm: CausalLM, count: number, afterEach = (): void => undefined): Promise<number[]> {
  const start = lm.tokenizer.encode(texts[0]!)
  const decoding = new Decoding(lm.model, 1, start.length + count)
  const made: number[] = []
  for (let i = 0; i < count; i++) {
    const [scores] = await decoding.next([[...start, ...made]])
    made.push(scores!.indexOf(Math.max(...scores!)))
    afterEach()
  }
  await decoding.dispose()
  return made
}

/** The bytes that are written to a device. */
function countingWrites(device: GPUDevice): { readonly device: GPUDevice; readonly take: () => number } {
  let bytes = 0
  const queue = new Proxy(device.queue, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target)
      if (typeof value !== 'function') return value
      return (...args: unknown[]) => {
        if (name === 'writeBuffer') bytes += Number(args[4] ?? (args[2] as ArrayBufferView).byteLength)
        return Reflect.apply(value, target, args) as unknown
      }
    },
  })
  const counted = new Proxy(device, {
    get(target, name) {
      if (name === 'queue') return queue
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? (...args: unknown[]) => Reflect.apply(value, target, args) as unknown : value
    },
  })
  return {
    device: counted,
    take() {
      const taken = bytes
      bytes = 0
      return taken
    },
  }
}

describe.skipIf(gpu === null)('a language model', () => {
  it.each(KINDS)('with %s weights generates the 16 tokens of the CPU', async (weights) => {
    const lm = await CausalLM.fromPreset(folder, { weights })
    const expected = await greedyTokens(lm, 16)
    const { result, programs } = await onGpu(() => greedyTokens(lm, 16))
    expect(result).toEqual(expected)
    expect(new Set(expected).size).toBeGreaterThan(4)
    expectOnGpu(programs, 2)
  })

  it('writes only the token and its place for each token', async () => {
    const { device, take } = countingWrites(gpu!.device)
    const lm = await CausalLM.fromPreset(folder, { weights: 'int4' })
    const written: number[] = []
    setAccelerator(new WebGpu(new Gpu(device), 'always', 'the device of the tests', null))
    try {
      await greedyTokens(lm, 4, () => void written.push(take()))
    } finally {
      setAccelerator(null)
    }
    expect(written[0]).toBeGreaterThan(lm.model.weights.reduce((sum, { byteLength }) => sum + byteLength, 0))
    // The second token compiles the program of single steps.
    expect(written.slice(2)).toEqual([8, 8])
  })

  it.each(['int4', 'int8'] as const)('with %s weights trains adapters as on the CPU', async (weights) => {
    const losses = async (): Promise<number[]> => {
      const lm = await CausalLM.fromPreset(folder, { weights })
      lm.enableLora(4, { seed: 3 })
      lm.compile({ optimizer: new AdamW({ learningRate: 1e-2, epsilon: 1e-9 }) })
      const { history } = await lm.fit(texts.slice(0, 4), {
        batchSize: 4,
        epochs: 2,
        shuffle: false,
        recompute: weights === 'int4',
        verbose: 0,
      })
      await lm.dispose()
      return [...history['loss']!]
    }
    const expected = await losses()
    const { result, programs } = await onGpu(losses)
    result.forEach((loss, i) => expect(Math.abs(loss - expected[i]!)).toBeLessThan(1e-4))
    expect(result[1]).toBeLessThan(result[0]!)
    expectOnGpu(programs)
  })
})
