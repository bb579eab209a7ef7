// Layers that read strings: compared with Keras, and strings in models.

import { describe, expect, it } from 'vitest'
import {
  ArgumentError,
  Concatenate,
  Conv1D,
  DataError,
  DateEncoding,
  Dense,
  Embedding,
  Flatten,
  GlobalAveragePooling1D,
  GlobalMaxPooling1D,
  HashedCrossing,
  Hashing,
  Input,
  IntegerLookup,
  Layer,
  Model,
  Sequential,
  ShapeError,
  StateError,
  StringLookup,
  StringTensor,
  Tensor,
  TextVectorization,
  cloneModel,
  loadModel,
  ops,
  setRandomSeed,
  jit,
  tensor,
} from '../../src'
import { Dataset } from '../../src/entries/data'
import { partialDependence, permutationImportance, saliency, temperatureScaling } from '../../src/entries/explain'
import { fingerprint64, sipHash } from '../../src/layers/preprocessing/fingerprint'
import { distill, pruneUnits, quantize } from '../../src/entries/thrift'
import { errorOf, expectError, weightsOf } from '../helpers/training'
import type { LayerTraits } from '../../src/layers/traits'

const bytes = (text: string) => new TextEncoder().encode(text)
const values = (x: Tensor) => x.toArray()

describe('hashes', () => {
  // Published: the examples of Keras's Hashing.
  const letters = [['A'], ['B'], ['C'], ['D'], ['E']]
  it.each([
    [{}, [[1], [0], [1], [1], [2]]],
    [{ salt: [133, 137] }, [[1], [2], [1], [0], [2]]],
    [{ salt: 133 }, [[0], [0], [2], [1], [0]]],
  ])('Hashing %j', (options, expected) => {
    expect(values(new Hashing({ numBins: 3, ...options }).apply(letters))).toEqual(expected)
  })

  it('Hashing with a mask', () => {
    expect(values(new Hashing({ numBins: 3, maskValue: '' }).apply([['A'], ['B'], [''], ['C'], ['D']]))).toEqual([
      [1],
      [1],
      [0],
      [2],
      [2],
    ])
  })

  // Keras 3.15 on TensorFlow, which both layers need for their hashes.
  const integers = [
    [1, 2, 3],
    [-5, 100000, 0],
    [7, 42, -2147483648],
  ]
  it.each<[object, number[][]]>([
    [{}, [[9, 9, 1], [6, 0, 5], [8, 6, 9]]], // prettier-ignore
    [{ maskValue: 2 }, [[1, 0, 4], [1, 5, 2], [8, 4, 5]]], // prettier-ignore
    [{ salt: [133, 137] }, [[6, 7, 8], [0, 8, 9], [2, 6, 1]]], // prettier-ignore
  ])('Hashing %j of integers', (options, expected) => {
    const layer = new Hashing({ numBins: 10, ...options })
    expect(values(layer.apply(tensor(integers, [3, 3], 'int32')))).toEqual(expected)
    expect(values(layer.apply(integers))).toEqual(expected)
    expect(values(new Hashing(layer.getConfig() as never).apply(integers))).toEqual(expected)
  })

  it('Hashing of fractions, and as vectors', () => {
    expect(values(new Hashing({ numBins: 10 }).apply([1.7, -2.5, 3, -0.4]))).toEqual([9, 5, 1, 5])
    expect(values(new Hashing({ numBins: 4, outputMode: 'multiHot' }).apply([[1, 2], [3, 3]]))).toEqual([[0, 1, 0, 1], [0, 1, 0, 0]]) // prettier-ignore
  })

  it.each<[object, number[]]>([
    [{ oovMethod: 'farmhash' }, [4, 5, 6, 0, 0, 3, 0]],
    [{ oovMethod: 'farmhash', salt: 5 }, [4, 5, 6, 2, 3, 1, 1]],
    [{ oovMethod: 'farmhash', salt: [5, 6], maskToken: 0 }, [5, 6, 7, 3, 3, 1, 4]],
    [{}, [4, 5, 6, 2, 3, 0, 3]],
  ])('IntegerLookup %j', (options, expected) => {
    const layer = new IntegerLookup({ vocabulary: [12, 36, 1138], numOovIndices: 4, ...options })
    expect(values(layer.apply([12, 36, 1138, 42, 7, 8, -9]))).toEqual(expected)
  })

  it.each<[object, number[]]>([
    [{}, [5, 6, 2, 2, 3, 3]],
    [{ salt: 3 }, [5, 6, 0, 4, 1, 4]],
    [{ salt: [3, 9] }, [5, 6, 0, 4, 4, 4]],
  ])('StringLookup %j', (options, expected) => {
    const layer = new StringLookup({ vocabulary: ['a', 'b'], numOovIndices: 5, ...options })
    expect(values(layer.apply(['a', 'b', 'z', 'yy', 'q', '']))).toEqual(expected)
  })

  it('HashedCrossing as in Keras', () => {
    const [letters, numbers] = [['A', 'B', 'A', 'B', 'A'], [101, 101, 101, 102, 102]] // prettier-ignore
    const crossing = new HashedCrossing({ numBins: 5 })
    expect(values(crossing.apply([letters, numbers]))).toEqual([1, 4, 1, 1, 3])
    expect(crossing.apply([letters, numbers]).dtype).toBe('int32')
    expect(values(crossing.apply([letters.map((each) => [each]), numbers.map((each) => [each])]))).toEqual([[1], [4], [1], [1], [3]]) // prettier-ignore
    expect(values(crossing.apply([tensor([[1], [2]], [2, 1], 'int32'), [[-1], [102]]]))).toEqual([[1], [2]])
    expect(values(crossing.apply(['A', 101]))).toBe(1)
    expect(values(new HashedCrossing({ numBins: 100 }).apply([['a', 'b'], ['x', 'y'], [3, 4]]))).toEqual([94, 41]) // prettier-ignore
    const rows = new HashedCrossing(new HashedCrossing({ numBins: 5, outputMode: 'one_hot' }).getConfig() as never)
    expect(values(rows.apply([letters, numbers]))).toEqual([1, 4, 1, 1, 3].map((bin) => [0, 1, 2, 3, 4].map((i) => Number(i === bin)))) // prettier-ignore
  })

  it.each<[unknown, RegExp]>([
    [['a', 'b'].slice(1), /two or more features/],
    [[['a', 'b'], [1]], /must all be/],
    [[[['a', 'b']], [[1, 2]]], /must all be/],
    [[['a'], [1.5]], /strings or integers, received 1.5/],
  ])('HashedCrossing refuses %j', (features, message) => {
    expect(() => new HashedCrossing({ numBins: 5 }).apply(features as never)).toThrow(message)
  })

  it('HashedCrossing is refused in models', () => {
    const features = [Input({ shape: [1], dtype: 'int32' }), Input({ shape: [1], dtype: 'string' })]
    expect(() => new HashedCrossing({ numBins: 5 }).apply(features)).toThrow(/works on data, not in models/)
  })

  it('a hash of integers is refused where there are no data, and a salt without a hash', () => {
    const lookup = new IntegerLookup({ vocabulary: [1], numOovIndices: 2, oovMethod: 'farmhash' })
    expect(() => jit((x: Tensor) => lookup.apply(x))(tensor([1, 2], [2], 'int32'))).toThrow(
      /works on data, not in models/,
    )
    // With one index there is nothing to share.
    const one = new IntegerLookup({ vocabulary: [1], oovMethod: 'farmhash' })
    expect(values(jit((x: Tensor) => one.apply(x))(tensor([1, 2], [2], 'int32')))).toEqual([1, 0])
    expect(() => new IntegerLookup({ vocabulary: [1], salt: 3 })).toThrow(/salt is only for oovMethod 'farmhash'/)
    expect(() => new TextVectorization({ ragged: true })).toThrow(/there are no ragged tensors/)
    expect(new TextVectorization({ ragged: false }).ragged).toBe(false)
  })

  it('SipHash of the reference', () => {
    // Aumasson & Bernstein, appendix A: key 00 … 0f, message 00 … 0e.
    const key = [0x0706050403020100n, 0x0f0e0d0c0b0a0908n] as const
    expect(
      sipHash(
        Uint8Array.from({ length: 15 }, (_, i) => i),
        key,
      ),
    ).toBe(0xa129ca6149be45e5n)
  })

  it('all lengths differ', () => {
    const seen = new Set(Array.from({ length: 200 }, (_, length) => fingerprint64(bytes('x'.repeat(length)))))
    expect(seen.size).toBe(200)
    expect(fingerprint64(bytes(''))).toBe(0x9ae16a3b2f90404fn)
  })
})

describe('StringLookup', () => {
  const data = [
    ['a', 'c', 'd'],
    ['d', 'z', 'b'],
  ]

  it('indices with a vocabulary, unknown tokens and a mask', () => {
    expect(values(new StringLookup({ vocabulary: ['a', 'b', 'c', 'd'] }).apply(data))).toEqual([
      [1, 3, 4],
      [4, 0, 2],
    ])
    expect(
      values(new StringLookup({ vocabulary: ['a', 'b', 'c', 'd'], maskToken: '' }).apply([['a', '', 'q']])),
    ).toEqual([[2, 0, 1]])
    const two = new StringLookup({ vocabulary: ['a'], numOovIndices: 2 })
    expect(
      (values(two.apply([['a', 'm', 'z', 'y', 'x']] as never)) as number[][])[0]!.every((x, i) =>
        i === 0 ? x === 2 : x === 0 || x === 1,
      ),
    ).toBe(true)
    expect(() => new StringLookup({ vocabulary: ['a'], numOovIndices: 0 }).apply(['q'])).toThrow(DataError)
  })

  it('vectors', () => {
    const of = (outputMode: 'oneHot' | 'multiHot' | 'count', input: string[] | string[][]) =>
      values(new StringLookup({ vocabulary: ['a', 'b', 'c', 'd'], outputMode }).apply(input))
    expect(of('oneHot', ['a', 'd', 'z'])).toEqual([
      [0, 1, 0, 0, 0],
      [0, 0, 0, 0, 1],
      [1, 0, 0, 0, 0],
    ])
    expect(of('oneHot', [['a'], ['b']])).toEqual([
      [0, 1, 0, 0, 0],
      [0, 0, 1, 0, 0],
    ])
    expect(
      of('multiHot', [
        ['a', 'c', 'd', 'd'],
        ['d', 'z', 'b', 'z'],
      ]),
    ).toEqual([
      [0, 1, 0, 1, 1],
      [1, 0, 1, 0, 1],
    ])
    expect(
      of('count', [
        ['a', 'c', 'd', 'd'],
        ['d', 'z', 'b', 'z'],
      ]),
    ).toEqual([
      [0, 1, 0, 1, 2],
      [2, 0, 1, 0, 1],
    ])
    // Published: the example of Keras.
    const tfIdf = new StringLookup({
      vocabulary: ['a', 'b', 'c', 'd'],
      idfWeights: [0.25, 0.75, 0.6, 0.4],
      outputMode: 'tfIdf',
    })
    expect(
      values(
        tfIdf.apply([
          ['a', 'c', 'd', 'd'],
          ['d', 'z', 'b', 'z'],
        ] as never),
      ),
    ).toEqual([
      [0, 0.25, 0, Math.fround(0.6), Math.fround(0.8)],
      [1, 0, 0.75, 0, Math.fround(0.4)],
    ])
    const padded = new StringLookup({ vocabulary: ['a'], maxTokens: 4, padToMaxTokens: true, outputMode: 'multiHot' })
    expect(values(padded.apply([['a'], ['q']] as never))).toEqual([
      [0, 1, 0, 0],
      [1, 0, 0, 0],
    ])
  })

  it('padding does not count in vectors, and is not learnt', async () => {
    const of = (outputMode: 'oneHot' | 'multiHot' | 'count') =>
      values(
        new StringLookup({ vocabulary: ['a', 'b'], maskToken: '', outputMode }).apply([
          ['a', ''],
          ['', 'q'],
        ]),
      )
    expect(of('count')).toEqual([
      [0, 1, 0],
      [1, 0, 0],
    ])
    expect(of('multiHot')).toEqual([
      [0, 1, 0],
      [1, 0, 0],
    ])
    expect(of('oneHot')).toEqual([
      [
        [0, 1, 0],
        [0, 0, 0],
      ],
      [
        [0, 0, 0],
        [1, 0, 0],
      ],
    ])
    expect(
      values(
        new IntegerLookup({ vocabulary: [5, 6], maskToken: 0, outputMode: 'count' }).apply([
          [5, 0],
          [0, 9],
        ]),
      ),
    ).toEqual([
      [0, 1, 0],
      [1, 0, 0],
    ])
    const layer = new StringLookup({ maskToken: '', outputMode: 'count' })
    await layer.adapt([
      ['a', ''],
      ['', ''],
    ])
    expect(layer.getVocabulary()).toEqual(['[UNK]', 'a'])
    const bags = new TextVectorization({ split: (text) => text.split(' '), outputMode: 'count' })
    await bags.adapt(['a  b', ''])
    expect(bags.getVocabulary()).toEqual(['[UNK]', 'b', 'a'])
    expect(values(bags.apply(['a  b'] as never))).toEqual([[0, 1, 1]])
  })

  it('accepts the result of getVocabulary', () => {
    const made = new StringLookup({ vocabulary: ['', '[UNK]', '[UNK]', 'a', 'b'], maskToken: '', numOovIndices: 2 })
    expect(made.getVocabulary(false)).toEqual(['a', 'b'])
    made.setVocabulary(made.getVocabulary())
    expect(values(made.apply(['b', 'a', ''] as never))).toEqual([4, 3, 0])
    expect(new TextVectorization({ vocabulary: ['', '[UNK]', 'a'] }).getVocabulary()).toEqual(['', '[UNK]', 'a'])
  })

  it('is adapted again if its vectors keep their length', async () => {
    const layer = new StringLookup({ maxTokens: 4, padToMaxTokens: true, outputMode: 'tfIdf' })
    await layer.adapt([['a'], ['a']])
    const model = new Sequential([Input({ shape: [1], dtype: 'string' }), layer])
    expect(values(model.predictOnBatch(strings(['b'])) as Tensor)).not.toEqual(values(layer.apply(['a'] as never)))
    await layer.adapt([['b'], ['a'], ['b']])
    expect(values(model.predictOnBatch(strings(['b'])) as Tensor)).toEqual(values(layer.apply([['b']] as never)))
    const narrow = new StringLookup({ vocabulary: ['a'], outputMode: 'count' })
    narrow.apply(['a'] as never)
    expect(() => narrow.setVocabulary(['a', 'b'])).toThrow(StateError)
  })

  it('learns the most frequent tokens, ties in Keras’s order', async () => {
    const layer = new StringLookup({ maxTokens: 4 })
    await layer.adapt([
      ['b', 'a', 'c'],
      ['c', 'b', 'd'],
    ])
    expect(layer.getVocabulary()).toEqual(['[UNK]', 'c', 'b', 'd'])
    await layer.adapt(
      Dataset.from([
        ['x', 'x'],
        ['y', '[UNK]'],
      ]),
    )
    expect(layer.getVocabulary(false)).toEqual(['x', 'y'])
    expect(layer.vocabularySize()).toBe(3)
    await layer.adapt(Dataset.from(['p', 'q', 'p']))
    expect(layer.getVocabulary(false)).toEqual(['p', 'q'])
    const weighed = new StringLookup({ outputMode: 'tfIdf' })
    await weighed.adapt([
      ['a', 'a'],
      ['a', 'b'],
      ['c', 'c'],
    ])
    const { idfWeights, vocabulary } = weighed.getConfig() as { idfWeights: number[]; vocabulary: string[] }
    expect(vocabulary).toEqual(['a', 'c', 'b'])
    expect(idfWeights).toEqual([Math.log(1 + 3 / 3), Math.log(1 + 3 / 2), Math.log(1 + 3 / 2)])
  })

  it('back to strings', () => {
    const back = new StringLookup({ vocabulary: ['a', 'b'], invert: true, maskToken: '' })
    const named = back.apply([[2, 3, 0, 1, 9]])
    expect(named).toBeInstanceOf(StringTensor)
    expect((named as StringTensor).strings).toEqual(['a', 'b', '', '[UNK]', '[UNK]'])
    expect(named.toArray()).toEqual([['a', 'b', '', '[UNK]', '[UNK]']])
    expect(named).toBeInstanceOf(Tensor)
  })

  it('errors', async () => {
    expect(() => new StringLookup({ vocabulary: ['a', 'a'] })).toThrow(/'a' twice, at 0 and 1/)
    expect(() => new StringLookup({ vocabulary: ['a', '[UNK]'] })).toThrow(/unknown tokens/)
    expect(() => new StringLookup({ vocabulary: ['a', ''], maskToken: '', outputMode: 'count' })).toThrow(/padding/)
    expect(() => new Hashing({ numBins: 3, salt: [1, 2, 3] })).toThrow(/a number, or two/)
    expect(() => new StringLookup({ vocabulary: ['a', 'b'], maxTokens: 2 })).toThrow(/maxTokens is 2/)
    expect(() => new StringLookup({ vocabulary: ['a'], idfWeights: [1] })).toThrow(ArgumentError)
    expect(() => new StringLookup({ vocabulary: ['a'], outputMode: 'tfIdf' })).toThrow(/needs idfWeights/)
    expect(() => new StringLookup({ padToMaxTokens: true })).toThrow(/needs maxTokens/)
    expect(() => new StringLookup().apply(['a'])).toThrow(StateError)
    expect(() => new StringLookup({ vocabulary: ['a'] }).apply([1, 2])).toThrow(
      /element \[0\] must be a string, received 1/,
    )
    expect(() => new StringLookup({ vocabulary: ['a'] }).apply([['a'], ['b', 'c']])).toThrow(/ragged/)
    expect(await errorOf(() => new StringLookup().adapt(Dataset.from(['a']).repeat()))).toBeInstanceOf(ArgumentError)
    expect(() => ops.add(new StringLookup({ vocabulary: ['a'], invert: true }).apply([1]), 1)).toThrow(
      /cannot compute with strings/,
    )
  })
})

describe('IntegerLookup', () => {
  const vocabulary = [12, 36, 1138, 42]
  it('equals StringLookup for integers, also in a step', () => {
    expect(
      values(
        new IntegerLookup({ vocabulary }).apply([
          [12, 1138, 42],
          [42, 1000, 36],
        ]),
      ),
    ).toEqual([
      [1, 3, 4],
      [4, 0, 2],
    ])
    expect(values(new IntegerLookup({ vocabulary, maskToken: 0 }).apply([[12, 0, 7]]))).toEqual([[2, 0, 1]])
    // Published: the example of Keras with two indices for unknown tokens.
    expect(
      values(
        new IntegerLookup({ vocabulary, numOovIndices: 2 }).apply([
          [12, 1138, 42],
          [37, 1000, 36],
        ]),
      ),
    ).toEqual([
      [2, 4, 5],
      [1, 0, 3],
    ])
    expect(
      values(
        new IntegerLookup({ vocabulary, outputMode: 'multiHot' }).apply([
          [12, 1138, 42, 42],
          [42, 7, 36, 7],
        ]),
      ),
    ).toEqual([
      [0, 1, 0, 1, 1],
      [1, 0, 1, 0, 1],
    ])
    expect(
      values(
        new IntegerLookup({ vocabulary, invert: true }).apply([
          [1, 3, 4],
          [4, 0, 9],
        ]),
      ),
    ).toEqual([
      [12, 1138, 42],
      [42, -1, -1],
    ])
    expect(values(new IntegerLookup({ vocabulary: [] }).apply([3, 4]))).toEqual([0, 0])
  })

  it('large integers, also beyond int32', async () => {
    const large = [16777216, 16777217, 2147483647, -5]
    const layer = new IntegerLookup({ vocabulary: large })
    expect(values(layer.apply([16777217, 16777216, 16777218, 2147483647, -5, -6]))).toEqual([2, 1, 0, 3, 4, 0])
    const model = new Sequential([Input({ shape: [1], dtype: 'int32' }), layer])
    expect(values((await model.predict([[16777217], [16777216], [2147483647]])) as Tensor)).toEqual([[2], [1], [3]])
    await expectError(
      model,
      () => model.predict([[2 ** 40]]),
      DataError,
      'to 2147483647 for an int32, received 1099511627776',
    )
    const learnt = new IntegerLookup()
    await learnt.adapt([16777217, 16777217, 16777216])
    expect(learnt.getVocabulary()).toEqual([-1, 16777217, 16777216])
    expect(await errorOf(() => learnt.adapt([2 ** 40]))).toBeInstanceOf(DataError)
    expect(() => new IntegerLookup({ vocabulary: [2 ** 40] })).toThrow(ArgumentError)
  })

  it('refuses unknown values if there is no index for them', async () => {
    const layer = new IntegerLookup({ vocabulary: [7], numOovIndices: 0 })
    expect(values(layer.apply([7]))).toEqual([0])
    expect(() => layer.apply([8])).toThrow(/8 is not in the vocabulary/)
    const model = new Sequential([Input({ shape: [1], dtype: 'int32' }), layer])
    await expectError(model, () => model.predict([[8]]), DataError, '8 is not in the vocabulary')
  })

  it('another vocabulary makes other programs', async () => {
    const layer = new IntegerLookup({ vocabulary: [1, 2] })
    const model = new Sequential([Input({ shape: [1], dtype: 'int32' }), layer])
    expect(values(model.predictOnBatch([[1], [2]]) as Tensor)).toEqual([[1], [2]])
    layer.setVocabulary([2, 1])
    expect(values(model.predictOnBatch([[1], [2]]) as Tensor)).toEqual([[2], [1]])
    expect(values((await model.predict([[1], [2]])) as Tensor)).toEqual([[2], [1]])
  })

  it('learns', async () => {
    const layer = new IntegerLookup()
    await layer.adapt([
      [5, 5, 3],
      [3, 5, 9],
    ])
    expect(layer.getVocabulary()).toEqual([-1, 5, 3, 9])
    expect(await errorOf(() => layer.adapt([1.5]))).toBeInstanceOf(DataError)
  })
})

describe('TextVectorization', () => {
  // Of Keras 3.15 on TensorFlow: the tokens of each text with standardize 'lower', split at white space.
  const foreign: readonly (readonly [text: string, here: readonly string[], keras: readonly string[]])[] = [
    ['\u00C9COLE ABC', ['\u00E9cole', 'abc'], ['\u00C9cole', 'abc']],
    ['A\u00A0B', ['a', 'b'], ['a\u00A0b']],
    ['A\u3000B', ['a', 'b'], ['a\u3000b']],
    ['A\u2003B', ['a', 'b'], ['a\u2003b']],
    ['A\u0085B', ['a\u0085b'], ['a\u0085b']],
    ['A\u001CB', ['a\u001Cb'], ['a\u001Cb']],
    ['A\u200BB', ['a\u200Bb'], ['a\u200Bb']],
    ['A\tB\nC\rD\vE\fF', ['a', 'b', 'c', 'd', 'e', 'f'], ['a', 'b', 'c', 'd', 'e', 'f']],
    ['\u201CA\u201D \u2026', ['\u201Ca\u201D', '\u2026'], ['\u201Ca\u201D', '\u2026']],
  ]

  it.each(foreign)(
    'has the letters and the white space of Unicode, and Keras those of ASCII: %j',
    async (text, here, keras) => {
      const tokens = async (layer: TextVectorization) => {
        await layer.adapt([text])
        return [...layer.getVocabulary(false)].sort()
      }
      expect(await tokens(new TextVectorization({ standardize: 'lower' }))).toEqual([...here].sort())
      // The functions of docs/preprocessing.md.
      const standardize = (all: string) => all.replace(/[A-Z]/g, (letter) => letter.toLowerCase())
      const split = (all: string) => all.match(/[^ \t-\r]+/g) ?? []
      expect(await tokens(new TextVectorization({ standardize, split }))).toEqual([...keras].sort())
    },
  )

  it('has a row for each text and at least one column, where Keras has none: docs/preprocessing.md', () => {
    const shapeOf = (texts: unknown, options: object) =>
      new TextVectorization({ vocabulary: ['a', 'b'], ...options }).apply(texts as never).shape
    expect(shapeOf(['', ' '], {})).toEqual([2, 1])
    expect(shapeOf(['a b', 'b', ''], { split: null })).toEqual([3, 1])
    expect(shapeOf(['a b', 'b', ''], { split: null, outputMode: 'multiHot' })).toEqual([3, 3])
    expect(shapeOf([['a b'], ['b'], ['']], { split: null, outputMode: 'multiHot' })).toEqual([3, 3])
  })

  it('word indices, as in the example of Keras', async () => {
    const layer = new TextVectorization({ maxTokens: 5000, outputSequenceLength: 4 })
    await layer.adapt(['foo bar', 'bar baz', 'baz bada boom'])
    expect(layer.getVocabulary()).toEqual(['', '[UNK]', 'baz', 'bar', 'foo', 'boom', 'bada'])
    expect(values(layer.apply([['foo qux bar'], ['qux baz']] as never))).toEqual([
      [4, 1, 3, 0],
      [1, 2, 0, 0],
    ])
    expect(values(layer.apply(['baz baz baz baz baz'] as never))).toEqual([[2, 2, 2, 2]])
  })

  it('standardizes, splits and groups', () => {
    const make = (options: Exclude<ConstructorParameters<typeof TextVectorization>[0], number | null>) =>
      new TextVectorization({ vocabulary: ['a', 'b', 'a b', 'A', 'b!'], ...options })
    expect(values(make({}).apply(['A, b!  q'] as never))).toEqual([[2, 3, 1]])
    expect(values(make({ standardize: null }).apply(['A b! b'] as never))).toEqual([[5, 6, 3]])
    expect(values(make({ standardize: 'lower' }).apply(['A b!'] as never))).toEqual([[2, 6]])
    expect(values(make({ standardize: 'strip_punctuation' }).apply(['A b!'] as never))).toEqual([[5, 3]])
    expect(values(make({ standardize: (text) => text.replace('x', 'a') }).apply(['x b'] as never))).toEqual([[2, 3]])
    expect(values(make({ split: 'character' }).apply(['ab a'] as never))).toEqual([[2, 3, 1, 2]])
    expect(values(make({ split: null }).apply(['a b'] as never))).toEqual([[4]])
    expect(values(make({ split: (text) => text.split('-'), standardize: null }).apply(['a-b'] as never))).toEqual([
      [2, 3],
    ])
    expect(values(make({ ngrams: 2 }).apply(['a b a'] as never))).toEqual([[2, 3, 2, 4, 1]])
    expect(values(make({ ngrams: [2] }).apply(['a b a'] as never))).toEqual([[4, 1]])
    expect(values(make({}).apply(['', 'a'] as never))).toEqual([[0], [2]])
  })

  it('vectors over the vocabulary', async () => {
    const data = ['a b', 'a a q']
    expect(values(new TextVectorization({ vocabulary: ['a', 'b'], outputMode: 'multiHot' }).apply(data))).toEqual([
      [0, 1, 1],
      [1, 1, 0],
    ])
    expect(values(new TextVectorization({ vocabulary: ['a', 'b'], outputMode: 'count' }).apply(data))).toEqual([
      [0, 1, 1],
      [1, 2, 0],
    ])
    const tfIdf = new TextVectorization({ outputMode: 'tfIdf' })
    await tfIdf.adapt(['a b', 'a'])
    const [a, b] = [Math.log(1 + 2 / 3), Math.log(1 + 2 / 2)]
    const rows = values(tfIdf.apply(['a a q'] as never)) as number[][]
    ;[(a + b) / 2, 2 * a, 0].forEach((expected, i) => expect(rows[0]![i]).toBeCloseTo(expected, 6))
  })

  it('errors', () => {
    expect(() => new TextVectorization({ standardize: 'upper' })).toThrow(/'lowerAndStripPunctuation' or 'lower'/)
    expect(() => new TextVectorization({ outputMode: 'oneHot' })).toThrow(ArgumentError)
    expect(() => new TextVectorization({ outputMode: 'count', outputSequenceLength: 3 })).toThrow(ArgumentError)
    expect(() => new TextVectorization({ vocabulary: ['a'], split: () => 'a' as never }).apply(['a'])).toThrow(
      /list of strings/,
    )
    expect(() => new TextVectorization({ vocabulary: ['a'] }).apply([[['a']]])).toThrow(ShapeError)
  })
})

const texts = Array.from(
  { length: 24 },
  (_, i) => (i % 2 === 0 ? 'a good and fine film' : 'bad, bad and dull') + ' x'.repeat(i % 3),
)
const labels = texts.map((_, i) => [i % 2])

async function reviewModel(declared = true): Promise<{ model: Sequential; vectorize: TextVectorization }> {
  setRandomSeed(4)
  const vectorize = new TextVectorization({ maxTokens: 50 })
  await vectorize.adapt(texts)
  const model = new Sequential([
    ...(declared ? [Input({ shape: [1], dtype: 'string' })] : []),
    vectorize,
    new Embedding({ inputDim: 50, outputDim: 8, maskZero: true }),
    new GlobalAveragePooling1D(),
    new Dense({ units: 1, activation: 'sigmoid' }),
  ])
  model.compile({ optimizer: 'adam', loss: 'binaryCrossentropy', metrics: ['accuracy'] })
  return { model, vectorize }
}

const quiet = { verbose: 0, batchSize: 8 } as const
const strings = (data: unknown): never => data as never

describe('strings in models', () => {
  it.each([true, false])('train, evaluate, predict, save, load and clone (declared: %s)', async (declared) => {
    const { model } = await reviewModel(declared)
    const { history } = await model.fit(strings(texts), labels, { ...quiet, epochs: 40, validationSplit: 0.25 })
    expect(history['valAccuracy']!.at(-1)).toBe(1)
    expect(await model.evaluate(strings(texts.map((text) => [text])), labels)).toEqual(
      await model.evaluate(strings(texts), labels),
    )
    const predicted = await model.predict(strings(['a fine film', 'dull']))
    expect((predicted.toArray() as number[][]).map(([p]) => Math.round(p!))).toEqual([0, 1])
    expect(values(model.predictOnBatch(strings(['a fine film', 'dull'])))).toEqual(values(predicted))
    const again = (await loadModel(await model.save())) as Sequential
    expect(values(await again.predict(strings(['a fine film', 'dull'])))).toEqual(values(predicted))
    await again.fit(strings(texts), labels, quiet)
    const copy = cloneModel(model)
    copy.setWeights(model.getWeights())
    expect(values(await copy.predict(strings(['a fine film', 'dull'])))).toEqual(values(predicted))
  })

  it('give the same as precomputed indices', async () => {
    const { model, vectorize } = await reviewModel()
    const numbers = vectorize.apply(strings(texts))
    setRandomSeed(4)
    const plain = new Sequential([
      new Embedding({ inputDim: 50, outputDim: 8, maskZero: true }),
      new GlobalAveragePooling1D(),
      new Dense({ units: 1, activation: 'sigmoid' }),
    ])
    plain.compile({ optimizer: 'adam', loss: 'binaryCrossentropy', metrics: ['accuracy'] })
    plain.predictOnBatch(numbers)
    plain.setWeights(model.getWeights())
    const expected = await plain.fit(numbers, labels, { ...quiet, epochs: 2, shuffle: false })
    const { history } = await model.fit(strings(texts), labels, { ...quiet, epochs: 2, shuffle: false })
    expect(history).toEqual(expected.history)
    expect(weightsOf(model)).toEqual(weightsOf(plain))
  })

  it('in batches of different widths, and step by step', async () => {
    const { model } = await reviewModel()
    const rows = Dataset.fromTensorSlices({ x: texts, y: labels })
    const { history } = await model.fit(rows.shuffle(24, { seed: 1 }).batch(8) as never, { epochs: 30, verbose: 0 })
    expect(history['accuracy']!.at(-1)).toBe(1)
    expect((await model.evaluate(rows.batch(8) as never)).loss).toBeLessThan(0.6)
    expect((await model.predict(rows.map(({ x }) => x).batch(5) as never)).shape).toEqual([24, 1])
    for (const some of [texts.slice(0, 4), ['short', 'a', 'b', 'c'], texts.slice(0, 4)])
      model.trainOnBatch(strings(some), labels.slice(0, 4))
    model.testOnBatch(strings(texts), labels)
  })

  it('rows as long as the texts, with windows of later layers and a target for each word', async () => {
    const vectorize = new TextVectorization({ vocabulary: ['a', 'b', 'c', 'd'] })
    const windows = new Sequential([
      Input({ shape: [1], dtype: 'string' }),
      vectorize,
      new Embedding({ inputDim: 6, outputDim: 3 }),
      new Conv1D({ filters: 2, kernelSize: 3 }),
      new GlobalMaxPooling1D(),
      new Dense({ units: 1 }),
    ])
    windows.compile({ optimizer: 'sgd', loss: 'mse' })
    await windows.fit(strings(['a b c d', 'b c d']), [[1], [0]], quiet)
    expect((await windows.predict(strings(['a b c']))).shape).toEqual([1, 1])
    await expectError(windows, () => windows.predict(strings(['a b'])), ShapeError, 'the window [3]')
    const tags = new Sequential([
      Input({ shape: [1], dtype: 'string' }),
      vectorize,
      new Embedding({ inputDim: 6, outputDim: 3 }),
      new Dense({ units: 2, activation: 'softmax' }),
    ])
    tags.compile({ optimizer: 'sgd', loss: 'sparseCategoricalCrossentropy' })
    await tags.fit(
      strings(['a b c', 'd c b']),
      [
        [0, 1, 0],
        [1, 1, 0],
      ],
      { ...quiet, epochs: 2 },
    )
    tags.trainOnBatch(strings(['a b']), [[0, 1]])
    await tags.evaluate(strings(['a b c d']), [[0, 1, 0, 1]])
    await expectError(tags, () => tags.evaluate(strings(['a b c d']), [[0, 1, 0]]), ShapeError, 'y')
  })

  it('called on strings, pruned, and explained as a whole', async () => {
    const { model } = await reviewModel()
    expect(values(model.apply(strings([['a fine film'], ['dull']])))).toEqual(
      values(await model.predict(strings(['a fine film', 'dull']))),
    )
    const vectorize = new TextVectorization({ vocabulary: ['a', 'bad', 'film'], outputMode: 'multiHot' })
    const bags = new Sequential([
      Input({ shape: [1], dtype: 'string' }),
      vectorize,
      new Dense({ units: 6, activation: 'relu' }),
      new Dense({ units: 1 }),
    ])
    bags.compile({ optimizer: 'sgd', loss: 'mse' })
    for (const by of ['utility', 'taylor'] as const) {
      const smaller = await pruneUnits(bags, { keep: 0.5, by, x: strings(texts), y: labels })
      expect(smaller.getWeights().map(({ shape }) => shape)).toEqual([[4, 3], [3], [3, 1], [1]])
    }
    // One number for each text: the sum over the numbers by which it is encoded.
    expect((await saliency(bags, strings(texts))).attributions.shape).toEqual([texts.length])
    class Own extends Model<Tensor> {
      override call(x: Tensor): Tensor {
        return bags.apply(x) as Tensor
      }
    }
    await expect(saliency(new Own(), strings(texts))).rejects.toThrow(
      /saliency: .* reads strings, and makes its layers itself.*permutationImportance, which shuffles the strings/,
    )
    await expect(partialDependence(bags, strings(texts), 0)).rejects.toThrow(
      /the input has strings, and a grid needs numbers/,
    )
  })

  it('importance of strings, with numbers and separately', async () => {
    const [kind, size] = [Input({ shape: [2], dtype: 'string', name: 'kind' }), Input({ shape: [1], name: 'size' })]
    const codes = new StringLookup({ vocabulary: ['cat', 'dog'], numOovIndices: 0 }).apply(kind)
    const model = new Model({
      inputs: { kind, size },
      outputs: ops.add(ops.cast(ops.slice(codes, [0, 1], [-1, 1]), 'float32'), size),
    })
    model.compile({ loss: 'mse' })
    const rows = {
      kind: Array.from({ length: 20 }, (_, i) => [i % 3 === 0 ? 'cat' : 'dog', i % 2 === 0 ? 'cat' : 'dog']),
      size: Array.from({ length: 20 }, (_, i) => [3 * Math.sin(i)]),
    }
    const y = (await model.predict(rows as never)) as Tensor
    for (const options of [{}, { metric: 'mse' }] as const) {
      const { importances, score } = await permutationImportance(model, rows as never, y as never, {
        seed: 1,
        ...options,
      })
      const { kind: ofKind, size: ofSize } = importances as { kind: Tensor; size: Tensor }
      expect(score).toBe(0)
      expect(ofKind.data[0]).toBe(0)
      expect(ofKind.data[1]).toBeGreaterThan(0.1)
      expect(ofSize.data[0]).toBeGreaterThan(ofKind.data[1]!)
    }
  })

  it('partial dependence of numbers next to strings', async () => {
    const [kind, size] = [Input({ shape: [1], dtype: 'string', name: 'kind' }), Input({ shape: [2], name: 'size' })]
    const vocabulary = ['cat', 'dog']
    const codes = [
      new StringLookup({ vocabulary, outputMode: 'oneHot' }),
      new Hashing({ numBins: 3, outputMode: 'oneHot' }),
    ].map((layer) => layer.apply(kind))
    // A dog counts 5, and the second number twice.
    const parts = [
      ops.multiply(ops.slice(codes[0]!, [0, 2], [-1, 1]), 5),
      ops.multiply(ops.sum(codes[1]!, 1, true), 0),
      ops.multiply(ops.slice(size, [0, 1], [-1, 1]), 2),
    ]
    const model = new Model({ inputs: { kind, size }, outputs: parts.reduce((sum, part) => ops.add(sum, part)) })
    const rows = strings({
      kind: ['dog', 'cat', 'dog'],
      size: [
        [9, 1],
        [9, 2],
        [9, 3],
      ],
    })
    const { individual, average } = await partialDependence(model, rows, { input: 'size', index: 1 }, { grid: [0, 10] })
    expect(values(individual)).toEqual([
      [5, 25],
      [0, 20],
      [5, 25],
    ])
    expect(average.data[1]! - average.data[0]!).toBeCloseTo(20, 4)
    await expect(partialDependence(model, rows, { input: 'kind', index: 0 })).rejects.toThrow(
      /the input 'kind' has strings/,
    )
  })

  it('calibrated, and quantized with their strings', async () => {
    const { model } = await reviewModel()
    await model.fit(strings(texts), labels, { ...quiet, epochs: 20 })
    const { temperature, model: honest } = await temperatureScaling(model, strings(texts), labels.flat())
    expect(temperature).toBeGreaterThan(0)
    expect((await honest.predict(strings(texts))).shape).toEqual([24, 1])
    const [exact, small] = [
      await model.predict(strings(texts)),
      await quantize(model, { calibration: texts }).predict(strings(texts)),
    ]
    exact.data.forEach((p, i) => expect(Math.abs(small.data[i]! - p)).toBeLessThan(0.02))
  })

  it('distilled into a student that encodes them differently', async () => {
    const { model } = await reviewModel()
    await model.fit(strings(texts), labels, { ...quiet, epochs: 20 })
    const before = await model.predict(strings(texts))
    const student = new Sequential([
      Input({ shape: [1], dtype: 'string' }),
      new TextVectorization({ vocabulary: ['good', 'bad'], outputMode: 'multiHot' }),
      new Dense({ units: 1, activation: 'sigmoid' }),
    ])
    const lesson = distill(model, student, { optimizer: 'adam', alpha: 0 })
    const { history } = await lesson.fit(Dataset.from(texts).batch(8) as never, { verbose: 0, epochs: 20 })
    expect(history['loss']!.at(-1)).toBeLessThan(history['loss']![0]!)
    const { loss } = await distill(model, student).evaluate(strings(texts), labels, { verbose: 0 })
    expect(loss).toBeGreaterThan(0)
    expect(values(await lesson.predict(strings(texts)))).toEqual(values(await student.predict(strings(texts))))
    expect(values(await model.predict(strings(texts)))).toEqual(values(before))
  })

  it('with numbers, in functional, nested and subclassed models', async () => {
    const kind = Input({ shape: [1], dtype: 'string', name: 'kind' })
    const size = Input({ shape: [2], name: 'size' })
    const lookup = new StringLookup({ vocabulary: ['cat', 'dog'], outputMode: 'oneHot' })
    const features = new Model({
      inputs: { kind, size },
      outputs: new Concatenate().apply([
        lookup.apply(kind),
        new Hashing({ numBins: 2, outputMode: 'oneHot' }).apply(kind),
        size,
      ]),
    })
    const rows = {
      kind: [['cat'], ['dog'], ['eel']],
      size: [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
    }
    const hashed = values(new Hashing({ numBins: 2, outputMode: 'oneHot' }).apply(strings(rows.kind))) as number[][]
    const expected = [
      [0, 1, 0, ...hashed[0]!, 1, 2],
      [0, 0, 1, ...hashed[1]!, 3, 4],
      [1, 0, 0, ...hashed[2]!, 5, 6],
    ]
    expect(values(await features.predict(rows as never))).toEqual(expected)
    const inner = { kind: Input({ shape: [1], dtype: 'string' }), size: Input({ shape: [2] }) }
    const outer = new Model({ inputs: inner, outputs: new Dense({ units: 1 }).apply(features.apply(inner as never)) })
    outer.compile({ optimizer: 'sgd', loss: 'mse' })
    await outer.fit(rows as never, [[1], [2], [3]], { verbose: 0, epochs: 2 })
    expect((await outer.predict(rows as never)).shape).toEqual([3, 1])
    const restored = (await loadModel(await outer.save())) as unknown as typeof outer
    expect(values(await restored.predict(rows as never))).toEqual(values(await outer.predict(rows as never)))

    class Own extends Model {
      static override readonly traits: LayerTraits<Own> = { inputDtype: () => 'string' }
      lookup = new StringLookup({ vocabulary: ['cat', 'dog'] })
      embed = new Embedding({ inputDim: 3, outputDim: 2 })
      flat = new Flatten()
      head = new Dense({ units: 1 })
      override call(x: Tensor) {
        return this.head.apply(this.flat.apply(this.embed.apply(this.lookup.apply(x))))
      }
    }
    const own = new Own()
    own.compile({ optimizer: 'sgd', loss: 'mse' })
    await own.fit(strings(rows.kind), [[1], [2], [3]], { verbose: 0, epochs: 2 })
    expect((await own.predict(strings(rows.kind))).shape).toEqual([3, 1])
  })

  it('errors', async () => {
    const { model } = await reviewModel()
    await expectError(
      model,
      () => model.fit([[1], [2]], [[0], [1]], quiet),
      DataError,
      'x: element [0][0] must be a string, received 1',
    )
    await expectError(model, () => model.fit(strings([['a'], ['b', 'c']]), [[0], [1]], quiet), DataError, 'ragged')
    await expectError(
      model,
      () =>
        model.fit(
          strings([
            ['a', 'b'],
            ['b', 'c'],
          ]),
          [[0], [1]],
          quiet,
        ),
      ShapeError,
      '[batch, 1]',
    )
    await expectError(
      model,
      () => model.fit(strings(['a', 'b', 'c']), [[0], [1]], quiet),
      ShapeError,
      'the same number of rows',
    )
    const numbers = new Sequential([new Dense({ units: 1, inputShape: [2] })])
    numbers.compile({ optimizer: 'sgd', loss: 'mse' })
    await expectError(
      numbers,
      () => numbers.fit(strings([['a', 'b']]), [[1]], quiet),
      DataError,
      "received the string 'a'",
    )
    expect(
      () => new Model({ inputs: Input({ shape: [2], dtype: 'string' }), outputs: Input({ shape: [1] }) }),
    ).toThrow()
    const symbol = Input({ shape: [2], dtype: 'string' })
    expect(() => new Dense({ units: 1 }).apply(symbol)).toThrow(/cannot compute with strings/)
    const fresh = new TextVectorization()
    expect(() =>
      new Sequential([Input({ shape: [1], dtype: 'string' }), fresh]).predictOnBatch(strings(['a'])),
    ).toThrow(/has no vocabulary yet/)
    class Mixed extends Layer {
      call(x: Tensor) {
        return ops.multiply(x, 2)
      }
    }
    expect(() => new Mixed().apply(symbol)).toThrow(/cannot compute with strings/)
  })
})

describe('DateEncoding', () => {
  const circle = (turns: number): number[] => [Math.sin(2 * Math.PI * turns), Math.cos(2 * Math.PI * turns)]
  const expected = (days: number, time: number | null = null): number[] => [
    days / 365.2425,
    ...circle(days / 365.2425),
    ...circle(days / 7),
    ...(time === null ? [] : circle(time)),
  ]

  it('gives years and the parts of the year, the week and the day', () => {
    const days = Date.UTC(2024, 4, 31) / 86_400_000
    const dates = [['1970-01-01'], ['2024-05-31'], ['1969-12-31']]
    expect(new DateEncoding().apply(dates).shape).toEqual([3, 5])
    expect([...new DateEncoding().apply(dates).data]).toEqual(
      [expected(0), expected(days), expected(-1)].flat().map((each) => expect.closeTo(each, 4)),
    )
    const timed = new DateEncoding({ time: true }).apply(['2024-05-31T18:00:00Z', '2024-05-31 20:00:00+02:00'])
    expect([...timed.data]).toEqual(
      [expected(days, 0.75), expected(days, 0.75)].flat().map((each) => expect.closeTo(each, 4)),
    )
  })

  it('gives NaN for a missing date, and refuses other strings', () => {
    expect([...new DateEncoding().apply(['']).data].every(Number.isNaN)).toBe(true)
    expect(() => new DateEncoding().apply(['2024-02-30'])).toThrow(/expected a date such as .*received '2024-02-30'/)
  })
})

describe('an optional input', () => {
  it('takes missing values, in columns, rows and one object; others refuse them', async () => {
    const inputOf = (optional: boolean, dtype: 'float32' | 'string') => Input({ shape: [1], dtype, optional })
    const make = (optional: boolean): Model<{ age: Tensor; sex: Tensor }, Tensor> => {
      const [age, sex] = [inputOf(optional, 'float32'), inputOf(optional, 'string')]
      const known = ops.where(ops.isnan(age), -1, age)
      const code = ops.cast(new StringLookup({ vocabulary: ['', 'f', 'm'] }).apply(sex), 'float32')
      return new Model({ inputs: { age, sex }, outputs: ops.concatenate([known, code], -1) })
    }
    const open = make(true)
    expect((await open.predict({ age: null, sex: null } as never)).toArray()).toEqual([[-1, 1]])
    const rows = [{ age: 3, sex: 'm' }, { age: NaN, sex: '' }] // prettier-ignore
    expect((await open.predict(rows)).toArray()).toEqual([[3, 3], [-1, 1]]) // prettier-ignore
    expect((await open.predict({ age: [[NaN]], sex: [['f']] })).toArray()).toEqual([[-1, 2]])
    const again = await loadModel<{ age: Tensor; sex: Tensor }, Tensor>(await open.save())
    expect((await again.predict(rows)).toArray()).toEqual([[3, 3], [-1, 1]]) // prettier-ignore
    const closed = make(false)
    await expect(closed.predict({ age: [[NaN]], sex: [['f']] })).rejects.toThrow(
      /must be a finite number, received NaN/,
    )
    await expect(closed.predict({ age: null, sex: 'f' } as never)).rejects.toThrow(/column 'age': the value is missing/)
  })
})
