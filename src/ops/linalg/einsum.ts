// Einstein summation: checks an equation such as 'bij,bjk->bik' and turns it into transposes, matrix products
// and sums. The public op is in linalg.ts.

import { ArgumentError, ShapeError, formatShape, quoted } from '../../core/errors'
import { sizeOf } from '../../core/shapes'
import { multiply } from '../numpy/elementwise'
import { sum } from '../numpy/reduce'
import { product } from './products'
import { reshape, take, transpose } from '../numpy/shape'
import { Tensor } from '../tensor'

/** A tensor with named axes: letters, or '...0', '...1', … for axes under an ellipsis, counted from the right. */
interface Named {
  readonly tensor: Tensor
  readonly labels: readonly string[]
}

const TERM = /^[a-zA-Z]*(\.\.\.)?[a-zA-Z]*$/
const ELLIPSIS = '...'

/** The product of all operands, summed over the letters that the result does not have. */
export function sumOfProducts(equation: string, tensors: readonly Tensor[]): Tensor {
  const [left = '', right, ...rest] = equation.replaceAll(/\s/g, '').split('->')
  const terms = left.split(',')
  if (rest.length > 0 || ![...terms, right ?? ''].every((term) => TERM.test(term))) {
    throw new ArgumentError(
      `einsum: the equation must be like 'ij,jk->ik', letters and ..., received ${quoted(equation)}`,
    )
  }
  if (tensors.length !== terms.length) {
    throw new ArgumentError(`einsum: '${equation}' needs ${terms.length} operands, received ${tensors.length}`)
  }
  const operands = tensors.map((tensor, i) => named(equation, terms[i]!, tensor))
  checkExtents(equation, operands)
  const result = resultLabels(equation, operands, right)
  const [first, ...others] = operands.map(diagonal)
  const whole = others.reduce((folded, operand, i) => {
    const later = others.slice(i + 1).flatMap(({ labels }) => labels)
    return contract(folded, operand, new Set([...result, ...later]))
  }, first!)
  const { tensor, labels } = sumOut(whole, new Set(result))
  return transpose(
    tensor,
    result.map((label) => labels.indexOf(label)),
  )
}

function named(equation: string, term: string, tensor: Tensor): Named {
  const [before = '', after] = term.split(ELLIPSIS)
  const letters = before.length + (after?.length ?? 0)
  const open = tensor.rank - letters
  if (after === undefined ? open !== 0 : open < 0) {
    const axes = after === undefined ? `${letters}` : `at least ${letters}`
    throw new ShapeError(`einsum: '${term}' of '${equation}' needs ${axes} axes, received ${formatShape(tensor.shape)}`)
  }
  const between = Array.from({ length: open }, (_, i) => `${ELLIPSIS}${open - 1 - i}`)
  return { tensor, labels: [...before, ...between, ...(after ?? '')] }
}

/** A letter has the same extent everywhere; axes under an ellipsis broadcast. */
function checkExtents(equation: string, operands: readonly Named[]): void {
  const known = new Map<string, number>()
  for (const { tensor, labels } of operands) {
    labels.forEach((label, i) => {
      const extent = tensor.shape[i]!
      const before = known.get(label)
      const fits =
        before === undefined || before === extent || (label.startsWith(ELLIPSIS) && (before === 1 || extent === 1))
      if (!fits)
        throw new ShapeError(`einsum: ${label} of '${equation}' is ${before} in one place and ${extent} in another`)
      if (before === undefined || before === 1) known.set(label, extent)
    })
  }
}

function resultLabels(equation: string, operands: readonly Named[], right: string | undefined): string[] {
  const all = operands.flatMap(({ labels }) => labels)
  const open = [...new Set(all.filter((label) => label.startsWith(ELLIPSIS)))].sort().reverse()
  if (right === undefined) {
    const letters = all.filter((label) => !label.startsWith(ELLIPSIS))
    return [...open, ...letters.filter((label) => letters.indexOf(label) === letters.lastIndexOf(label)).sort()]
  }
  const [before = '', after] = right.split(ELLIPSIS)
  if (after === undefined && open.length > 0)
    throw new ArgumentError(`einsum: the result of '${equation}' must contain ..., because an operand does`)
  const result = [...before, ...open, ...(after ?? '')]
  const wrong = result.find((label, i) => !all.includes(label) || result.indexOf(label) !== i)
  if (wrong !== undefined)
    throw new ArgumentError(`einsum: ${wrong} must occur once in the result of '${equation}', and in an operand`)
  return result
}

/** A letter that occurs twice in an operand selects its diagonal: x[…, i, …, i] → y[…, i]. */
function diagonal({ tensor, labels }: Named): Named {
  const second = labels.findIndex((label, i) => labels.indexOf(label) !== i)
  if (second < 0) return { tensor, labels }
  const first = labels.indexOf(labels[second]!)
  const rest = labels.map((_, i) => i).filter((i) => i !== first && i !== second)
  const extent = tensor.shape[first]!
  const square = reshape(transpose(tensor, [...rest, first, second]), [
    ...rest.map((i) => tensor.shape[i]!),
    extent * extent,
  ])
  const indices = Int32Array.from({ length: extent }, (_, i) => i * (extent + 1))
  const picked = extent === 0 ? square : take(square, new Tensor(indices, [extent], 'int32'), -1)
  return diagonal({ tensor: picked, labels: [...rest.map((i) => labels[i]!), labels[first]!] })
}

/** Sums over the axes that no later step needs. */
function sumOut({ tensor, labels }: Named, wanted: ReadonlySet<string>): Named {
  const axes = labels.flatMap((label, i) => (wanted.has(label) ? [] : [i]))
  if (axes.length === 0) return { tensor, labels }
  return { tensor: sum(tensor, axes), labels: labels.filter((label) => wanted.has(label)) }
}

/** The product of two operands, summed over the letters that both have and no later step needs. */
function contract(a: Named, b: Named, wanted: ReadonlySet<string>): Named {
  const left = sumOut(a, new Set([...wanted, ...b.labels]))
  const right = sumOut(b, new Set([...wanted, ...a.labels]))
  const shared = left.labels.filter((label) => right.labels.includes(label))
  const batch = shared.filter((label) => wanted.has(label))
  const summed = shared.filter((label) => !wanted.has(label))
  const rows = left.labels.filter((label) => !shared.includes(label))
  const columns = right.labels.filter((label) => !shared.includes(label))
  const labels = [...batch, ...rows, ...columns]
  const lhs = inOrder(left, [...batch, ...rows, ...summed])
  const rhs = inOrder(right, [...batch, ...summed, ...columns])
  const extents = (x: Tensor, start: number, count: number): number[] => x.shape.slice(start, start + count)
  const lhsBatch = extents(lhs, 0, batch.length)
  const rhsBatch = extents(rhs, 0, batch.length)
  const rowExtents = extents(lhs, batch.length, rows.length)
  const columnExtents = extents(rhs, batch.length + summed.length, columns.length)
  if (summed.length === 0) {
    const ones = (count: number): number[] => new Array<number>(count).fill(1)
    const byRows = reshape(lhs, [...lhsBatch, ...rowExtents, ...ones(columns.length)])
    return { tensor: multiply(byRows, reshape(rhs, [...rhsBatch, ...ones(rows.length), ...columnExtents])), labels }
  }
  // [batch…, rows, summed] · [batch…, summed, columns]; batch axes broadcast.
  const k = sizeOf(extents(rhs, batch.length, summed.length))
  const found = product(
    reshape(lhs, [...lhsBatch, sizeOf(rowExtents), k]),
    reshape(rhs, [...rhsBatch, k, sizeOf(columnExtents)]),
  )
  return { tensor: reshape(found, [...extents(found, 0, batch.length), ...rowExtents, ...columnExtents]), labels }
}

function inOrder({ tensor, labels }: Named, order: readonly string[]): Tensor {
  return transpose(
    tensor,
    order.map((label) => labels.indexOf(label)),
  )
}
