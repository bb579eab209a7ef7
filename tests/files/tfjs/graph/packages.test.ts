// Graph-models of packages, against TensorFlow.js. They are too large for this repository: tests/golden/tfjs_models.mjs names
// their sources. Without them, nothing is tested.
// modes: simd

import { readFileSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Tensor, tensor } from '../../../../src'
import { graphModelFrom } from '../../../../src/files/tfjs/graph/load'
import { manifestTensors } from '../../../../src/files/tfjs/manifest'

interface Case {
  readonly path: string
  readonly backend: string
  readonly milliseconds: number
  readonly error?: string
  readonly inputs: readonly {
    readonly name: string
    readonly shape: number[]
    readonly dtype: string
    readonly data: number[]
  }[]
  readonly outputs: readonly { readonly name: string; readonly shape: number[]; readonly data: number[] }[]
}

const folder = process.env['TFJS_MODELS']
const names = folder === undefined ? [] : readdirSync(folder).filter((name) => name.endsWith('.json'))

describe.skipIf(names.length === 0)('models of packages', () => {
  it.each(names)(
    '%s',
    async (name) => {
      const { path, inputs, outputs, error, milliseconds } = JSON.parse(
        readFileSync(join(folder!, name), 'utf8'),
      ) as Case
      const json = JSON.parse(readFileSync(path, 'utf8')) as never
      const groups = (json as { weightsManifest: { paths: string[]; weights: never }[] }).weightsManifest.map(
        (group) => ({
          weights: group.weights,
          bytes: group.paths.map((each) => new Uint8Array(readFileSync(join(dirname(path), each)))),
        }),
      )
      const begin = performance.now()
      if (error !== undefined) {
        expect(() => graphModelFrom(json, manifestTensors(groups, name), name)).toThrow(/not available/)
        return
      }
      const model = graphModelFrom(json, manifestTensors(groups, name), name)
      const loaded = performance.now()
      const symbols = Object.values(
        model.input instanceof Tensor ? { x: model.input } : (model.input as Record<string, Tensor>),
      )
      const given = inputs.map((each) => tensor(each.data as never, each.shape, each.dtype as never))
      const keys = Object.keys(model.input instanceof Tensor ? {} : (model.input as object))
      const x = symbols.length === 1 ? given[0]! : Object.fromEntries(keys.map((key, i) => [key, given[i]!]))
      const predict = async (): Promise<Record<string, Tensor>> => {
        const y = (await model.predict(x as never)) as unknown
        return y instanceof Tensor ? { [outputs[0]!.name]: y } : (y as Record<string, Tensor>)
      }
      let y = await predict()
      const first = performance.now()
      y = await predict()
      const second = performance.now()
      const errors = outputs.map(({ name: key, shape, data }) => {
        const found = y[key]!
        expect(found.shape).toEqual(shape)
        const scale = data.reduce((most, each) => Math.max(most, Math.abs(each)), 1e-9)
        return data.reduce((most, each, i) => Math.max(most, Math.abs(each - found.data[i]!)), 0) / scale
      })
      const times = [loaded - begin, first - loaded, second - first].map((each) => each.toFixed(0))
      console.log(
        `${name}: ${model.trainableWeights.length} weights, ${model.countParams()} parameters, error ${Math.max(...errors).toExponential(1)}; load ${times[0]} ms, first ${times[1]} ms, second ${times[2]} ms; tfjs ${milliseconds.toFixed(0)} ms`,
      )
      expect(Math.max(...errors)).toBeLessThan(2e-4)
      model.dispose()
    },
    120_000,
  )
})
