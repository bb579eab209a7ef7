import { describe, expect, it } from 'vitest'
import { getActivation } from '../../../src/parts/activations'
import { Activation, ArgumentError, Dense, grad, ops, tensor, type Tensor } from '../../../src'
import type { ActivationCase, ActivationsFile } from '../../golden/format'
import { expectTensor, readFixture, toTensor } from '../../helpers/golden'
import { runnable } from '../../helpers/not-yet'

const nameOf = ({ activation, config }: ActivationCase): string => `${activation} ${JSON.stringify(config)}`
const cases = runnable('activations', readFixture<ActivationsFile>('activations').cases, nameOf)

function functionOf({ activation, config }: ActivationCase): (x: Tensor) => Tensor {
  const { negativeSlope, alpha, approximate } = config
  if (typeof negativeSlope === 'number') return (x) => ops.leakyRelu(x, negativeSlope)
  if (typeof alpha === 'number') return (x) => ops.elu(x, alpha)
  if (typeof approximate === 'boolean') return (x) => ops.gelu(x, approximate)
  expect(config, 'options that this test does not pass on').toEqual({})
  return getActivation(activation)
}

describe.each(cases.map((each) => ({ name: nameOf(each), each })))('$name agrees with Keras', ({ each }) => {
  const fn = functionOf(each)
  const input = toTensor(each.input)

  it('in its output', () => {
    expectTensor(fn(input), each.output, 'output')
  })

  it('in its gradient', () => {
    const weights = toTensor(each.outputWeights)
    const gradient = grad((x) => ops.sum(ops.multiply(fn(x), weights)))(input)
    expectTensor(gradient, each.inputGradient, 'gradient')
  })
})

describe('activations by name', () => {
  it.each(['leaky_relu', 'leakyRelu', 'LeakyRelu', 'leakyrelu'])('%s is registered', (name) => {
    expect(getActivation(name)(tensor([-1])).data).toEqual(Float32Array.of(-0.2))
  })

  it('swish is silu', () => {
    const x = toTensor(cases[0]!.input)
    expect(getActivation('swish')(x).data).toEqual(getActivation('silu')(x).data)
  })

  it('undefined and null are linear', () => {
    const x = toTensor(cases[0]!.input)
    expect(getActivation(undefined)(x)).toBe(x)
    expect(getActivation(null)(x)).toBe(x)
  })

  it('suggests the nearest known name', () => {
    expect(() => new Dense({ units: 1, activation: 'relux' })).toThrow(ArgumentError)
    expect(() => new Dense({ units: 1, activation: 'relux' })).toThrow(
      "Unknown activation 'relux'. Did you mean 'relu'?",
    )
    expect(() => new Activation('sigmod')).toThrow("Did you mean 'sigmoid'?")
    expect(() => new Activation('qqqqqqqqqq')).toThrow(/Known: linear, relu, /)
  })
})

describe('softmax', () => {
  it('sums to 1 along any axis, with large logits too', () => {
    const x = toTensor({ shape: [2, 3], data: [1000, 1001, 1002, -1000, 0, 1000] })
    for (const axis of [0, 1, -1, -2]) {
      for (const total of ops.sum(ops.softmax(x, axis), { axis }).data) expect(total).toBeCloseTo(1, 6)
    }
    expect(ops.softmax(x, 0).data[0]).toBe(1)
  })

  it('keeps the order of the axes', () => {
    const x = toTensor({ shape: [2, 2, 3], data: Array.from({ length: 12 }, (_, i) => Math.sin(i)) })
    const direct = ops.softmax(x, 1)
    const moved = ops.transpose(ops.softmax(ops.transpose(x, [0, 2, 1])), [0, 2, 1])
    expect(direct.shape).toEqual([2, 2, 3])
    expect(direct.data).toEqual(moved.data)
  })
})

describe('int32', () => {
  it.each([
    'relu',
    'relu6',
    'sigmoid',
    'tanh',
    'softplus',
    'elu',
    'gelu',
    'silu',
    'leakyRelu',
    'hardSigmoid',
    'mish',
    'softmax',
  ])('%s gives what the same numbers as float32 give', (name) => {
    const whole = tensor(Int32Array.from([-3, -1, 0, 1, 7]))
    const activation = getActivation(name)
    const result = activation(whole)
    expect(result.dtype).toBe('float32')
    expect(result.toArray()).toEqual(activation(ops.cast(whole, 'float32')).toArray())
  })

  it('linear keeps integers', () => {
    expect(getActivation('linear')(tensor(Int32Array.from([2]))).dtype).toBe('int32')
  })
})
