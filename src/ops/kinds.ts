// The kinds of the arguments of ops: how a value that a user passes is read. The kinds of options of classes are in core/options.ts.

import type { DType } from '../core/dtypes'
import { custom, type Kind } from '../core/options'
import type { AnyFunction } from '../core/registry'
import type { Shape } from '../core/shapes'
import { requireDType, requireFunction, requireInteger, requireIntegers, requireShape } from './arguments'
import type { Tensor } from './tensor'
import type { TensorLike, Variable } from './variable'

export { anyNumber, axes } from './arguments'

/** How an op reads an argument. */
export interface ArgumentKind<Value, Input = Value> extends Pick<Kind<Value, Input>, 'read' | 'input'> {
  /** An operand, a tree of operands, or, if unset, another value such as an axis. */
  readonly holds?: 'operand' | 'tree'
}

/** The leaves of carries and slices, which are arrays and records of them. */
export type Leaf = Tensor | Variable | number
/**
 * A leaf or a branch. That branches end in leaves is checked at run time, because tsc cannot check a recursive
 * constraint.
 */
export type Branching = Leaf | object

/** Complex numbers, as ops return them, or with data in place of tensors. */
export interface ComplexParts {
  /** The real parts. */
  readonly real: TensorLike
  /** The imaginary parts. */
  readonly imag: TensorLike
}

/** The op in `where`, such as `zeros: shape`. */
const opIn = (where: string): string => where.slice(0, where.lastIndexOf(':'))

/** Reads a value that the op checks when it uses it. Until then the value has the type that the op documents. */
const unchanged = <Value>(value: Value): Value => value

/** Anything that converts to a tensor. The op converts it. */
export const operand: ArgumentKind<TensorLike> = { holds: 'operand', read: unchanged<TensorLike> }

/** A list of operands. The op converts them. */
export const operands: ArgumentKind<readonly TensorLike[]> = {
  holds: 'operand',
  read: unchanged<readonly TensorLike[]>,
}

/** An operand, or null for none. The op converts it. */
export const operandOrNull: ArgumentKind<TensorLike | null> = { holds: 'operand', read: unchanged<TensorLike | null> }

/** A value that the op checks, because what is valid depends on its operands. */
export const unchecked = <Type>(): ArgumentKind<Type> => ({ read: unchanged<Type> })

/** A tree of operands: one, or arrays and records of them. */
export const tree: ArgumentKind<Branching> = { holds: 'tree', read: unchanged<Branching> }

/** Anything, also a record. */
export const anyTree: ArgumentKind<unknown> = { holds: 'tree', read: unchanged<unknown> }

/** An operand, or the parts of complex numbers. */
export const complexOperand: ArgumentKind<TensorLike | ComplexParts> = {
  holds: 'operand',
  read: unchanged<TensorLike | ComplexParts>,
}

/** An integer. @param least the smallest one that is allowed */
export const whole = (least?: number): Kind<number> =>
  custom((value, where) => requireInteger(where, value, least), unchanged)

/** A list of integers. @param least the smallest one that is allowed */
export const wholes = (least?: number): Kind<readonly number[]> =>
  custom((value, where) => requireIntegers(where, value, least), unchanged)

/**
 * An integer, or a list of integers.
 * @param least the smallest one that is allowed
 * @param ofList the smallest one that is allowed in a list
 */
export const wholeOrWholes = (least?: number, ofList = least): Kind<number | readonly number[]> =>
  custom(
    (value, where) =>
      Array.isArray(value) ? requireIntegers(where, value, ofList) : requireInteger(where, value, least),
    unchanged,
  )

/** One axis. Negative ones count from the end. */
export const axis: Kind<number> = /* @__PURE__ */ whole()

/** Extents ≥ 0 of a tensor that can be made. */
export const shape: Kind<Shape> = /* @__PURE__ */ custom((value, where) => requireShape(opIn(where), value), unchanged)

/** A dtype that ops compute with. */
export const dtype: Kind<DType> = /* @__PURE__ */ custom((value, where) => requireDType(opIn(where), value), unchanged)

/** A function, which the op calls. */
export const callback: ArgumentKind<AnyFunction> = {
  read(value, where) {
    requireFunction(where, value)
    return value
  },
}
