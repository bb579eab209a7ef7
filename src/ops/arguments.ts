// Checks the arguments of ops other than tensors: axes, shapes, numbers, dtypes. Each error names the op, what
// was expected and what was received. Tensors are created and checked in convert.ts; options are read in
// core/options.ts.

import type { DType } from '../core/dtypes'
import { ArgumentError, ShapeError, quoted, unknownName } from '../core/errors'
import { custom, integer, isOptions, option, readOptions, type OptionTable, type ValuesOf } from '../core/options'
import { MAX_ELEMENTS, normalizeAxes, tooLarge } from '../core/shapes'

/** One axis, several, or null for all. Negative axes count from the end. */
export type Axis = number | readonly number[] | null

export interface AxisOption<Which> {
  /**
   * One axis; if the op supports them, several, or null for all. Negative axes count from the end. The default
   * depends on the op.
   */
  readonly axis?: Which
}
/** An axis, or what an op accepts instead, given directly or as an option. */
export type AxisArgument<Which = number> = Which | AxisOption<Which>

/** A function of the user, whose parameters cannot be checked. */
export type UntypedFunction = (...inputs: readonly unknown[]) => unknown

/** @throws ArgumentError for a value that is not a function */
export function requireFunction(where: string, value: unknown): asserts value is UntypedFunction {
  if (typeof value !== 'function')
    throw new ArgumentError(`${where}: expected a function of tensors, received ${quoted(value)}`)
}

export interface ReduceOptions {
  /** The axes to reduce; null for all. Negative axes count from the end. Default null. */
  readonly axis?: Axis
  /** Keeps the reduced axes with extent 1. Keras's `keepdims` is accepted too. Default false. */
  readonly keepDims?: boolean
}

function refuse(what: string, expected: string, received: unknown): never {
  throw new ArgumentError(`${what} must be ${expected}, received ${quoted(received)}`)
}

/** Any number, including NaN and ±Inf. @param what names the argument: `elu: alpha` */
export function requireNumber(what: string, value: unknown): number {
  return typeof value === 'number' ? value : refuse(what, 'a number', value)
}

/** @param least the smallest allowed integer */
export function requireInteger(what: string, value: unknown, least?: number): number {
  // Turns −0 into 0.
  return integer(least === undefined ? {} : { min: least }).read(value, what) + 0
}

export function requireIntegers(what: string, value: unknown, least?: number): number[] {
  return requireList(what, value).map((each) => requireInteger(`each of ${what}`, each, least))
}

/** The elements of an array, unchecked; holes become undefined. */
export function requireList(what: string, value: unknown): unknown[] {
  return Array.isArray(value) ? Array.from<unknown>(value) : refuse(what, 'an array', value)
}

/** The dtypes that ops compute with: int8 only holds weights. */
const COMPUTED = ['bool', 'int32', 'float32'] as const satisfies readonly DType[]

function isDType(dtype: unknown): dtype is DType {
  return COMPUTED.some((known) => known === dtype)
}

export function requireDType(where: string, dtype: unknown): DType {
  if (isDType(dtype)) return dtype
  const known = COMPUTED
  throw typeof dtype === 'string'
    ? unknownName(`dtype of ${where}`, dtype, known)
    : refuse(`${where}: the dtype`, known.join(' or '), dtype)
}

function isExtent(extent: unknown): extent is number {
  return typeof extent === 'number' && Number.isSafeInteger(extent) && extent >= 0
}

/** Extents ≥ 0 of a tensor that can be made. */
export function requireShape(where: string, shape: readonly [number], most?: number): [number]
export function requireShape(where: string, shape: readonly [number, number], most?: number): [number, number]
export function requireShape(where: string, shape: unknown, most?: number): number[]
export function requireShape(where: string, shape: unknown, most = MAX_ELEMENTS): number[] {
  if (!Array.isArray(shape)) return refuse(`${where}: the shape`, 'an array', shape)
  const extents = new Array<number>(shape.length)
  // An extent of 0 must not hide the other extents, from which strides are computed.
  let size = 1
  for (let i = 0; i < extents.length; i++) {
    const extent: unknown = shape[i]
    if (!isExtent(extent))
      throw new ShapeError(`${where}: the shape must contain integers ≥ 0, received ${quoted(shape)}`)
    // Turns −0 into 0.
    extents[i] = extent + 0
    size *= extent || 1
  }
  if (size > most) throw tooLarge(where, extents, most)
  return extents
}

function readAxes(axis: unknown, what: string): Axis {
  if (axis === null) return null
  return Array.isArray(axis) ? requireIntegers(what, axis) : requireInteger(what, axis)
}

/** Whether a value is an object of options. `{ data, shape }` is an operand; no option is named `shape`. */
const isByName = (value: unknown): value is object => isOptions(value) && !('shape' in value)

/** Any number, including NaN and ±Inf. */
export const anyNumber = /* @__PURE__ */ custom<number>(
  (value, what) => requireNumber(what, value),
  (value) => value,
)

/** One axis, several, or null for all. */
export const axes = custom<Axis>(readAxes, (axis) => axis)

/**
 * Reads the arguments of an op after its operands: the options of the table in order,
 * `quantile(x, 0.5, 1, 'lower')`, or by name, `quantile(x, 0.5, { axis: 1, method: 'lower' })`, or the first in order and the
 * others by name, `quantile(x, 0.5, 1, { method: 'lower' })`.
 */
export function readArguments<Table extends OptionTable>(
  where: string,
  table: Table,
  first: unknown,
  ...others: readonly unknown[]
): ValuesOf<Table> {
  const names = Object.keys(table)
  const all = [first, ...others]
  const byName = all.find(isByName)
  const end = byName === undefined ? all.length : all.indexOf(byName)
  const options: Record<string, unknown> = { ...byName }
  all.forEach((each, i) => {
    const name = names[i]!
    if (i === end || each === undefined) return
    if (i > end || name in options) throw new ArgumentError(`${where}: ${name} must be inside the options object`)
    options[name] = each
  })
  return readOptions(where, table, options)
}

/** `softmax(x, 1)` or `softmax(x, { axis: 1 })`: one axis, several, or null for all. */
export const readAxisOnly = (where: string, argument: AxisArgument<Axis> | undefined, fallback: Axis): Axis =>
  readArguments(where, { axis: option(axes, fallback) }, argument).axis

/** `split(x, 2, 1)` or `split(x, 2, { axis: 1 })`: one axis, not yet checked against a rank. */
export function readOneAxis(where: string, argument: AxisArgument | undefined, fallback?: number): number {
  return requireInteger(
    `${where}: the axis`,
    argument === undefined ? fallback : readAxisOnly(where, argument, fallback ?? null),
  )
}

/** One axis, several, or all: sorted, distinct, non-negative. */
export function resolveAxes(where: string, axis: Axis, rank: number): number[] {
  if (axis === null) return Array.from({ length: rank }, (_, i) => i)
  return normalizeAxes(where, typeof axis === 'number' ? [axis] : axis, rank)
}
