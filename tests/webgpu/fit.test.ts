import '../helpers/families'
import { expect, it } from 'vitest'
import * as m from '../../src'
import { setAccelerator } from '../../src/engine/runtime/accelerator'
import { WebGpu } from '../../src/engine/webgpu/webgpu'
import { testGpu } from './adapter'
// modes: simd

const gpu = await testGpu()

function made() {
  m.setRandomSeed(1)
  const model = new m.Sequential([
    new m.Dense({ units: 10, activation: 'relu', inputShape: [8] }),
    new m.Dense({ units: 8, activation: 'relu' }),
    new m.Dense({ units: 1, activation: 'sigmoid' }),
  ])
  model.compile({ optimizer: 'adam', loss: 'binaryCrossentropy', metrics: ['accuracy'] })
  return model
}

it('fits', async () => {
  const x = m.tensor(Float32Array.from({ length: 100 * 8 }, (_, i) => Math.sin(i)))
  const X = m.ops.reshape(x, [100, 8])
  const y = m.ops.cast(m.ops.greater(m.ops.sum(X, 1), 0), 'float32')
  const a = made()
  const ha = await a.fit(X, y, { epochs: 3, batchSize: 32, verbose: 0, validationSplit: 0.2 })
  const web = new WebGpu(gpu!, 'always')
  setAccelerator(web)
  try {
    const b = made()
    const hb = await b.fit(X, y, { epochs: 3, batchSize: 32, verbose: 0, validationSplit: 0.2 })
    console.log(ha.history, hb.history, web.reports)
    a.weights.forEach((w, i) => {
      const v = b.weights[i]!.value.data
      w.value.data.forEach((each, j) => expect(v[j]).toBeCloseTo(each, 5))
    })
    const [pa, pb] = [await a.predict(X), await b.predict(X)] as m.Tensor[]
    pa!.data.forEach((each, j) => expect(pb!.data[j]).toBeCloseTo(each, 5))
    console.log(web.reports.at(-1), await b.evaluate(X, y, { verbose: 0 }), await a.evaluate(X, y, { verbose: 0 }))
  } finally {
    setAccelerator(null)
  }
})
