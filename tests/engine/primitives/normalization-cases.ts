// The rows of the table for normalization: rows of all lengths around vectors and blocks, weights of all kinds, alone and for
// each sample.

import type { Shape } from '../../../src/core/shapes'
import {
  Normalization,
  NormalizationGradient,
  type NormalizationAttributes,
} from '../../../src/engine/primitives/normalization'
import { exactly, floats } from '../../helpers/data'
import type { CaseInput, OpCase } from './cases'

const FORMS = [
  { title: 'scale and shift', isCentered: true, hasScale: true, hasShift: true },
  { title: 'scale', isCentered: true, hasScale: true, hasShift: false },
  { title: 'no weights', isCentered: true, hasScale: false, hasShift: false },
  { title: 'not centred, scale', isCentered: false, hasScale: true, hasShift: false },
  { title: 'not centred, scale and shift', isCentered: false, hasScale: true, hasShift: true },
  { title: 'not centred, no weights', isCentered: false, hasScale: false, hasShift: false },
] as const
type Form = (typeof FORMS)[number]

interface Sized {
  readonly shape: Shape
  readonly leading?: number
  readonly axes?: number
  readonly isSmall?: boolean
}

const SIZES: readonly Sized[] = [
  { shape: [5], isSmall: true },
  { shape: [3, 4], isSmall: true },
  { shape: [2, 3, 5], isSmall: true },
  { shape: [2, 3, 2, 3], axes: 2, isSmall: true },
  { shape: [2, 3, 5], leading: 1, isSmall: true },
  { shape: [2, 2, 2, 3], leading: 1, axes: 2, isSmall: true },
  { shape: [3, 2], axes: 2, isSmall: true },
  ...[1, 2, 3, 15, 16, 17, 31, 36, 128].map((columns) => ({ shape: [9, columns] })),
  { shape: [600, 20] },
  { shape: [2, 300, 7], leading: 1 },
  { shape: [2, 1030] },
  { shape: [0, 3] },
  { shape: [2, 0, 3], leading: 1 },
]

function attributesOf({ leading = 0, axes = 1 }: Sized, form: Form): NormalizationAttributes {
  const { isCentered, hasScale, hasShift } = form
  return { leading, axes, epsilon: 1e-3, isCentered, hasScale, hasShift }
}

function weightsOf({ shape, leading = 0, axes = 1 }: Sized, { hasScale, hasShift }: Form): CaseInput[] {
  const extents = [...shape.slice(0, leading), ...shape.slice(shape.length - axes)]
  return [...(hasScale ? [floats(extents, -1.5, 1.5, 2)] : []), ...(hasShift ? [floats(extents, -1, 1, 3)] : [])]
}

const tolerance = { ulp: 16, absolute: 4e-6 }
/** The sums of the gradient's weights are over rows, and those of a row over its elements. */
const sumTolerance = { ulp: 40, absolute: 4e-5 }

const forward = (sized: Sized, form: Form): OpCase<'routine'> => ({
  title: `normalization of [${sized.shape.join()}]: ${form.title}${sized.leading === undefined ? '' : ', weights for each sample'}`,
  inputs: [floats(sized.shape, -2, 2, 1), ...weightsOf(sized, form)],
  attributes: { routine: new Normalization(attributesOf(sized, form)) },
  ...tolerance,
  gradient: sized.isSmall === true,
  secondGradient: sized.isSmall === true,
})

const backward = (sized: Sized, form: Form): OpCase<'routine'> => {
  const { shape, axes = 1 } = sized
  const sums = shape.slice(0, shape.length - axes)
  return {
    title: `gradient of normalization of [${shape.join()}]: ${form.title}${sized.leading === undefined ? '' : ', weights for each sample'}`,
    inputs: [
      floats(shape, -2, 2, 1),
      ...weightsOf(sized, { ...form, hasShift: false } as Form),
      floats(sums, -0.5, 0.5, 4),
      floats(sums, 0.5, 1.5, 5),
      floats(shape, -1, 1, 6),
    ],
    attributes: { routine: new NormalizationGradient(attributesOf(sized, form)) },
    ...sumTolerance,
  }
}

export const normalizationCases: readonly OpCase<'routine'>[] = [
  ...SIZES.flatMap((sized) => FORMS.flatMap((form) => [forward(sized, form), backward(sized, form)])),
  {
    title: 'normalization of a transposed operand',
    inputs: [
      { ...floats([5, 6], -2, 2, 1), through: (e, x) => e.transposeMatrix(x) },
      ...weightsOf({ shape: [6, 5] }, FORMS[0]),
    ],
    attributes: { routine: new Normalization(attributesOf({ shape: [6, 5] }, FORMS[0])) },
    ...tolerance,
    gradient: true,
  },
  {
    title: 'normalization of special values',
    inputs: [exactly([NaN, 1, 2, Infinity, 1, 2, 3, 3, 3, 1e-45, 0, -0], 'float32', [4, 3])],
    attributes: { routine: new Normalization(attributesOf({ shape: [4, 3] }, FORMS[2])) },
    ...tolerance,
  },
]
