// References of normalization and its gradient as plain loops.

import type { RefContext } from './rule'

interface Form {
  readonly groups: number
  readonly rows: number
  readonly columns: number
  readonly epsilon: number
  readonly isCentered: boolean
  readonly hasScale: boolean
}

/** Σ f(i) for i < n */
function sumOver(n: number, f: (i: number) => number): number {
  let sum = 0
  for (let i = 0; i < n; i++) sum += f(i)
  return sum
}

export function normalizationReference(
  { inputs: [x, scale, shift], outputs: [y, means, inverses] }: RefContext<unknown>,
  { groups, rows, columns, epsilon, isCentered }: Form,
): void {
  for (let row = 0; row < groups * rows; row++) {
    const at = row * columns
    const weight = Math.floor(row / rows) * columns
    const mean = isCentered ? sumOver(columns, (i) => x![at + i]!) / columns : 0
    const variance = sumOver(columns, (i) => (x![at + i]! - mean) ** 2) / columns
    const inverse = 1 / Math.sqrt(variance + epsilon)
    means![row] = mean
    inverses![row] = inverse
    for (let i = 0; i < columns; i++)
      y![at + i] = (x![at + i]! - mean) * inverse * (scale?.[weight + i] ?? 1) + (shift?.[weight + i] ?? 0)
  }
}

export function normalizationGradientReference(
  { inputs, outputs: [dx, dScale, dShift] }: RefContext<unknown>,
  { groups, rows, columns, isCentered, hasScale }: Form,
): void {
  const [x, ...rest] = inputs
  const scale = hasScale ? rest[0] : undefined
  const [means, inverses, dy] = rest.slice(-3)
  dScale?.fill(0)
  dShift?.fill(0)
  for (let row = 0; row < groups * rows; row++) {
    const at = row * columns
    const weight = Math.floor(row / rows) * columns
    const inverse = inverses![row]!
    const z = (i: number): number => (x![at + i]! - means![row]!) * inverse
    const u = (i: number): number => dy![at + i]! * (scale?.[weight + i] ?? 1)
    const mean = isCentered ? sumOver(columns, u) / columns : 0
    const along = sumOver(columns, (i) => u(i) * z(i)) / columns
    for (let i = 0; i < columns; i++) {
      dx![at + i] = inverse * (u(i) - mean - z(i) * along)
      if (dScale !== undefined) dScale[weight + i]! += dy![at + i]! * z(i)
      if (dShift !== undefined) dShift[weight + i]! += dy![at + i]!
    }
  }
}
