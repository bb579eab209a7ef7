// Matrices of layers whose weights may have few bits: docs/decisions/0041-weights-of-few-bits.md.

import { choice } from '../../core/options'
import { sizeOf, type Shape } from '../../core/shapes'
import { packIntegers, packRows, packedShape, unpackRows, type PackedFormat } from '../../engine/primitives/packed'
import type { GroupedIntegers } from '../../files/containers/numbers'
import type { WeightOptions } from '../../layers/weight-lists'
import { Tensor } from '../../ops/tensor'
import type { Variable } from '../../ops/variable'
import { Initializer } from '../../parts/initializers'

/** float32, or integers of 8 or 4 bits with a scale for each 32 neighbouring inputs of an output. */
export type WeightKind = 'float32' | 'int8' | 'int4'
export const weightKind = /* @__PURE__ */ choice('float32', 'int8', 'int4')

const BITS = { int8: 8, int4: 4 } as const

/** A matrix [outputs, inputs], which its layer multiplies as it is stored. */
export interface Matrix {
  readonly outputs: number
  readonly inputs: number
  /** null for float32. */
  readonly format: PackedFormat | null
  readonly variable: Variable
}

/** Adds a matrix to a layer. Integers are not trainable. */
export function addMatrix(
  add: (options: WeightOptions) => Variable,
  kind: WeightKind,
  name: string,
  [outputs, inputs]: readonly [outputs: number, inputs: number],
  initializer: Initializer,
): Matrix {
  const shape = [outputs, inputs]
  if (kind === 'float32') return { outputs, inputs, format: null, variable: add({ name, shape, initializer }) }
  const format: PackedFormat = { outputs, inputs, bits: BITS[kind] }
  const variable = add({
    name,
    shape: packedShape(format),
    initializer: new PackedInitializer(format, initializer),
    dtype: 'int8',
    trainable: false,
  })
  return { outputs, inputs, format, variable }
}

/** The integers of numbers that another initializer draws. */
class PackedInitializer extends Initializer {
  constructor(
    private readonly format: PackedFormat,
    private readonly drawn: Initializer,
  ) {
    super({})
  }

  call(shape: Shape): Tensor {
    const { outputs, inputs } = this.format
    const bytes = new Int8Array(sizeOf(shape))
    packRows(bytes, this.format, 0, Float32Array.from(this.drawn.call([outputs, inputs]).data))
    return new Tensor(bytes, shape, 'int8')
  }
}

/** Writes float32 numbers into rows of a matrix, from row `row` on. */
export function writeRows({ inputs, format, variable: { view } }: Matrix, row: number, numbers: Float32Array): void {
  if (format === null) view.set(numbers, row * inputs)
  else if (view instanceof Int8Array) packRows(view, format, row, numbers)
}

/** Writes rows that are integers of the bits of a matrix, from row `row` on. */
export function writeIntegers(
  { format, variable: { view } }: Matrix,
  row: number,
  { integers, scales, minima }: GroupedIntegers,
): void {
  if (format !== null && view instanceof Int8Array) packIntegers(view, format, row, integers, scales, minima)
}

/** The numbers that a matrix stands for, [outputs, inputs]. */
export function readMatrix({ outputs, format, variable: { view } }: Matrix): ArrayLike<number> {
  return format !== null && view instanceof Int8Array ? unpackRows(view, format, 0, outputs) : view
}
