// The namespace `activations`: the functions of keras.activations, their options, and their use in layers.
import { describe, expect, it } from 'vitest'
import {
  Activation,
  Dense,
  Input,
  Model,
  ReLU,
  Sequential,
  activations,
  grad,
  loadModel,
  losses,
  ops,
  setRandomSeed,
  tensor,
  type Tensor,
} from '../../../src'
import { getActivation, isHomogeneous, limitsOf, mixesUnits } from '../../../src/parts/activations'
import { areAlikeUnits, triedUnits } from '../../../src/ops/tried'
import { isDeclared } from '../../../src/ops/op'
import type { SignaturesFile } from '../../golden/format'
import { readFixture } from '../../helpers/golden'
import { unitFlowOf } from '../../../src/layers/declared-units'

const { signatures } = readFixture<SignaturesFile>('signatures')
const camelCase = (name: string): string => name.replace(/_(\w)/g, (_all, letter: string) => letter.toUpperCase())
const kerasNames = Object.keys(signatures['activations']!)
const x = tensor([-3, -1.5, -0.75, -0.25, 0, 0.25, 0.75, 1.5, 3, 7])
/** glu halves the units, and threshold has no defaults. */
const elementwise = kerasNames.filter((name) => !['deserialize', 'get', 'serialize', 'threshold', 'glu'].includes(name))

describe('activations', () => {
  it.each(kerasNames)('has %s', (name) => {
    expect(Object.keys(activations)).toContain(camelCase(name))
  })

  it.each(elementwise)('%s is what layers compute by this name, in both spellings', (name) => {
    const own: unknown = Reflect.get(activations, camelCase(name))
    const expected = (own as (x: Tensor) => Tensor)(x)
    for (const spelled of [name, camelCase(name)]) {
      expect(getActivation(spelled)(x).data).toEqual(expected.data)
      expect(new Activation(spelled).apply(x).data).toEqual(expected.data)
      expect(new Dense({ units: 2, activation: spelled }).getConfig()['activation']).toBe(
        activations.serialize(getActivation(spelled)),
      )
    }
  })

  it('gelu is exact, unlike ops.gelu', () => {
    expect(activations.gelu(1).item()).toBeCloseTo(0.8413447, 6)
    expect(activations.gelu(1, true).data).toEqual(ops.gelu(1).data)
    expect(ops.gelu(1).item()).not.toBe(activations.gelu(1).item())
  })

  it.each([
    { options: {}, result: [0, 0, 0, 0.5, 7] },
    { options: { negativeSlope: 0.5 }, result: [-1, -0.25, 0, 0.5, 7] },
    { options: { maxValue: 6 }, result: [0, 0, 0, 0.5, 6] },
    { options: { threshold: 1 }, result: [0, 0, 0, 0, 7] },
    { options: { threshold: -1, maxValue: 3 }, result: [0, 0, 0, 0.5, 3] },
    { options: { negativeSlope: 0.5, threshold: 1, maxValue: 3 }, result: [-1.5, -0.75, -0.5, -0.25, 3] },
  ])('relu($options) is that of Keras', ({ options, result }) => {
    const operand = tensor([-2, -0.5, 0, 0.5, 7])
    const given = options as { negativeSlope?: number; maxValue?: number; threshold?: number }
    expect(ops.add(activations.relu(operand, given), 0).toArray()).toEqual(result)
    const { negativeSlope, maxValue, threshold } = given
    expect(activations.relu(operand, negativeSlope, maxValue, threshold).data).toEqual(
      activations.relu(operand, given).data,
    )
    if ((threshold ?? 0) >= 0) expect(new ReLU(given).call(operand).data).toEqual(activations.relu(operand, given).data)
  })

  it('refuses unknown options and surplus arguments', () => {
    expect(() => Reflect.apply(activations.relu, undefined, [1, { slope: 1 }])).toThrow(
      "Unknown argument of activations.relu 'slope'",
    )
    expect(() => Reflect.apply(activations.mish, undefined, [1, 2])).toThrow('ops.mish takes 1 argument')
    expect(() => activations.glu([1, 2, 3])).toThrow('glu: the extent of axis 0 must be even, received [3]')
  })

  it('get, serialize and deserialize find functions by name', () => {
    expect(activations.get(null)(x)).toBe(x)
    expect(activations.serialize(activations.get('hard_swish'))).toBe('hardSilu')
    expect(activations.deserialize('leaky_relu')(x).data).toEqual(activations.leakyRelu(x).data)
    const twice = (each: Tensor): Tensor => ops.multiply(each, 2)
    const saved = { module: 'builtins', class_name: 'function', config: 'leaky_relu', registered_name: 'function' }
    for (const each of [saved, { className: 'leakyRelu', config: {} }, { class_name: 'leaky_relu' }]) {
      expect(activations.get(each)).toBe(activations.get('leakyRelu'))
      expect(activations.deserialize(each)).toBe(activations.get('leakyRelu'))
    }
    expect(activations.deserialize({ ...saved, config: 'my>twice' }, { 'my>twice': twice })(x).data).toEqual(
      twice(x).data,
    )
    expect(losses.deserialize({ ...saved, config: 'mean_squared_error' })).toBe(losses.meanSquaredError)
    expect(() => activations.get({ class_name: 'ReLU', config: { max_value: 6 } })).toThrow(/layers\.deserialize/)
    expect(activations.deserialize('twice', { twice })(x).data).toEqual(twice(x).data)
    expect(() => activations.get('celo')).toThrow("Did you mean 'celu'?")
  })
})

describe('in models', () => {
  it('layer.activation takes a symbol', () => {
    const input = Input([3])
    for (const name of ['relu', 'gelu', 'leakyRelu', 'softmax']) {
      const layer = new Dense(3, name)
      const model = new Model({ inputs: input, outputs: layer.activation(input) })
      const x = tensor([[-1, 0.5, 2]])
      expect(model.predictOnBatch(x).data).toEqual(layer.activation(x).data)
      expect(layer.getConfig()['activation']).toBe(name)
    }
  })

  it('a function is saved by its name', async () => {
    setRandomSeed(1)
    const model = new Sequential([
      new Dense({ units: 3, activation: activations.celu, inputShape: [2] }),
      new Dense({ units: 3, activation: 'sparsemax' }),
    ])
    const copy = await loadModel(await model.save())
    expect(copy.predictOnBatch([[1, -2]])).toEqual(model.predictOnBatch([[1, -2]]))
    expect(copy.layers[0]!.getConfig()['activation']).toBe('celu')
  })

  it('functions of symbols are layers', async () => {
    const input = Input({ shape: [4] })
    const model = new Model({ inputs: input, outputs: activations.gelu(activations.glu(input)) })
    const copy = await loadModel(await model.save())
    const row = [[1, -2, 0.5, 3]]
    expect(copy.predictOnBatch(row)).toEqual(model.predictOnBatch(row))
    expect(model.predictOnBatch(row).data).toEqual(activations.gelu(ops.glu(row)).data)
  })

  it.each(elementwise)('%s of a name, on symbols, is the op itself, and can be saved', async (name) => {
    const input = Input({ shape: [10] })
    const own: unknown = Reflect.get(activations, camelCase(name))
    for (const found of [activations.get(name), activations.deserialize(camelCase(name))]) {
      const model = new Model({ inputs: input, outputs: found(input) })
      const expected = (own as (x: Tensor) => Tensor)(x)
      expect(model.predictOnBatch(ops.expandDims(x, 0)).data).toEqual(expected.data)
      const copy = await loadModel(await model.save())
      expect(copy.predictOnBatch(ops.expandDims(x, 0)).data).toEqual(expected.data)
    }
  })

  it('a name gives one function, which layers and files take like the name', () => {
    expect(activations.get('leaky_relu')).toBe(activations.get('leakyRelu'))
    expect(activations.get(activations.get('relu'))).toBe(activations.get('relu'))
    expect(new Dense({ units: 2, activation: activations.get('relu') }).getConfig()['activation']).toBe('relu')
    const twice = (each: Tensor): Tensor => ops.multiply(each, 2)
    const input = Input({ shape: [2] })
    const model = new Model({ inputs: input, outputs: activations.deserialize('twice', { twice })(input) })
    expect(model.predictOnBatch([[1, 2]]).toArray()).toEqual([[2, 4]])
  })

  it.each(kerasNames.filter((name) => !['deserialize', 'get', 'serialize', 'threshold'].includes(name)))(
    '%s is homogeneous only if it is piecewise linear around 0, whoever gives it',
    (name) => {
      const expected = ['linear', 'relu', 'leaky_relu'].includes(name)
      expect(isHomogeneous(getActivation(name))).toBe(expected)
      expect(isHomogeneous(activations.get(name))).toBe(expected)
    },
  )

  it.each(kerasNames.filter((name) => !['deserialize', 'get', 'serialize', 'threshold'].includes(name)))(
    '%s declares what it does with units, and its limits',
    (name) => {
      const activation = getActivation(name)
      if (!isDeclared(activation)) throw new Error(`${name} is not declared`)
      expect(activation.traits.units ?? 'apart').toBe(triedUnits(activation))
      expect([mixesUnits(activation), isHomogeneous(activation)]).toEqual(
        ['mixed', 'scaled'].map((units) => units === triedUnits(activation)),
      )
      const [lower, upper] = limitsOf(activation) ?? [-Infinity, Infinity]
      const far = activation(tensor([-1e4, 1e4])).toArray<number[]>()
      if (limitsOf(activation) !== null) expect(far).toEqual([expect.closeTo(lower, 3), expect.closeTo(upper, 3)])
    },
  )

  it("a user's function is tried, an activation is not", () => {
    let calls = 0
    const mine = (each: Tensor): Tensor => (calls++, ops.softmax(each))
    expect(unitFlowOf(new Activation({ activation: mine }))).toBeNull()
    expect(calls).toBeGreaterThan(0)
    const declared = Object.assign((each: Tensor): Tensor => (calls++, ops.tanh(each)), ops.softmax)
    calls = 0
    expect(unitFlowOf(new Activation({ activation: declared }))).toBeNull()
    expect(calls).toBe(0)
  })

  it('an op under a second name is saved under its name, and another function of the name is refused', async () => {
    const named = (activation: (x: Tensor) => Tensor) =>
      new Sequential([new Dense({ units: 2, activation, inputShape: [2] })])
    for (const [activation, name] of [
      [ops.relu, 'relu'],
      [ops.swish, 'swish'],
      [ops.silu, 'silu'],
      [activations.gelu, 'gelu'],
    ] as const)
      expect(JSON.stringify(named(activation))).toContain(`"activation":"${name}"`)
    expect(areAlikeUnits(ops.gelu, activations.gelu)).toBe(false)
    await expect(named(ops.gelu).save()).rejects.toThrow("'gelu'")
    const relu = (each: Tensor): Tensor => ops.maximum(each, 0)
    expect(JSON.stringify(named(relu))).toContain('"activation":"relu"')
  })

  it('sparsemax mixes units, as softmax does, and others do not', () => {
    const flowOf = (activation: string): unknown => unitFlowOf(new Activation(activation))
    for (const name of ['softmax', 'logSoftmax', 'sparsemax']) expect(flowOf(name), name).toBeNull()
    for (const name of ['relu', 'celu', 'softShrink', 'mish']) expect(flowOf(name), name).not.toBeNull()
  })
})

describe('sparsemax', () => {
  it('is a distribution, whatever is added to x', () => {
    for (const shift of [0, 100, -1e4]) {
      const y = ops.sparsemax(ops.add(x, shift))
      expect(ops.sum(y).item()).toBeCloseTo(1, 5)
      expect(y.data.every((each) => each >= 0)).toBe(true)
    }
    expect(ops.sparsemax([1e8, 1]).toArray()).toEqual([1, 0])
    expect(ops.sparsemax([0.1, 0.2, 0.3]).data[0]).toBeCloseTo(0.2333333, 6)
  })

  it('has a gradient that sums to 0', () => {
    const slope = grad((each) => ops.sum(ops.multiply(ops.sparsemax(each), [1, -2, 3])))(tensor([0.5, 0.4, -0.1]))
    expect(ops.sum(slope).item()).toBeCloseTo(0, 6)
    expect(slope.data[0]).not.toBe(0)
  })
})
