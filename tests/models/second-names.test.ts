// Second names of classes: the same class, also where a file or an option gives one.
// modes: simd

import { describe, expect, it } from 'vitest'
import * as myelin from '../../src'
import { Dense, Sequential, constraints, initializers, layers, modelFromJSON, regularizers } from '../../src'
import { layersByName } from '../../src/layers/registry'

const classes = Object.entries<unknown>({ ...layers }).flatMap(([name, own]) =>
  typeof own === 'function' && Object.hasOwn(own, 'className') ? [{ name, own }] : [],
)

describe('a layer is found by every name of its class', () => {
  it.each(classes)('$name', ({ name, own }) => {
    expect(layersByName()[name]).toBe(own)
    expect({ ...myelin }).toHaveProperty(name, own)
  })
})

it('a model in Keras’s spelling with second names', () => {
  const model = new Sequential([
    new layers.Convolution1D({ filters: 2, kernelSize: 2, inputShape: [6, 3] }),
    new layers.AvgPool1D({ poolSize: 2 }),
    new layers.GlobalMaxPool1D(),
  ])
  const text = JSON.stringify(model)
  const second = text.replaceAll('"Conv1D"', '"Convolution1D"').replaceAll('"AveragePooling1D"', '"AvgPool1D"')
  expect(second).not.toBe(text)
  expect(JSON.stringify(modelFromJSON(second))).toBe(text)
})

it('initializers, regularizers and constraints in small letters', () => {
  const layer = new Dense({
    units: 2,
    kernelInitializer: new initializers.glorotNormal({ seed: 1 }),
    biasInitializer: new initializers.constant({ value: 3 }),
    kernelRegularizer: new regularizers.l1L2({ l1: 1, l2: 2 }),
    kernelConstraint: new constraints.maxNorm({ maxValue: 2 }),
  })
  expect(layer.getConfig()).toMatchObject({
    kernelInitializer: { className: 'GlorotNormal' },
    biasInitializer: { className: 'Constant' },
    kernelRegularizer: { className: 'L1L2' },
    kernelConstraint: { className: 'MaxNorm' },
  })
  for (const name of ['orthogonal_initializer', 'IdentityInitializer', 'glorot_normal'])
    expect(new Dense({ units: 2, kernelInitializer: name }).kernelInitializer, name).toBeInstanceOf(
      initializers.Initializer,
    )
})
