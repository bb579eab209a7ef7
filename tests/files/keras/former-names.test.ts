// Names of weights in legacy files that Keras 2 gives otherwise than Keras 3.
// modes: simd

import { expect, it } from 'vitest'
import { DepthwiseConv2D, Input, SeparableConv2D, Sequential } from '../../../src'
import { weightsInOrder } from '../../../src/files/keras/legacy-order'

it.each([
  ['a depthwise convolution', new DepthwiseConv2D({ kernelSize: 2, name: 'd' }), ['depthwise_kernel', 'bias']],
  [
    'a separable convolution',
    new SeparableConv2D({ filters: 2, kernelSize: 2, name: 'd' }),
    ['depthwise_kernel', 'pointwise_kernel', 'bias'],
  ],
])('of %s are found', (_name, layer, names) => {
  const model = new Sequential([Input({ shape: [4, 4, 3] }), layer])
  const arrays = {
    group: 'd',
    names: names.map((each) => `d/${each}:0`),
    paths: names.map(String),
    shapes: layer.weights.map(({ shape }) => shape),
  }
  expect(weightsInOrder(layer, layer.weights, arrays)).toEqual(model.weights)
})
