// Solves triangular systems by substitution: forwards from the first unknown, or backwards from the last. Every column
// of the right side is a separate system; sixteen are solved side by side, so that their rows stay in the cache.

import { Substitute } from '../shared/instructions'
import { Triangle } from '../shared/opcodes'
import { copyWords, nmadd } from '../simd'

/**
 * Solves sixteen columns of x [n, …], in place, with rows xRow bytes apart. `matrix` points to the first diagonal
 * coefficient to use, `x` to its row; the next unknown is one `rowStep` or `columnStep` further in the matrix and
 * `xStep` further in x.
 */
export function substitute_16_f32(matrix: usize, x: usize, n: i32, rowStep: usize, columnStep: usize, xStep: usize, isUnit: i32): void {
  let target = x
  let row = matrix
  for (let i = 0; i < n; i++) {
    let first = v128.load(target)
    let second = v128.load(target, 16)
    let third = v128.load(target, 32)
    let fourth = v128.load(target, 48)
    let known = x
    let coefficient = row
    for (let j = 0; j < i; j++) {
      const factor = v128.load32_splat(coefficient)
      first = nmadd(factor, v128.load(known), first)
      second = nmadd(factor, v128.load(known, 16), second)
      third = nmadd(factor, v128.load(known, 32), third)
      fourth = nmadd(factor, v128.load(known, 48), fourth)
      coefficient += columnStep
      known += xStep
    }
    if (!isUnit) {
      const divisor = v128.load32_splat(coefficient)
      first = f32x4.div(first, divisor)
      second = f32x4.div(second, divisor)
      third = f32x4.div(third, divisor)
      fourth = f32x4.div(fourth, divisor)
    }
    v128.store(target, first)
    v128.store(target, second, 16)
    v128.store(target, third, 32)
    v128.store(target, fourth, 48)
    target += xStep
    row += rowStep
  }
}

/** The same for one column. */
export function substitute_1_f32(matrix: usize, x: usize, n: i32, rowStep: usize, columnStep: usize, xStep: usize, isUnit: i32): void {
  let target = x
  let row = matrix
  for (let i = 0; i < n; i++) {
    let value = load<f32>(target)
    let known = x
    let coefficient = row
    for (let j = 0; j < i; j++) {
      value -= load<f32>(coefficient) * load<f32>(known)
      coefficient += columnStep
      known += xStep
    }
    store<f32>(target, isUnit ? value : value / load<f32>(coefficient))
    target += xStep
    row += rowStep
  }
}

/** x [n, columns] ← T⁻¹ x */
function solve(matrix: usize, x: usize, n: i32, columns: i32, triangle: i32): void {
  const isLower = triangle & Triangle.Lower
  const isTransposed = triangle & Triangle.Transposed
  const isUnit = triangle & Triangle.Unit
  // forwards if the equation of the first unknown contains no other one
  const isForward = (isLower != 0) != (isTransposed != 0)
  let rowStep = isTransposed ? <usize>4 : <usize>n << 2
  let columnStep = isTransposed ? <usize>n << 2 : <usize>4
  let xStep = <usize>columns << 2
  if (!isForward) {
    matrix += <usize>(n - 1) * (rowStep + columnStep)
    x += <usize>(n - 1) * xStep
    rowStep = 0 - rowStep
    columnStep = 0 - columnStep
    xStep = 0 - xStep
  }
  for (; columns >= 16; columns -= 16) {
    substitute_16_f32(matrix, x, n, rowStep, columnStep, xStep, isUnit)
    x += 64
  }
  for (; columns > 0; columns--) {
    substitute_1_f32(matrix, x, n, rowStep, columnStep, xStep, isUnit)
    x += 4
  }
}

/** Runs a Substitute. */
export function substitute(instruction: usize, _part: i32, _parts: i32): void {
  let out = load<usize>(instruction, Substitute.out)
  let matrix = load<usize>(instruction, Substitute.matrix)
  let input = load<usize>(instruction, Substitute.input)
  let order = load<usize>(instruction, Substitute.order)
  const n = load<i32>(instruction, Substitute.n)
  const columns = load<i32>(instruction, Substitute.columns)
  const triangle = load<i32>(instruction, Substitute.triangle)
  const places = load<i32>(instruction, Substitute.places)
  const temporary = load<usize>(instruction, Substitute.temporary)
  const rowSize = <usize>columns << 2
  for (let batch = load<i32>(instruction, Substitute.batch); batch > 0; batch--) {
    const x = places ? temporary : out
    for (let i = 0; i < n; i++) {
      const from = order && !places ? <usize>load<i32>(order + (<usize>i << 2)) : <usize>i
      copyWords(x + <usize>i * rowSize, input + from * rowSize, columns)
    }
    solve(matrix, x, n, columns, triangle)
    if (places) for (let i = 0; i < n; i++) copyWords(out + <usize>load<i32>(order + (<usize>i << 2)) * rowSize, x + <usize>i * rowSize, columns)
    out += <usize>n * rowSize
    input += <usize>n * rowSize
    matrix += <usize>(n * n) << 2
    if (order) order += <usize>n << 2
  }
}
