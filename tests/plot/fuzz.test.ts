// Pictures of any data are well formed, or the data are refused by an error of this library.
// modes: simd
import * as fc from 'fast-check'
import { describe, it } from 'vitest'
import { MyelinError, tensor } from '../../src'
import {
  plotAttributions,
  plotConfusionMatrix,
  plotHistory,
  plotImages,
  plotProjection,
  plotRoc,
  sparkline,
  textCurve,
} from '../../src/entries/plot'
import { checked } from '../helpers/svg'

/** Runs are few: each parses a picture. */
const RUNS = { numRuns: 60, seed: 7 }

function isDrawn(draw: () => { readonly svg: string; readonly description: string }): void {
  let svg: string
  try {
    ;({ svg } = draw())
  } catch (error) {
    if (error instanceof MyelinError) return
    throw error
  }
  // Numbers are coordinates: only texts may report a missing one.
  checked(svg)
}

const odd = fc.oneof(fc.double(), fc.constantFrom(0, -0, 1, NaN, Infinity, -Infinity, Number.MAX_VALUE, 5e-324))
const finite = fc.double({ noNaN: true, min: -3e38, max: 3e38 })
const title = fc.string({ unit: 'binary', maxLength: 30 })
const matrix = (element: fc.Arbitrary<number>, rows: number, columns: number) =>
  fc
    .array(element, { minLength: rows * columns, maxLength: rows * columns })
    .map((data) => tensor(data, [rows, columns]))

describe('any data', () => {
  it('of a history', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom('loss', 'valLoss', 'val_a', 'a', '<b>'), fc.array(odd, { maxLength: 9 })),
        title,
        fc.boolean(),
        (history, text, log) => {
          isDrawn(() => plotHistory(history, { title: text.replace(/NaN|Infinity|undefined/g, ''), log }))
        },
      ),
      RUNS,
    )
  })

  it('of a confusion matrix, and its names', () => {
    fc.assert(
      fc.property(matrix(fc.double({ noNaN: true, min: 0, max: 1e30 }), 3, 3), title, (numbers, text) => {
        isDrawn(() => plotConfusionMatrix(numbers, { names: [text, '', '<'] }))
      }),
      RUNS,
    )
  })

  it('of scores', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(odd, fc.boolean()), { maxLength: 20 }), (rows) => {
        isDrawn(() =>
          plotRoc(
            rows.map(([score]) => score),
            rows.map(([, label]) => Number(label)),
          ),
        )
      }),
      RUNS,
    )
  })

  it('of activations, images and attributions', () => {
    fc.assert(
      fc.property(matrix(fc.oneof(finite, odd), 4, 3), (numbers) => {
        isDrawn(() => plotProjection(numbers))
        isDrawn(() => plotImages(tensor(numbers.data, [2, 2, 3])))
        isDrawn(() => plotAttributions(numbers))
      }),
      RUNS,
    )
  })

  it('for terminals', () => {
    fc.assert(
      fc.property(fc.array(odd, { maxLength: 100 }), (numbers) => {
        sparkline(numbers)
        try {
          textCurve(numbers)
        } catch (error) {
          if (!(error instanceof MyelinError)) throw error
        }
      }),
      RUNS,
    )
  })
})
