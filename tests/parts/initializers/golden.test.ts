import { describe, expect, inject, it } from 'vitest'
import {
  Conv1D,
  Dense,
  Embedding,
  Sequential,
  customObjectScope,
  initializers as library,
  loadModel,
  ops,
  random,
  setRandomSeed,
  tensor,
  type Initializer,
  type Tensor,
} from '../../../src'
import type { STFTOptions } from '../../../src/parts/initializers'
import { serialize } from '../../../src/core/registry'
import { initializers } from '../../../src/parts/initializers/registry'
import type { InitializerCase, InitializersFile } from '../../golden/format'
import { expectNear, readFixture, serialized, titleOf } from '../../helpers/golden'
import { errorOf } from '../../helpers/training'

const { cases } = readFixture<InitializersFile>('initializers')

function momentsOf(data: ArrayLike<number>): { mean: number; std: number; min: number; max: number } {
  const values = Array.from(data)
  const mean = values.reduce((a, b) => a + b, 0) / values.length
  const std = Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length)
  return { mean, std, min: Math.min(...values), max: Math.max(...values) }
}

/** Draws with many seeds in turn, as one list. */
function draw({ initializer, shape }: InitializerCase, seeds: number): number[] {
  const { className, config } = serialized(initializer)
  return Array.from({ length: seeds }, (_, seed) =>
    initializers.get({ className, config: { ...config, seed } }).call(shape),
  ).flatMap(({ data }) => Array.from(data))
}

const titled = (wanted: (each: InitializerCase) => boolean) =>
  cases.filter(wanted).map((each) => ({ each, title: `${titleOf(each.initializer)} of [${each.shape.join(', ')}]` }))

const isDrawn = ({ distribution }: InitializerCase): boolean =>
  !['constant', 'identity', 'orthogonal'].includes(distribution)

describe('initializers have the moments and bounds of Keras', () => {
  it.each(titled(isDrawn))('$title', ({ each }) => {
    const seeds = 6
    const { mean, std, min, max } = momentsOf(draw(each, seeds))
    const deviation = each.std / Math.sqrt(seeds * each.shape.reduce((a, b) => a * b, 1))
    expect(Math.abs(mean - each.mean)).toBeLessThan(5 * deviation)
    expect(Math.abs(std - each.std)).toBeLessThan(5 * deviation)
    if (each.min === null || each.max === null) {
      // Unbounded: among thousands of normal numbers some are beyond three standard deviations.
      expect(max - each.mean).toBeGreaterThan(3 * each.std)
      expect(each.mean - min).toBeGreaterThan(3 * each.std)
      return
    }
    const slack = 1e-6 * Math.max(Math.abs(each.min), Math.abs(each.max))
    expect(min).toBeGreaterThanOrEqual(each.min - slack)
    expect(max).toBeLessThanOrEqual(each.max + slack)
    expect(max).toBeGreaterThan(each.max - 0.02 * (each.max - each.min))
    expect(min).toBeLessThan(each.min + 0.02 * (each.max - each.min))
  })

  it.each(titled(({ distribution }) => distribution === 'constant'))('$title', ({ each }) => {
    const { data, shape } = initializers.get(serialized(each.initializer)).call(each.shape)
    expect(shape).toEqual(each.shape)
    expect(new Set(data)).toEqual(new Set([each.mean]))
    expect([each.min, each.max, each.std]).toEqual([each.mean, each.mean, 0])
  })

  it.each(titled(({ distribution }) => distribution === 'identity'))('$title', ({ each }) => {
    const [, columns = 0] = each.shape
    const { data } = initializers.get(serialized(each.initializer)).call(each.shape)
    expect(Array.from(data)).toEqual(
      Array.from(data, (_, i) => (i % (columns + 1) === 0 && i < columns ** 2 ? each.max : each.min)),
    )
    expectNear([momentsOf(data).mean], [each.mean], 'mean')
  })

  it.each(titled(({ distribution }) => distribution === 'orthogonal'))('$title', ({ each }) => {
    const { data } = initializers.get(serialized(each.initializer)).call(each.shape)
    const columns = each.shape.at(-1)!
    const rows = data.length / columns
    const gain = each.std * Math.sqrt(Math.max(rows, columns))
    const [count, length] = rows < columns ? [rows, columns] : [columns, rows]
    const at = (vector: number, i: number): number =>
      rows < columns ? data[vector * columns + i]! : data[i * columns + vector]!
    const products = Array.from({ length: count * count }, (_, k) => {
      let sum = 0
      for (let i = 0; i < length; i++) sum += at(Math.floor(k / count), i) * at(k % count, i)
      return sum
    })
    expectNear(
      products,
      products.map((_, k) => (k % (count + 1) === 0 ? gain ** 2 : 0)),
      'products of the vectors',
    )
    expect(Math.abs(momentsOf(data).mean)).toBeLessThan((5 * each.std) / Math.sqrt(data.length))
  })

  it('covers every case', () => {
    const kinds = ['constant', 'identity', 'orthogonal']
    expect(cases.filter((each) => isDrawn(each) || kinds.includes(each.distribution))).toHaveLength(cases.length)
  })
})

const drawing = [
  'RandomNormal',
  'RandomUniform',
  'TruncatedNormal',
  'VarianceScaling',
  'GlorotUniform',
  'GlorotNormal',
  'HeUniform',
  'HeNormal',
  'LecunUniform',
  'LecunNormal',
  'Orthogonal',
]

describe('seeds', () => {
  it.each(drawing)('%s draws the same with the same seed, else something new', (className) => {
    const make = (seed?: number) => initializers.get({ className, config: seed === undefined ? {} : { seed } })
    const draw = (initializer: { call(shape: number[]): Tensor }) => initializer.call([4, 6]).data
    expect(draw(make(7))).toEqual(draw(make(7)))
    expect(draw(make(7))).not.toEqual(draw(make(8)))
    const unseeded = make()
    expect(draw(unseeded)).not.toEqual(draw(unseeded))
    setRandomSeed(11)
    const first = draw(make())
    setRandomSeed(11)
    expect(draw(make())).toEqual(first)
  })

  it('setRandomSeed makes the weights of layers repeatable, each layer with its own', () => {
    const kernels = () => {
      setRandomSeed(3)
      return [new Dense({ units: 3, inputDim: 4 }), new Dense({ units: 3, inputDim: 4 })].map((layer) => {
        layer.ensureBuilt([null, 4])
        return layer.kernel.value.data
      })
    }
    const [a, b] = kernels()
    expect(a).not.toEqual(b)
    expect(kernels()).toEqual([a, b])
  })

  it('gives the same numbers on every machine', () => {
    expect(Array.from(new library.GlorotUniform({ seed: 1 }).call([1, 2]).data, (x) => x.toPrecision(6)))
      .toMatchInlineSnapshot(`
      [
        "0.576840",
        "0.253217",
      ]
    `)
    expect(Array.from(random.permutation(8, 5))).toMatchInlineSnapshot(`
      [
        6,
        1,
        5,
        4,
        2,
        0,
        7,
        3,
      ]
    `)
  })
})

describe('the formulas', () => {
  it('GlorotUniform is bounded by √(6/(fanIn + fanOut))', () => {
    const { min, max } = momentsOf(new library.GlorotUniform({ seed: 1 }).call([300, 100]).data)
    expect(max).toBeLessThanOrEqual(Math.sqrt(6 / 400))
    expect(max).toBeGreaterThan(0.99 * Math.sqrt(6 / 400))
    expect(min).toBeGreaterThanOrEqual(-Math.sqrt(6 / 400))
  })

  it.each([
    [[], 1, 1],
    [[5], 5, 5],
    [[5, 7], 5, 7],
    [[3, 3, 8, 16], 72, 144],
  ] as const)('the fans of %j are %d and %d', (shape, fanIn, fanOut) => {
    expect(library.computeFans(shape)).toEqual({ fanIn, fanOut })
  })
})

describe('custom initializers', () => {
  const rising = (shape: readonly number[]) => ops.reshape(ops.arange(shape.reduce((a, b) => a * b, 1)), [...shape])

  it('a function is an initializer, saved by name', async () => {
    const model = new Sequential([
      new Dense({
        units: 2,
        inputShape: [3],
        kernelInitializer: rising,
        biasInitializer: (shape) => ops.full([...shape], 7),
      }),
    ])
    expect(model.getWeights().map((each) => each.toArray())).toEqual([
      [
        [0, 1],
        [2, 3],
        [4, 5],
      ],
      [7, 7],
    ])
    // Two inline functions have no names to distinguish them.
    expect((await errorOf(() => model.save())).message).toContain(
      "A function without a name that is an initializer cannot be saved: 'biasInitializer' is only the name of the option at which it was written. Give it one",
    )
    const named = new Sequential([new Dense({ units: 2, inputShape: [3], kernelInitializer: rising })])
    const bytes = await named.save()
    expect((await errorOf(() => loadModel(bytes))).message).toContain(
      "Unknown function 'rising' that is an initializer",
    )
    const copy = await loadModel(bytes, { customObjects: { rising } })
    expect((copy as Sequential).layers[0]!.getConfig()['kernelInitializer']).toEqual({
      className: 'LambdaInitializer',
      config: { initializer: 'rising' },
    })
    // Not named after the option that it is written at, but after an option of an inner object.
    const initializer = (shape: readonly number[]) => ops.ones(shape)
    expect(new Dense({ units: 1, kernelInitializer: initializer }).getConfig()).toMatchObject({
      kernelInitializer: { config: { initializer: 'initializer' } },
    })
    expect(new library.LambdaInitializer(rising).call([1, 2]).toArray()).toEqual([[0, 1]])
    expect(
      customObjectScope(
        { rising },
        () => new Dense({ units: 1, inputShape: [2], kernelInitializer: 'rising' }),
      ).getConfig(),
    ).toMatchObject({ kernelInitializer: { config: { initializer: 'rising' } } })
  })

  it('an array of numbers is Constant, also in files', async () => {
    const vectors = [
      [0, 0],
      [1, 0.5],
      [0.25, 2],
    ]
    const model = new Sequential([
      new Embedding({
        inputDim: 3,
        outputDim: 2,
        embeddingsInitializer: new library.Constant(vectors),
        inputShape: [2],
      }),
    ])
    expect(model.predictOnBatch([[1, 2]]).toArray()).toEqual([
      [
        [1, 0.5],
        [0.25, 2],
      ],
    ])
    const layer = ((await loadModel(await model.save())) as Sequential).layers[0]!
    expect(layer.getConfig()['embeddingsInitializer']).toEqual({ className: 'Constant', config: { value: vectors } })
    expect(new library.Constant(tensor([1, 2])).call([2, 2]).toArray()).toEqual([
      [1, 2],
      [1, 2],
    ])
    expect(() =>
      new Dense({ units: 3, inputShape: [2], kernelInitializer: new library.Constant([1, 2]) }).ensureBuilt([
        null,
        2,
      ] as never),
    ).toThrow(/\[2\]/)
  })

  it.each<[unknown, string]>([
    [library.Zeros, 'received the class Zeros. Pass an instance: new Zeros()'],
    [[1], 'received [1]'],
  ])('%s raises an error with the name of the option', (kernelInitializer, message) => {
    expect(() => new Dense({ units: 1, name: 'd', kernelInitializer: kernelInitializer as never })).toThrow(
      `Dense "d": kernelInitializer must be a name`,
    )
    expect(() => new Dense({ units: 1, name: 'd', kernelInitializer: kernelInitializer as never })).toThrow(message)
  })

  it('VarianceScaling takes both lists of axes or neither', () => {
    expect(() => new library.VarianceScaling({ inputAxes: [0] })).toThrow(
      'pass inputAxes and outputAxes together; received only inputAxes',
    )
    expect(() => new library.HeNormal({ outputAxes: [0] })).toThrow(
      'HeNormal: pass inputAxes and outputAxes together; received only outputAxes',
    )
  })

  it.each<[Initializer, number]>([
    // [4, 5, 6] with the inputs 4 and the outputs 5 · 6; the limit of a uniform distribution is √(3 scale / fan)
    [new library.GlorotUniform({ inputAxes: [0], outputAxes: [1, -1], seed: 1 }), Math.sqrt(6 / 34)],
    [new library.HeUniform({ inputAxes: [0], outputAxes: [1, 2], seed: 1 }), Math.sqrt(6 / 4)],
    [new library.LecunUniform({ inputAxes: [0, 1], outputAxes: [2], seed: 1 }), Math.sqrt(3 / 20)],
    [
      new library.VarianceScaling({ distribution: 'uniform', inputAxes: [2], outputAxes: [0], seed: 1 }),
      Math.sqrt(3 / 6),
    ],
    [new library.GlorotUniform({ seed: 1 }), Math.sqrt(6 / (20 + 24))],
  ])('%s takes the axes of its fans', (initializer, limit) => {
    for (const made of [initializer, initializers.get(serialize(initializer))]) {
      const largest = Math.max(...made.call([4, 5, 6]).data.map(Math.abs))
      expect(largest).toBeLessThanOrEqual(limit)
      expect(largest).toBeGreaterThan(0.95 * limit)
    }
  })
})

describe('Orthogonal', () => {
  it.each([[[70, 130]], [[130, 70]], [[3, 4, 5, 90]], [[33, 33]], [[1, 5]]])(
    '%j has orthonormal rows or columns, also beyond one block',
    (shape) => {
      const matrix = ops.reshape(new library.Orthogonal({ seed: 3, gain: 2 }).call(shape), [-1, shape.at(-1)!])
      const [rows, columns] = matrix.shape as [number, number]
      const products =
        rows < columns ? ops.matmul(matrix, ops.transpose(matrix)) : ops.matmul(ops.transpose(matrix), matrix)
      expectNear(products.data, ops.multiply(ops.eye(Math.min(rows, columns)), 4).data, 'products', 1e-5)
    },
  )
})

describe('STFT', () => {
  const half = Math.SQRT1_2
  const of = (options: STFTOptions) => Array.from(new library.STFT(options).call([4, 1, 3]).data)

  it.each<[STFTOptions, number[]]>([
    // As in Keras 3.15.
    [{}, [0, 0, 0, half, 0, -half, half, -half, half, 0, 0, 0]],
    [
      { side: 'imag', window: 'hamming', scaling: 'spectrum', periodic: true },
      [0, 0, 0, 0, -0.25, 0, 0, 0, 0, 0, 0.25, 0],
    ],
    [{ window: 'blackman', scaling: null }, [0, 0, 0, 0.63, 0, -0.63, 0.63, -0.63, 0.63, 0, 0, 0]],
    [{ window: 'bartlett', periodic: true, scaling: null }, [0, 0, 0, 0.5, 0, -0.5, 1, -1, 1, 0.5, 0, -0.5]],
    [{ window: [1, 2, 3, 4], side: 'imag' }, [0, 0, 0, 0, -0.36515, 0, 0, 0, 0, 0, 0.7303, 0]],
    [{ window: null }, [1, 1, 1, 1, 0, -1, 1, -1, 1, 1, 0, -1]],
    [{ window: 'boxcar' }, [0.5, 0.5, 0.5, 0.5, 0, -0.5, 0.5, -0.5, 0.5, 0.5, 0, -0.5]],
  ])('%j', (options, expected) => {
    expectNear(of(options), expected, 'kernel', 1e-5)
  })

  it('makes a convolution a Fourier transform, also when loaded', async () => {
    const make = (side: 'real' | 'imag') =>
      new Sequential([
        new Conv1D({
          filters: 5,
          kernelSize: 8,
          useBias: false,
          kernelInitializer: new library.STFT({ side, window: null }),
          inputShape: [8, 1],
        }),
      ])
    const x = Float32Array.from({ length: 8 }, (_, t) => Math.sin(t * t))
    const { real, imag } = ops.rfft(x)
    for (const [side, part] of [
      ['real', real],
      ['imag', imag],
    ] as const) {
      const copy = await loadModel(await make(side).save())
      expectNear(copy.predictOnBatch(ops.reshape(tensor(x), [1, 8, 1]) as never).data, part.data, side, 1e-5)
      expect((copy as Sequential).layers[0]!.getConfig()['kernelInitializer']).toEqual({
        className: 'STFT',
        config: { side, window: null, scaling: 'density', periodic: false },
      })
    }
  })

  it('refuses invalid shapes', () => {
    expect(() => new library.STFT().call([4, 2, 3])).toThrow(
      'STFT: the shape must be [frame length, 1, frequencies], received [4, 2, 3]',
    )
    expect(() => of({ window: [1, 2] })).toThrow('STFT: a frame of 4 needs a window of the same length, received 2')
    expect(() => new Dense({ units: 1, kernelInitializer: 'stft' })).toThrow(
      "The initializer 'stft' must be passed as an object, such as new initializers.STFT(…), not by name.",
    )
  })
})

describe.runIf(inject('mode') === 'simd')('a weight of several blocks', () => {
  const [inputs, units] = [300, 501]
  const kernelOf = (kernelInitializer: Initializer): Float32Array => {
    const model = new Sequential([new Dense({ units, kernelInitializer, inputShape: [inputs] })])
    return model.getWeights()[0]!.data as Float32Array
  }

  it.each([
    new library.GlorotUniform({ seed: 3 }),
    new library.HeNormal({ seed: 3 }),
    new library.RandomNormal({ seed: 3 }),
    new library.TruncatedNormal({ seed: 3 }),
    new library.RandomUniform({ seed: 3 }),
    new library.VarianceScaling({ seed: 3, distribution: 'untruncatedNormal' }),
  ])('%# holds what its initializer makes', (initializer) => {
    expect(kernelOf(initializer)).toEqual(initializer.call([inputs, units]).data)
  })

  it('is made by the method of a subclass', () => {
    class Doubled extends library.GlorotUniform {
      override call(shape: readonly number[]): Tensor {
        return ops.multiply(super.call(shape), 2)
      }
    }
    const expected = new library.GlorotUniform({ seed: 3 }).call([inputs, units])
    expect(kernelOf(new Doubled({ seed: 3 }))).toEqual(ops.multiply(expected, 2).data)
  })
})
