// Reads the equation of an EinsumDense: the shapes of output, kernel and bias follow from it and from the input's
// shape. Computes nothing; follows Keras's rules.

import { ArgumentError, ShapeError, formatShape } from '../../core/errors'
import type { BatchShape } from '../spec'

/** The shapes that follow from an equation and an input shape. */
export interface EinsumShapes {
  /** With the batch axis. */
  readonly output: BatchShape
  readonly kernel: readonly number[]
  /** The kernel axes that occur in the input but not in the output, and the other kernel axes. */
  readonly inputAxes: readonly number[]
  readonly outputAxes: readonly number[]
  /** null for no bias. */
  readonly bias: readonly number[] | null
}

const FORM = /^(\.\.\.)?([a-zA-Z]+)(\.\.\.)?,([a-zA-Z]+)->(\.\.\.)?([a-zA-Z]+)(\.\.\.)?$/

/** The letters of an equation, and the side of the ellipsis. */
export interface EinsumEquation {
  readonly input: string
  readonly kernel: string
  readonly output: string
  readonly ellipsis: 'left' | 'right' | 'none'
}

/** @throws ArgumentError unless it is like ab,bc->ac, ...ab,bc->...ac or ab...,bc->ac... */
export function parseEquation(where: string, equation: string): EinsumEquation {
  const [found, left, input = '', right, kernel = '', leftOut, output = '', rightOut] =
    FORM.exec(equation.replaceAll(' ', '')) ?? []
  const isTwoSided = left !== undefined && right !== undefined
  if (found === undefined || isTwoSided || left !== leftOut || right !== rightOut) {
    throw new ArgumentError(
      `${where}: the equation must be like 'ab,bc->ac', '...ab,bc->...ac' or 'ab...,bc->ac...', received '${equation}'`,
    )
  }
  for (const letter of output) {
    if (!input.includes(letter) && !kernel.includes(letter))
      throw new ArgumentError(`${where}: ${letter} of the output is in neither operand of '${equation}'`)
  }
  for (const letter of kernel) {
    if (!input.includes(letter) && !output.includes(letter))
      throw new ArgumentError(`${where}: ${letter} of the kernel is in neither input nor output of '${equation}'`)
  }
  const atRight = right === undefined ? 'none' : 'right'
  return { input, kernel, output, ellipsis: left === undefined ? atRight : 'left' }
}

/**
 * @param partial the output's shape without the batch axis and the axes of an ellipsis; null takes the extent from the
 * input
 * @param biasAxes the letters of the output axes that the bias has; null for no bias
 * @throws ShapeError for an input that does not fit
 */
export function einsumShapes(
  where: string,
  equation: EinsumEquation,
  partial: BatchShape,
  biasAxes: string | null,
  inputShape: BatchShape,
): EinsumShapes {
  const { input, kernel, output, ellipsis } = equation
  const elided = inputShape.length - input.length
  // The batch axis is the first axis of the input: a letter, or under an ellipsis at the left.
  const fits = ellipsis === 'none' ? elided === 0 : elided >= (ellipsis === 'left' ? 1 : 0)
  if (!fits) {
    const needed = ellipsis === 'none' ? `${input.length}` : `at least ${input.length + (ellipsis === 'left' ? 1 : 0)}`
    const hint = ellipsis === 'none' && input.length === 2 && elided > 0 ? ' Did you forget Flatten?' : ''
    throw new ShapeError(`${where}: the input must have ${needed} axes, received ${formatShape(inputShape)}.${hint}`)
  }
  const inputExtents = new Map(
    [...input].map((letter, i) => [letter, inputShape[ellipsis === 'left' ? elided + i : i]!]),
  )
  const outputExtents = ellipsis === 'left' ? partial : [inputShape[0]!, ...partial]
  if (outputExtents.length !== output.length) {
    throw new ShapeError(
      `${where}: outputShape must have ${output.length - (ellipsis === 'left' ? 0 : 1)} extents, received ${formatShape(partial)}`,
    )
  }
  const extents = new Map(
    [...output].map((letter, i) => [letter, commonExtent(letter, outputExtents[i]!, inputExtents.get(letter) ?? null)]),
  )

  function commonExtent(letter: string, wanted: number | null, there: number | null): number | null {
    if (wanted === null || there === null || wanted === there) return wanted ?? there
    throw new ShapeError(
      `${where}: ${letter} is ${there} in the input ${formatShape(inputShape)} and ${wanted} in the output`,
    )
  }
  const known = (letter: string): number => {
    const extent = extents.has(letter) ? extents.get(letter) : inputExtents.get(letter)
    if (extent != null) return extent
    throw new ShapeError(
      `${where}: the extent of ${letter} must be known, in outputShape or in the input ${formatShape(inputShape)}`,
    )
  }

  const letters = [...output].map((letter) => extents.get(letter) ?? null)
  const between = ellipsis === 'left' ? inputShape.slice(0, elided) : inputShape.slice(input.length)
  const axes = [...kernel].map((letter, axis) => ({ axis, isOutput: extents.has(letter) }))
  return {
    output: ellipsis === 'left' ? [...between, ...letters] : [...letters, ...between],
    kernel: [...kernel].map(known),
    inputAxes: axes.filter(({ isOutput }) => !isOutput).map(({ axis }) => axis),
    outputAxes: axes.filter(({ isOutput }) => isOutput).map(({ axis }) => axis),
    bias: biasAxes === null ? null : biasShape(output, biasAxes, known, ellipsis === 'left' ? 0 : elided),
  }
}

/** Aligned at the right with the output: from the first letter of biasAxes on, with extent 1 for the other letters. */
function biasShape(output: string, biasAxes: string, known: (letter: string) => number, elided: number): number[] {
  const first = Math.min(...[...biasAxes].map((letter) => output.indexOf(letter)))
  const ofBias = Array.from(output.slice(first), (letter) => (biasAxes.includes(letter) ? known(letter) : 1))
  return [...ofBias, ...new Array<number>(elided).fill(1)]
}
