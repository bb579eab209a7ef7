import { describe, expect, it } from 'vitest'
import { layers } from '../../src/layers/registry'
import type { Layer } from '../../src'
import { CallContext, ops } from '../../src'
import { compileTraced, currentTrace, runProgram, trace } from '../../src/ops/trace'
import type { LayersFile } from '../golden/format'
import { expectTensor, readFixture, serialized, toTensor } from '../helpers/golden'

const { cases } = readFixture<LayersFile>('layers')

describe.each(cases)('$name agrees with Keras', ({ layer: described, input, weights, output, outputWeights, inputGradient, weightGradients }) => {
  const x = toTensor(input)
  const make = () => {
    const layer = layers.get(serialized(described)) as Layer
    layer.ensureBuilt([null, ...x.shape.slice(1)])
    expect(layer.weights.map(({ shape }) => shape)).toEqual(weights.map(({ shape }) => shape))
    weights.forEach((weight, i) => layer.weights[i]!.assign(toTensor(weight)))
    return layer
  }

  it('in its output', () => {
    const layer = make()
    expectTensor(layer.apply(x), output, 'output')
    expect(layer.computeOutputShape(x.shape)).toEqual(output.shape)
  })

  it('in its gradients', () => {
    const layer = make()
    const program = compileTraced(
      trace([x], ([input]) => {
        const result = layer.apply(input!, new CallContext(false))
        const loss = ops.sum(ops.multiply(result, toTensor(outputWeights)))
        return currentTrace()!.gradients(loss, [input!, ...layer.weights.map((weight) => weight.value)])
      }),
    )
    const [first, ...rest] = runProgram(program, [x])
    program.dispose()
    expectTensor(first!, inputGradient, 'gradient of the input')
    rest.forEach((gradient, i) => expectTensor(gradient, weightGradients[i]!, `gradient of ${layer.weights[i]!.name}`))
    expect(rest).toHaveLength(weightGradients.length)
  })
})
