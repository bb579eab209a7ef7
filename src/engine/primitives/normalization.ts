// Normalization of rows as one kernel, and its gradient. The mean and the factor of each row are further results, which
// the gradient reads.
//
//   x [… leading, … rows, … axes], scale and shift [… leading, … axes]
//   μ = mean x and r = 1 / √(mean (x − μ)² + epsilon) over the axes; μ = 0 if it is not centred
//   → y = (x − μ) r ⊙ scale + shift,  μ and r [… leading, … rows]

import { Normalize, NormalizeGradient } from '../../../assembly/shared/instructions'
import { Opcode } from '../../../assembly/shared/opcodes'
import { ShapeError, formatShape } from '../../core/errors'
import { sameShape, sizeOf, type Shape, type TensorType } from '../../core/shapes'
import type { Value } from '../ir/graph'
import { ABSENT, float, instruction, type LowerContext } from '../ir/instruction'
import { elementsOf } from './flops'
import { normalizationGradientReference, normalizationReference } from './normalization-references'
import { KernelRoutine } from './routine'
import type { CostContext, InPlace, RefContext, VjpContext } from './rule'

export interface NormalizationAttributes {
  /** The number of leading axes that scale and shift have, too: 0 unless they differ between samples. */
  readonly leading: number
  /** The number of last axes that are normalized together. */
  readonly axes: number
  readonly epsilon: number
  readonly isCentered: boolean
  readonly hasScale: boolean
  /** Only with a scale. */
  readonly hasShift: boolean
}

interface Extents {
  readonly groups: number
  readonly rows: number
  readonly columns: number
}

export function extentsOf(shape: Shape, { leading, axes }: NormalizationAttributes): Extents {
  const end = shape.length - axes
  return {
    groups: sizeOf(shape.slice(0, leading)),
    rows: sizeOf(shape.slice(leading, end)),
    columns: sizeOf(shape.slice(end)),
  }
}

function weightShape(shape: Shape, { leading, axes }: NormalizationAttributes): Shape {
  return [...shape.slice(0, leading), ...shape.slice(shape.length - axes)]
}

function requireOperands(name: string, inputs: readonly TensorType[], attributes: NormalizationAttributes): void {
  const [x, ...weights] = inputs.slice(0, 1 + Number(attributes.hasScale) + Number(attributes.hasShift))
  const expected = weightShape(x!.shape, attributes)
  const fits =
    x!.dtype === 'float32' && weights.every(({ shape, dtype }) => dtype === 'float32' && sameShape(shape, expected))
  if (!fits)
    throw new ShapeError(
      `${name}: expected float32 operands, and ${formatShape(expected)} beside ${formatShape(x!.shape)}, received ${inputs.map(({ dtype, shape }) => `${dtype} ${formatShape(shape)}`).join(', ')}`,
    )
}

function lifted(attributes: NormalizationAttributes): NormalizationAttributes {
  return attributes.hasScale ? { ...attributes, leading: attributes.leading + 1 } : attributes
}

export class Normalization extends KernelRoutine {
  readonly name = 'normalization'

  constructor(readonly attributes: NormalizationAttributes) {
    super()
  }

  override infer(inputs: readonly TensorType[]): readonly TensorType[] {
    requireOperands(this.name, inputs, this.attributes)
    const { shape } = inputs[0]!
    const sums: TensorType = { shape: shape.slice(0, shape.length - this.attributes.axes), dtype: 'float32' }
    return [inputs[0]!, sums, sums]
  }

  override keepsAxis([x]: readonly TensorType[], operand: number, axis: number): boolean {
    return operand === 0 && axis < x!.shape.length - this.attributes.axes
  }

  override lifted(): Normalization {
    return new Normalization(lifted(this.attributes))
  }

  // dμ adds dμ / n to dx, and dr adds −r³ (x − μ) dr / n.
  override vjp(context: VjpContext<unknown>): readonly (Value | null)[] {
    const { e, inputs, outputs, cotangents, isUsed } = context
    const { axes, isCentered, hasScale, hasShift } = this.attributes
    const [x, scale] = inputs
    const [, mean, inverse] = outputs
    const [dx, ...weights] = e.routine(new NormalizationGradient(this.attributes), [
      x!,
      ...(hasScale ? [scale!] : []),
      mean!,
      inverse!,
      cotangents[0]!,
    ])
    const { shape } = x!
    const { columns } = extentsOf(shape, this.attributes)
    const last = shape.map((_, i) => i).slice(shape.length - axes)
    const kept = (sums: Value): Value => e.keepAxes(sums, shape, last)
    let whole = dx!
    if (isUsed(1) && isCentered) whole = e.add(whole, kept(e.divide(cotangents[1]!, columns)))
    if (isUsed(2)) {
      const slope = e.multiply(cotangents[2]!, e.multiply(e.power(inverse!, 3), -1 / columns))
      whole = e.add(whole, e.multiply(e.subtract(x!, kept(mean!)), kept(slope)))
    }
    return [whole, ...(hasScale ? [weights[0]!] : []), ...(hasShift ? [weights[1]!] : [])]
  }

  override inPlace(): readonly InPlace[] {
    return [[0, 0]]
  }

  override lower({ inputs, outputs, emit }: LowerContext<unknown>): void {
    const { hasScale, hasShift, epsilon, isCentered } = this.attributes
    const [input, scale, shift] = inputs
    const [out, mean, inverse] = outputs
    if (sizeOf(input!.shape) === 0) return
    emit(
      instruction(Opcode.Normalize, Normalize, {
        ...extentsOf(input!.shape, this.attributes),
        out: out!.address,
        input: input!.address,
        scale: hasScale ? scale!.address : ABSENT,
        shift: hasShift ? shift!.address : ABSENT,
        mean: mean!.address,
        inverse: inverse!.address,
        epsilon: float(epsilon),
        isCentered: Number(isCentered),
      }),
    )
  }

  // A sum, a difference, a square and its sum, a difference and three products or sums.
  override flops({ outputs: [y] }: CostContext<unknown>): number {
    return 8 * elementsOf([y!])
  }

  override reference(context: RefContext<unknown>): void {
    const { attributes } = this
    normalizationReference(context, { ...attributes, ...extentsOf(context.inputTypes[0]!.shape, attributes) })
  }
}

/** x, scale if there is one, μ, r, dy → dx, dscale and dshift if they exist. */
export class NormalizationGradient extends KernelRoutine {
  readonly name = 'normalizationGradient'

  constructor(readonly attributes: NormalizationAttributes) {
    super()
  }

  override infer(inputs: readonly TensorType[]): readonly TensorType[] {
    const { hasScale, hasShift } = this.attributes
    requireOperands(this.name, inputs, { ...this.attributes, hasShift: false })
    const x = inputs[0]!
    const weight: TensorType = { shape: weightShape(x.shape, this.attributes), dtype: 'float32' }
    return [x, ...(hasScale ? [weight] : []), ...(hasShift ? [weight] : [])]
  }

  override lifted(): NormalizationGradient {
    return new NormalizationGradient(lifted(this.attributes))
  }

  override vjp(context: VjpContext<unknown>): readonly (Value | null)[] {
    return secondGradient(context, this.attributes)
  }

  override lower({ inputs, outputs, emit }: LowerContext<unknown>): void {
    const { hasScale, isCentered } = this.attributes
    const [x, ...rest] = inputs
    const [mean, inverse, gradient] = rest.slice(-3)
    const [out, dScale, dShift] = outputs
    const extents = extentsOf(x!.shape, this.attributes)
    if (extents.groups * extents.columns === 0) return
    const layout = { ...Normalize, ...NormalizeGradient }
    const fields = {
      ...extents,
      out: out!.address,
      input: x!.address,
      scale: hasScale ? rest[0]!.address : ABSENT,
      shift: ABSENT,
      mean: mean!.address,
      inverse: inverse!.address,
      epsilon: ABSENT,
      isCentered: Number(isCentered),
      gradient: gradient!.address,
      dScale: dScale?.address ?? ABSENT,
      dShift: dShift?.address ?? ABSENT,
    }
    if (extents.rows > 0) emit(instruction(Opcode.NormalizeGradient, layout, fields))
    if (hasScale) emit(instruction(Opcode.NormalizeWeights, layout, fields))
  }

  // A product with the scale, two sums with a product, and six for dx; three for dscale and one for dshift.
  override flops({ inputs: [x] }: CostContext<unknown>): number {
    const { hasScale, hasShift } = this.attributes
    return elementsOf([x!]) * (9 + (hasScale ? 4 : 0) + (hasShift ? 1 : 0))
  }

  override reference(context: RefContext<unknown>): void {
    const { attributes } = this
    normalizationGradientReference(context, { ...attributes, ...extentsOf(context.inputTypes[0]!.shape, attributes) })
  }
}

// The gradient of the gradient, from primitives. With z = (x − μ) r, u = dy ⊙ scale, P v = v − mean v − z mean (v z), where
// mean v is left out if it is not centred, the gradient is dx = r P u, dscale = Σ dy z, dshift = Σ dy. For the gradients a, b, c
// of these three, and g = dy b − r (a mean (u z) + u mean (a z)), the gradients of its operands are
//   x: r g      scale: Σ r dy P a      μ: −r Σ g      r: Σ g (x − μ) + Σ u P a      dy: r scale P a + b z + c
function secondGradient(
  { e, inputs, cotangents, isUsed }: VjpContext<unknown>,
  attributes: NormalizationAttributes,
): readonly (Value | null)[] {
  const { hasScale, hasShift, isCentered } = attributes
  const { shape } = inputs[0]!
  const { groups, rows, columns } = extentsOf(shape, attributes)
  const whole = (x: Value): Value => e.reshape(x, [groups, rows, columns])
  const ofRows = (x: Value): Value => e.reshape(x, [groups, rows, 1])
  const ofWeights = (x: Value): Value => e.reshape(x, [groups, 1, columns])
  const overRow = (name: 'mean' | 'sum', x: Value): Value => ofRows(e.reduce(name, x, [2]))

  const x = whole(inputs[0]!)
  const mean = ofRows(inputs.at(-3)!)
  const inverse = ofRows(inputs.at(-2)!)
  const dy = whole(inputs.at(-1)!)
  const scale = hasScale ? ofWeights(inputs[1]!) : null
  const distance = e.subtract(x, mean)
  const z = e.multiply(distance, inverse)
  const u = scale === null ? dy : e.multiply(dy, scale)

  const a = isUsed(0) ? whole(cotangents[0]!) : e.zeros(x)
  const along = overRow('mean', e.multiply(a, z))
  const middle = isCentered ? e.subtract(a, overRow('mean', a)) : a
  const projected = e.subtract(middle, e.multiply(z, along))
  const bent = e.add(e.multiply(a, overRow('mean', e.multiply(u, z))), e.multiply(u, along))
  let g = e.negative(e.multiply(inverse, bent))
  let ofGradient = e.multiply(inverse, scale === null ? projected : e.multiply(scale, projected))
  if (hasScale && isUsed(1)) {
    const b = ofWeights(cotangents[1]!)
    g = e.add(g, e.multiply(dy, b))
    ofGradient = e.add(ofGradient, e.multiply(b, z))
  }
  if (hasShift && isUsed(2)) ofGradient = e.add(ofGradient, ofWeights(cotangents[2]!))
  const sumsShape = inputs.at(-2)!.shape
  const toSums = (sums: Value): Value => e.reshape(sums, sumsShape)
  return [
    e.reshape(e.multiply(inverse, g), shape),
    ...(hasScale ? [e.reshape(e.sum(e.multiply(inverse, e.multiply(dy, projected)), [1]), inputs[1]!.shape)] : []),
    toSums(e.negative(e.multiply(inverse, overRow('sum', g)))),
    toSums(overRow('sum', e.add(e.multiply(g, distance), e.multiply(u, projected)))),
    e.reshape(ofGradient, shape),
  ]
}
