// The offsets of an element in several operands, from its number in a common shape.

import type { Shape } from '../../core/shapes'
import type { RecordFields } from './dispatch'

/** WGSL that finds an element of several operands by its number. */
export interface Strided {
  /** The extents and strides, for the record. */
  readonly fields: RecordFields
  /** Statements that declare NAME_at, the offset in operand NAME, for each operand. */
  readonly code: string
}

interface Axis {
  readonly extent: number
  readonly strides: readonly number[]
}

/** Removes axes of extent 1, and merges neighbouring axes if one stride per operand is enough for both. */
function collapse(shape: Shape, strides: readonly (readonly number[])[]): Axis[] {
  const axes: Axis[] = []
  shape.forEach((extent, i) => {
    if (extent === 1) return
    const axis = { extent, strides: strides.map((each) => each[i]!) }
    const last = axes.at(-1)
    const joins = last !== undefined && axis.strides.every((stride, j) => last.strides[j] === stride * extent)
    if (joins) axes[axes.length - 1] = { extent: last.extent * extent, strides: axis.strides }
    else axes.push(axis)
  })
  return axes
}

/**
 * Strides are multiplied in unsigned 32-bit arithmetic, whose overflow is that of negative strides.
 * @param number a WGSL expression: the number of the element in row-major order
 * @param operands the strides of each operand in the shape, by name
 */
export function stridedOffsets(
  number: string,
  shape: Shape,
  operands: Readonly<Record<string, readonly number[]>>,
): Strided {
  const names = Object.keys(operands)
  const axes = collapse(shape, Object.values(operands))
  const fields: Record<string, number> = {}
  const terms: string[][] = names.map(() => [])
  const lines: string[] = []
  let rest = number
  for (let i = axes.length - 1; i >= 0; i--) {
    const { extent, strides } = axes[i]!
    const [at, extentName] = [`c${i}`, `e${i}`]
    // The first axis needs no division.
    if (i > 0) {
      fields[extentName] = extent
      lines.push(`let q${i} = ${rest} / p.${extentName}; let ${at} = ${rest} - q${i} * p.${extentName};`)
      rest = `q${i}`
    } else lines.push(`let ${at} = ${rest};`)
    strides.forEach((stride, j) => {
      const name = `s${j}_${i}`
      if (stride === 1) terms[j]!.push(at)
      else if (stride !== 0) {
        fields[name] = stride
        terms[j]!.push(`${at} * p.${name}`)
      }
    })
  }
  names.forEach((name, j) => lines.push(`let ${name}_at = ${terms[j]!.join(' + ') || '0u'};`))
  return { fields, code: lines.join('\n') }
}
