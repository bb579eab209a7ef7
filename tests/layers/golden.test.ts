import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { CallContext, customObjectScope, maskOf, ops, tensor, type Tensor } from '../../src'
import { flatten, unflatten } from '../../src/core/tree'
import { specsFrom } from '../../src/layers/spec'
import { layers } from '../../src/layers/registry'
import { compileTraced, currentTrace, runProgram, trace } from '../../src/ops/trace'
import type { FixtureTensor, LayerCase, LayersFile } from '../golden/format'
import { expectNear, expectTensor, readFixture, serialized, toTensor } from '../helpers/golden'
import { applyTree } from '../../src/layers/applying'
import { outputSpecs } from '../../src/layers/inference'

const families = readdirSync(new URL('../golden/layers', import.meta.url)).map((file) => file.replace('.json', ''))

function toMask({ data, shape }: FixtureTensor): Tensor {
  return tensor({ data: Int32Array.from(data), shape }, shape, 'bool')
}

function make({ layer: described, inputs, isList, masks, initialState, weights, said = {} }: LayerCase) {
  const xs = inputs.map(({ data, shape, dtype }) => tensor(data, shape, dtype))
  // One input, or the list.
  const structure = isList ? xs.map(() => null) : null
  const layer = customObjectScope(layers.all, () => layers.get(serialized(described)))
  layer.ensureBuilt(
    specsFrom(isList ? xs.map(({ shape }) => [null, ...shape.slice(1)]) : [null, ...xs[0]!.shape.slice(1)]),
  )
  expect(layer.weights.map(({ shape }) => shape)).toEqual(weights.map(({ shape }) => shape))
  weights.forEach((weight, i) => layer.weights[i]!.assign(toTensor(weight)))
  const mask =
    masks === null
      ? undefined
      : unflatten<Tensor | null>(
          structure,
          masks.map((each) => (each === null ? null : toMask(each))),
        )
  const state = initialState === null ? {} : { initialState: initialState.map(toTensor) }
  const told = Object.fromEntries(
    Object.entries(said).map(([key, value]) => [key, typeof value === 'boolean' ? value : toMask(value)]),
  )
  return {
    layer,
    xs,
    structure,
    options: { training: false, ...(mask === undefined ? {} : { mask }), ...state, ...told },
  }
}

describe.each(families)('layers of %s agree with Keras:', (family) => {
  const { cases } = readFixture<LayersFile>(`layers/${family}`)

  it.each(cases)('$name, in its output', (each) => {
    const { layer, xs, structure, options } = make(each)
    const [output, ...states] = flatten(applyTree(layer, unflatten(structure, xs), options)) as [Tensor, ...Tensor[]]
    expectTensor(output, each.output, 'output')
    expect(states).toHaveLength(each.states.length)
    states.forEach((state, i) => expectTensor(state, each.states[i]!, `state ${i}`))
    const specs = outputSpecs(
      layer,
      unflatten(structure, flatten(specsFrom(xs.map(({ shape }) => shape)))),
      each.said === undefined ? {} : options,
    )
    expect(flatten(specs).map(({ shape }) => shape)).toEqual([each.output, ...each.states].map(({ shape }) => shape))
    const mask = maskOf(output)
    expect(mask === null ? null : { shape: mask.shape, data: Array.from(mask.data) }, 'mask').toEqual(each.outputMask)
  })

  // A context that is passed on has no option `reverse`.
  it.each(cases.filter(({ said }) => said?.['reverse'] === undefined))(
    '$name, in its contribution to the loss',
    (each) => {
      const { layer, xs, structure, options } = make(each)
      const context = new CallContext(false)
      applyTree(layer, unflatten(structure, xs), Object.assign(context, options))
      const losses = [...context.losses, ...layer.regularizationLosses()]
      expectNear([losses.reduce((sum, loss) => sum + loss.item(), 0)], [each.loss], 'loss')
    },
  )

  it.each(cases)('$name, in its gradients', (each) => {
    const { layer, xs, structure, options } = make(each)
    const isFloat = each.inputs.map(({ dtype }) => dtype === 'float32')
    const program = compileTraced(
      trace(xs, (symbols) => {
        const [output, ...states] = flatten(applyTree(layer, unflatten(structure, symbols), options)) as [
          Tensor,
          ...Tensor[],
        ]
        const weighted = ops.sum(ops.multiply(output, toTensor(each.outputWeights)))
        const loss = states.reduce((sum, state) => ops.add(sum, ops.multiply(ops.sum(state), 0.5)), weighted)
        return currentTrace()!.gradients(loss, [
          ...symbols.filter((_, i) => isFloat[i]),
          ...layer.trainableWeights.map((weight) => weight.value),
        ])
      }),
    )
    const received = runProgram(program, xs)
    program.dispose()
    const expected = [...each.inputGradients.filter((gradient) => gradient !== null), ...each.weightGradients]
    expect(received).toHaveLength(expected.length)
    received.forEach((gradient, i) => expectTensor(gradient, expected[i]!, `gradient ${i}`))
  })
})
