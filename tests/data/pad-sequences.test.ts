// padSequences, compared with keras.utils.pad_sequences.
// modes: simd

import { describe, expect, it } from 'vitest'
import { ArgumentError, DataError, ShapeError, padSequences, type PadSequencesOptions } from '../../src'

describe('padSequences', () => {
  it.each<[PadSequencesOptions, number[][]]>([
    [
      {},
      [
        [5, 2, 8],
        [0, 0, 7],
        [0, 0, 0],
      ],
    ],
    [
      { padding: 'post' },
      [
        [5, 2, 8],
        [7, 0, 0],
        [0, 0, 0],
      ],
    ],
    [
      { maxlen: 2 },
      [
        [2, 8],
        [0, 7],
        [0, 0],
      ],
    ],
    [
      { maxlen: 2, truncating: 'post', value: -1 },
      [
        [5, 2],
        [-1, 7],
        [-1, -1],
      ],
    ],
    [
      { maxlen: 4, padding: 'post' },
      [
        [5, 2, 8, 0],
        [7, 0, 0, 0],
        [0, 0, 0, 0],
      ],
    ],
  ])('with %j', (options, expected) => {
    const padded = padSequences([[5, 2, 8], Int32Array.of(7), []], options)
    expect(padded.toArray()).toEqual(expected)
    expect(padded.dtype).toBe('int32')
  })

  it('of steps that are lists', () => {
    const padded = padSequences(
      [
        [[1, 2]],
        [
          [3, 4],
          [5, 6],
        ],
      ],
      { dtype: 'float32', value: 9 },
    )
    expect(padded.toArray()).toEqual([
      [
        [9, 9],
        [1, 2],
      ],
      [
        [3, 4],
        [5, 6],
      ],
    ])
    expect(padded.dtype).toBe('float32')
  })

  it('truncates fractions, as Keras does, unless an option keeps them', () => {
    expect(padSequences([[1.9, -1.5]]).toArray()).toEqual([[1, -1]])
    expect(padSequences([[1.5, -1.5]], { dtype: 'float32' }).toArray()).toEqual([[1.5, -1.5]])
  })

  it('of sequences without steps', () => {
    expect(padSequences([[], []]).shape).toEqual([2, 0])
  })

  it('reports invalid arguments', () => {
    expect(() => padSequences([])).toThrow(new DataError('padSequences: expected a list of sequences, received []'))
    expect(() => padSequences([[1], 3])).toThrow(
      new DataError('padSequences: sequence 1 must be a list of steps, received 3'),
    )
    expect(() => padSequences([[], [[1, 2]], [[1, 2, 3]]])).toThrow(
      new ShapeError('padSequences: the steps of sequences 1 and 2 must have one shape, received [2] and [3]'),
    )
    expect(() => padSequences([[1]], { padding: 'left' as never })).toThrow(ArgumentError)
  })
})
