// Repeats short runs of fit recorded from Keras.
import { Sequential, type Layer } from '../../src'
import { layers } from '../../src/layers/registry'
import { specsFrom } from '../../src/layers/spec'
import { getOptimizer } from '../../src/optimizers/registry'
import type { FittedRun } from '../golden/format'
import { expectTensor, serialized, toTensor } from './golden'

/** Three epochs in order, from the same weights, end at the same weights. */
export async function expectFitted({ layers: described, optimizer, x, y, initial, final }: FittedRun): Promise<void> {
  const model = new Sequential(described.map((each) => layers.get(serialized(each)) as Layer))
  model.ensureBuilt(specsFrom([null, ...x.shape.slice(1)]))
  model.setWeights(initial.map(toTensor))
  model.compile({ optimizer: getOptimizer(serialized(optimizer)), loss: 'meanSquaredError' })
  await model.fit(toTensor(x), toTensor(y), { batchSize: 4, epochs: 3, shuffle: false, verbose: 0 })
  model.getWeights().forEach((weight, i) => expectTensor(weight, final[i]!, `weight ${i}`, 2e-5))
}
