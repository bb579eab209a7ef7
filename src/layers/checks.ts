// Checks of inputs and masks, and the errors for those that do not fit.

import { warnOnce } from '../core/warnings'
import { ShapeError, checkOptions, formatShape } from '../core/errors'
import { sameShape, sizeOf, type Shape } from '../core/shapes'
import { flatten, type Tree } from '../core/tree'
import { Tensor } from '../ops/tensor'
import { TensorSpec, isKnownShape, type BatchShape, type InputSpec } from './spec'

interface Named {
  toString(): string
}

/** The option by which a layer was given the shape of its input; undefined without one. */
export const givenInputShape = (layer: object): (typeof INPUT_SHAPE)[number] | undefined =>
  INPUT_SHAPE.find((name) => Reflect.get(layer, name) !== null)

/** Warns if a layer in which inputShape changes nothing has this option, or inputDim. */
export function warnOfInputShape(layer: Named, remedy: string): void {
  const shapeOption = givenInputShape(layer)
  if (shapeOption !== undefined) warnOnce(`${layer.toString()}: ${shapeOption} changes nothing here. ${remedy}`)
}

/** The options by which a layer gets the shape of its input. */
export const INPUT_SHAPE = ['inputShape', 'inputDim'] as const

/**
 * @param layer is named in the error
 * @param form the expected axes, such as ['batch', 'steps', 'features']
 * @throws ShapeError for another number of axes
 */
export function requireRank(layer: Named, inputShape: BatchShape, form: readonly string[]): void {
  if (inputShape.length === form.length) return
  throw new ShapeError(
    `${layer.toString()}: the input must be [${form.join(', ')}], received ${formatShape(inputShape)}.${hintOf(form, inputShape)}`,
  )
}

/** The features of an input [batch, …, features]. @throws ShapeError if they are not known */
export function requireFeatures(layer: Named, inputShape: BatchShape): number {
  const features = inputShape.at(-1)
  if (inputShape.length >= 2 && features != null) return features
  throw new ShapeError(
    `${layer.toString()}: the input must be [batch, …, features], received ${formatShape(inputShape)}`,
  )
}

/** `input`, `input[1]`, `state[0]`. */
const nameOf = (path: string): string => (path.startsWith('.') ? path.slice(1) : `input${path}`)

/**
 * @param built the input shape for which the weights were created
 * @param path which of several inputs; '' for the only one
 * @throws ShapeError if the numbers of axes differ
 */
export function requireSameRank(layer: Named, shape: BatchShape, built: BatchShape, path = ''): void {
  if (shape.length === built.length) return
  throw new ShapeError(
    `${layer.toString()}: ${path === '' ? 'the input' : nameOf(path)} must have ${built.length} axes, received ${formatShape(shape)}`,
  )
}

/**
 * @param built the input shape for which the weights were created
 * @param axes the axes whose extents must be equal; negative ones count from the end
 * @param path which of several inputs; '' for the only one
 * @throws ShapeError if they differ
 */
export function requireExtents(
  layer: Named,
  shape: BatchShape,
  built: BatchShape,
  axes: readonly number[],
  path = '',
): void {
  const wrong = axes.find(
    (axis) => built.at(axis) != null && shape.at(axis) !== null && shape.at(axis) !== built.at(axis),
  )
  if (wrong === undefined) return
  const isLast = wrong === -1 || wrong === built.length - 1
  const where =
    isLast && path === ''
      ? 'the last input dimension'
      : `${isLast ? 'the last dimension' : `axis ${wrong}`} of ${path === '' ? 'the input' : nameOf(path)}`
  const expected = built.at(wrong)!
  const extents = shape.slice(1)
  const hint =
    isLast && shape.length > 2 && isKnownShape(extents) && sizeOf(extents) === expected
      ? '. Did you forget Flatten?'
      : ''
  throw new ShapeError(`${layer.toString()}: ${where} must be ${expected}, received ${formatShape(shape)}${hint}`)
}

/**
 * @param form the axes that the mask must have, such as ['batch', 'steps']
 * @param expected their extents
 * @param mayBroadcast whether any extent may be 1
 * @param path the input that the mask belongs to
 * @throws ShapeError for other extents
 */
export function requireMask(
  layer: Named,
  { shape }: { readonly shape: Shape },
  form: readonly string[],
  expected: Shape,
  { path = '', mayBroadcast = false } = {},
): void {
  const fits = mayBroadcast
    ? shape.length === expected.length && shape.every((extent, i) => extent === 1 || extent === expected[i])
    : sameShape(shape, expected)
  if (fits) return
  const of = path === '' ? '' : ` of ${nameOf(path)}`
  throw new ShapeError(
    `${layer.toString()}: the mask${of} must be [${form.join(', ')}], here ${formatShape(expected)}, received ${formatShape(shape)}`,
  )
}

function hintOf(form: readonly string[], inputShape: BatchShape): string {
  if (form.length === 2 && inputShape.length > 2) return ' Did you forget Flatten?'
  if (form[1] === 'steps' && inputShape.length === 2)
    return ' Rows of single numbers, such as windows of a series, need an axis of features: ops.expandDims(x, -1). A recurrent layer in front of it gives every step with returnSequences: true.'
  return ''
}

const SPEC_OPTIONS = [
  'shape',
  'dtype',
  'ndim',
  'minNdim',
  'maxNdim',
  'axes',
] as const satisfies readonly (keyof InputSpec)[]

const isSpec = (required: InputSpec | readonly InputSpec[] | null): required is InputSpec =>
  required !== null && !Array.isArray(required)

/** The shape and the dtype of a tensor or a spec. */
function typeOf(leaf: unknown): Partial<Pick<TensorSpec, 'shape' | 'dtype'>> {
  return leaf instanceof Tensor || leaf instanceof TensorSpec ? leaf : {}
}

/** @throws ArgumentError for a spec with other options; ShapeError for an input that is not as the `inputSpec` of a layer requires */
export function requireInputs(
  layer: Named,
  required: InputSpec | readonly InputSpec[] | null,
  input: Tree<unknown>,
): void {
  const inputs = flatten(input)
  const specs = isSpec(required) ? [required] : (required ?? [])
  specs.forEach((spec, i) => {
    checkOptions(`${layer.toString()}: inputSpec`, spec, SPEC_OPTIONS)
    const { shape = [], dtype } = typeOf(inputs[i])
    const { ndim = spec.shape?.length, minNdim = ndim ?? 0, maxNdim = ndim ?? Infinity } = spec
    const isExtent = ([axis, extent]: [string, number | null]): boolean => {
      const received = shape.at(Number(axis))
      return extent === null || received === null || received === extent
    }
    if (
      shape.length >= minNdim &&
      shape.length <= maxNdim &&
      (spec.dtype ?? dtype) === dtype &&
      Object.entries<number | null>(Object.assign({}, spec.shape, spec.axes)).every(isExtent)
    )
      return
    throw new ShapeError(
      `${layer.toString()}: inputSpec requires ${JSON.stringify(spec)}, received ${dtype} ${formatShape(shape)}`,
    )
  })
}
