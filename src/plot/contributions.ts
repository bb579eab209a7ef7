// The contributions of named features to one answer, the largest first. Bars, waterfalls and labels draw them.

import { ArgumentError, DataError, ShapeError, formatShape } from '../core/errors'
import { toTensor } from '../ops/convert'
import { short } from './drawing/svg'

export interface Contribution {
  readonly name: string
  readonly value: number
  /** Whether it stands for several small ones. */
  readonly isRest: boolean
  /** The standard deviation of the value; undefined if it has none. */
  readonly deviation?: number
}

/** Rows of attributions: `at(row, feature)`. */
export interface AttributionRows {
  readonly rows: number
  readonly names: readonly string[]
  at(row: number, feature: number): number
}

/**
 * Reads [features] or [rows, features].
 * @throws ShapeError for another shape; ArgumentError for another number of names
 */
export function attributionRows(
  where: string,
  attributions: unknown,
  names: readonly string[] | null,
): AttributionRows {
  const { data, shape, rank, size } = toTensor(attributions, where, 'float32')
  const [rows = 0, features = 0] = rank === 1 ? [1, size] : shape
  if (rank < 1 || rank > 2 || size === 0)
    throw new ShapeError(`${where}: needs [features] or [rows, features], received ${formatShape(shape)}`)
  if (names !== null && names.length !== features)
    throw new ArgumentError(`${where}: needs a name for each of ${features} features, received ${names.length}`)
  return {
    rows,
    names: names ?? Array.from({ length: features }, (_, i) => String(i)),
    at: (row, feature) => data[row * features + feature]!,
  }
}

/** @throws DataError for an attribution that is NaN or infinite */
export function requireFinite(where: string, { rows, names, at }: AttributionRows, row: number): void {
  const wrong = names.findIndex((_, feature) => !Number.isFinite(at(row, feature)))
  if (wrong >= 0)
    throw new DataError(
      `${where}: attributions must be finite, received ${at(row, wrong)} for feature ${names[wrong]}${rows > 1 ? ` of row ${row}` : ''}`,
    )
}

/**
 * The contributions of one row, as `largest` orders and shortens them.
 * @throws ShapeError, ArgumentError and DataError for attributions, names and a row that do not fit
 */
export function contributionsOf(
  where: string,
  attributions: unknown,
  {
    names,
    row,
    most,
    deviations = null,
  }: {
    readonly names: readonly string[] | null
    readonly row: number
    readonly most: number
    /** The deviation of each feature. */
    readonly deviations?: ArrayLike<number> | null
  },
): Contribution[] {
  const read = attributionRows(where, attributions, names)
  if (row >= read.rows) throw new ArgumentError(`${where}: row must be in 0 … ${read.rows - 1}, received ${row}`)
  requireFinite(where, read, row)
  return largest(
    read.names.map((name, feature) => ({
      name,
      value: read.at(row, feature),
      ...(deviations !== null && { deviation: deviations[feature]! }),
    })),
    most,
  )
}

/** The largest first. If there are more than `most` + 1, one entry stands for all after the first `most`. */
export function largest(contributions: readonly Omit<Contribution, 'isRest'>[], most: number): Contribution[] {
  const all = contributions.map((each) => ({ ...each, isRest: false }))
  all.sort((a, b) => Math.abs(b.value) - Math.abs(a.value))
  if (all.length <= most + 1) return all
  const others = all.slice(most)
  const sum = others.reduce((total, { value }) => total + value, 0)
  return [...all.slice(0, most), { name: `${others.length} others`, value: sum, isRest: true }]
}

export const signed = (value: number): string => `${value >= 0 ? '+' : ''}${short(value)}`

/** The contributions in words. */
export const sayContributions = (contributions: readonly Contribution[]): string =>
  contributions
    .map(
      ({ name, value, deviation }) =>
        `${name}: ${short(value)}${deviation === undefined ? '' : ` ± ${short(deviation)}`}`,
    )
    .join('; ')
