// Sizes at the limits of devices: no elements, one element, more workgroups than a grid has along one axis, and models for which
// there is no memory.
// modes: simd

import '../../helpers/families'
import { afterAll, describe, expect, it } from 'vitest'
import * as m from '../../../src'
import type { Value } from '../../../src/engine/ir/graph'
import { setAccelerator } from '../../../src/engine/runtime/accelerator'
import type { GraphBuilder } from '../../../src/engine/transforms/builder'
import { Gpu } from '../../../src/engine/webgpu/device'
import { WebGpu } from '../../../src/engine/webgpu/webgpu'
import { expectClose } from '../../helpers/compare'
import { exactly, floats, integers, type TensorContent } from '../../helpers/data'
import { graphOf, interpretWide } from '../../helpers/graphs'
import { testGpu } from './adapter'
import { runOn } from './run-on'

const gpu = await testGpu()

type Body = (builder: GraphBuilder, inputs: readonly Value[]) => readonly Value[]

const one =
  (name: 'softmax' | 'exp', attributes = {}): Body =>
  (builder, [x]) => [builder.emitOne(name, [x!], attributes)]
const sums: Body = ({ e }, [x]) => [e.sum(x!, [0]), e.sum(x!, [1]), e.sum(x!, [0, 1])]
const product: Body = ({ e }, [a, b]) => [e.matmul(a!, b!)]
const gathered: Body = ({ e }, [x, indices]) => [e.gather(x!, indices!, 0), e.scatterAdd(x!, indices!, 0, 2)]
const joined: Body = ({ e }, [a, b]) => [e.concat([a!, b!], 0), e.transposeMatrix(a!)]

async function check(body: Body, inputs: readonly TensorContent[]): Promise<void> {
  const graph = graphOf(inputs, body)
  const { outputs: expected } = interpretWide(graph, inputs)
  const { outputs } = await runOn(gpu!, graph, inputs)
  outputs.forEach((output, i) => {
    expect(output.length).toBe(expected[i]!.length)
    expectClose(output, expected[i]!, { ulp: 8, absolute: 1e-4, signedZero: false }, `output ${i}`)
  })
}

const none = (shape: readonly number[]): TensorContent => exactly([], 'float32', [...shape])
const GROUPS = 65_535

describe.skipIf(gpu === null)('on the GPU', () => {
  it.each<[string, Body, TensorContent[]]>([
    ['a chain', one('exp'), [none([0, 5])]],
    ['softmax', one('softmax'), [none([0, 5])]],
    ['softmax of no columns', one('softmax'), [none([5, 0])]],
    ['sums', sums, [none([0, 5])]],
    ['a product without rows', product, [none([0, 5]), floats([5, 3])]],
    ['a product without terms', product, [none([3, 0]), none([0, 4])]],
    ['a product without columns', product, [floats([3, 5]), none([5, 0])]],
    ['gather and scatter', gathered, [none([3, 0]), exactly([2, 0, 1], 'int32')]],
    ['concat', joined, [none([0, 5]), floats([2, 5])]],
  ])('no elements: %s', (_, body, inputs) => check(body, inputs))

  it.each<[string, Body, TensorContent[]]>([
    ['a chain', one('exp'), [floats([1, 1])]],
    ['softmax', one('softmax'), [floats([1, 1])]],
    ['sums', sums, [floats([1, 1])]],
    ['a product', product, [floats([1, 1]), floats([1, 1])]],
    ['gather and scatter', gathered, [floats([1, 1]), exactly([0], 'int32')]],
    ['concat', joined, [floats([1, 1]), floats([1, 1])]],
  ])('1×1: %s', (_, body, inputs) => check(body, inputs))

  it.each<[string, Body, TensorContent[]]>([
    ['a chain', one('exp'), [floats([64 * GROUPS + 1])]],
    ['softmax', one('softmax'), [floats([GROUPS + 2, 2])]],
    ['sums of rows', ({ e }, [x]) => [e.sum(x!, [1])], [floats([GROUPS + 2, 2])]],
    [
      'products of many pairs',
      ({ e }, [a, b]) => [e.matmul(a!, b!)],
      [floats([GROUPS + 2, 1, 2]), floats([GROUPS + 2, 2, 1])],
    ],
    ['gather', ({ e }, [x, indices]) => [e.gather(x!, indices!, 0)], [floats([9, 64]), integers([GROUPS + 2], 0, 8)]],
  ])('more workgroups than an axis of a grid: %s', (_, body, inputs) => check(body, inputs))
})

const SMALL = 2 ** 22

/** The device with other properties. */
function changed(device: GPUDevice, changes: object): GPUDevice {
  return new Proxy(device, {
    get(target, name) {
      if (name in changes) return Reflect.get(changes, name)
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

describe.skipIf(gpu === null)('without enough memory', () => {
  afterAll(() => setAccelerator(null))

  const predict = async (units: number): Promise<Float32Array> => {
    m.setRandomSeed(5)
    const model = new m.Sequential([new m.Dense({ units, inputShape: [4] })])
    const y = (await model.predict(m.ops.ones([8, 4]))) as m.Tensor
    return Float32Array.from(y.data)
  }

  it.each([
    [
      'its limits are too small',
      { limits: { maxStorageBufferBindingSize: SMALL, maxBufferSize: SMALL } },
      /do not fit into the 4194304 bytes/,
    ],
    [
      'its driver refuses the buffer',
      {
        createBuffer: (wanted: GPUBufferDescriptor) =>
          gpu!.device.createBuffer(wanted.size > SMALL ? { ...wanted, size: 2 ** 50 } : wanted),
      },
      /refused a buffer of \d+ bytes/,
    ],
  ])('a model stays on the CPU: %s', async (_, changes, why) => {
    const units = 200_000
    const web = new WebGpu(new Gpu(changed(gpu!.device, changes)), 'always', 'a small device', null)
    setAccelerator(null)
    const expected = await predict(units)
    setAccelerator(web)
    expect(await predict(units)).toEqual(expected)
    expect(web.report.programs.at(-1)).toMatchObject({ device: 'wasm', why: expect.stringMatching(why) })
    // What was there before is not lost.
    await predict(3)
    expect(web.report.programs.at(-1)).toMatchObject({ device: 'gpu' })
  })
})
