// What save does with the ending of a path.
// modes: simd

import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { ArgumentError, Dense, Sequential, StateError, loadModel } from '../../src/entries/node'
import { errorOf } from '../helpers/training'

const folder = mkdtempSync(join(tmpdir(), 'endings-'))
afterAll(() => rmSync(folder, { recursive: true }))

const model = new Sequential([new Dense({ units: 1, inputShape: [2] })])

it.each(['net.pt', 'net.PTH', 'net.tflite', 'net.pb', 'net.bin', 'net.npz', 'v1.2.ckpt', 'net.keras.zip'])(
  '%s is the ending of another program: the error lists those that are written',
  async (name) => {
    const error = await errorOf(() => model.save(join(folder, name)))
    expect(error).toBeInstanceOf(ArgumentError)
    expect(error.message).toContain(name)
    expect(error.message).toContain('.safetensors, .keras, .h5, .hdf5, .onnx, .json, /')
    expect(readdirSync(folder)).toEqual([])
  },
)

it.each(['net', 'net.safetensors', 'net.v2', '3-0.25', 'net.'])('%s is a file of this library', async (name) => {
  const path = join(folder, name)
  await model.save(path)
  expect((await loadModel(path)).getWeights()).toEqual(model.getWeights())
  rmSync(path)
})

it.each(['none/net.safetensors', 'none/net.keras', 'none/net.onnx', 'none/model.json'])(
  '%s: the error says that the folder is missing',
  async (name) => {
    const error = await errorOf(() => model.save(join(folder, name)))
    expect(error).toBeInstanceOf(StateError)
    expect(error.message).toContain('Make the folder')
  },
)
