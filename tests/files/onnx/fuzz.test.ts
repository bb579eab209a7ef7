// Changed files are refused with an error of this library, or are models.
// modes: simd

import { readFileSync } from 'node:fs'
import { array, assert, asyncProperty, constantFrom, double, nat, oneof, option, record } from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { Dense, Input, Model, MyelinError, TimeDistributed, ops } from '../../../src'
import { loadOnnx, writeOnnx } from '../../../src/entries/onnx'
import { processorTime } from '../../helpers/processor-time'

const folder = new URL('../../golden/onnx/', import.meta.url)
const golden = JSON.parse(readFileSync(new URL('networks.json', folder), 'utf8')) as Record<
  string,
  { readonly inputs: Readonly<Record<string, never>> }
>
const STORED = ['perceptron-old', 'residual-training-old', 'streaming-old', 'patches-old', 'unet-old']
const NAMES = [...STORED, 'written']
const files = new Map<string, Uint8Array>(
  STORED.map((name) => [name, new Uint8Array(readFileSync(new URL(`networks/${name}.onnx`, folder)))]),
)

/** A file of our own, with a Scan and a Fourier transform. */
beforeAll(async () => {
  const x = Input({ shape: [3, 4], name: 'x' })
  const bent = new TimeDistributed({ layer: new Dense({ units: 2, activation: 'tanh' }) }).apply(x)
  const model = new Model({ inputs: x, outputs: ops.multiply(bent, ops.mean(ops.fft({ real: x, imag: x }).real)) })
  files.set('written', await writeOnnx(model))
})

async function outcome(name: string, bytes: Uint8Array): Promise<unknown> {
  try {
    const { inputs } = golden[name] ?? { inputs: { x: ops.ones([2, 3, 4]) as never } }
    const model = await loadOnnx(bytes)
    await model.predict((Object.keys(inputs).length === 1 ? Object.values(inputs)[0] : inputs) as never)
    model.dispose()
    return null
  } catch (error) {
    return error
  }
}

const byte = oneof(constantFrom(0, 1, 2, 7, 127, 128, 255), nat(255))
const place = double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
const change = record({ at: place, bytes: array(byte, { maxLength: 6 }), removed: nat(6) })

describe('changed files', () => {
  it('have a typed error or a model, soon', async () => {
    await assert(
      asyncProperty(
        constantFrom(...NAMES),
        array(change, { minLength: 1, maxLength: 4 }),
        option(place, { freq: 4 }),
        async (name, changes, end) => {
          let bytes = [...files.get(name)!]
          for (const { at, bytes: more, removed } of changes)
            bytes.splice(Math.floor(at * bytes.length), removed, ...more)
          if (end !== null) bytes = bytes.slice(0, Math.floor(end * bytes.length))
          const begin = processorTime()
          const found = await outcome(name, Uint8Array.from(bytes))
          expect(processorTime() - begin).toBeLessThan(20_000)
          if (found !== null) expect(found).toBeInstanceOf(MyelinError)
        },
      ),
      { numRuns: 240, seed: 7 },
    )
  })

  it('have a typed error or a model where single bytes differ', async () => {
    await assert(
      asyncProperty(constantFrom(...NAMES), place, byte, async (name, at, value) => {
        const bytes = files.get(name)!.slice()
        bytes[Math.floor(at * bytes.length)] = value
        const found = await outcome(name, bytes)
        if (found !== null) expect(found).toBeInstanceOf(MyelinError)
      }),
      { numRuns: 240, seed: 11 },
    )
  })
})
