// The types of calls by name of ops whose result has the type of their trees. Those of all others follow from types.ts.

import type { AssociativeScanOptions } from '../../ops/control/associative'
import type { ScanOptions } from '../../ops/control/scan'
import type { Branching, Tensors } from '../../ops/control/trees'
import type { Condition, OfVariables } from '../../ops/control/while'
import type { TensorLike } from '../../ops/convert'

interface Branches<Result> {
  /** Gives the result if the condition is true. */
  readonly trueFn: () => Result
  /** Gives the result if it is false. */
  readonly falseFn: () => NoInfer<Result>
}

/** `cond(pred, { trueFn, falseFn })` */
export type CondByName = <Result extends Branching | null>(pred: TensorLike, named: Branches<Result>) => Tensors<Result>

/** `foriLoop(0, 5, { bodyFun, initVal })` */
export type ForiLoopByName = <const Carry extends Branching>(
  lower: number,
  upper: number,
  named: {
    /** Gives the next carry. */
    readonly bodyFun: (i: Tensors<number>, carry: Tensors<Carry>) => Tensors<Carry>
    /** The first carry: a tensor, or arrays and records of tensors. */
    readonly initVal: Carry
  },
) => Tensors<Carry>

/** `map({ f, xs })` */
export type MapByName = <const Xs extends Branching, Y extends Branching>(named: {
  /** A function of a slice. */
  readonly f: (x: Tensors<Xs>) => Y
  /** A tensor, or arrays and records of tensors, with the same first extent. */
  readonly xs: Xs
}) => Y

/** `vectorizedMap({ function: f, elements })` */
export type VectorizedMapByName = <const Elements extends Branching, Y extends Branching>(named: {
  /** A function of a slice. */
  readonly function: (x: Tensors<Elements>) => Y
  /** A tensor, or arrays and records of tensors, with the same first extent. */
  readonly elements: Elements
}) => Tensors<Y>

/** `associativeScan({ f, elems })` */
export type AssociativeScanByName = <const Elements extends Branching>(
  named: {
    /** Combines two elements. */
    readonly f: (a: Tensors<Elements>, b: Tensors<Elements>) => NoInfer<Tensors<Elements>>
    /** A tensor, or arrays and records of tensors. */
    readonly elems: Elements
  } & AssociativeScanOptions,
) => Tensors<Elements>

/** `scan(f, { init, xs })` */
export type ScanByName = <const Carry extends Branching, const Xs extends Branching | null, Y extends Branching | null>(
  f: (carry: Tensors<Carry>, x: Tensors<Xs>) => readonly [NoInfer<Tensors<Carry>>, Y],
  named: {
    /** The first carry: a tensor, or arrays and records of tensors. */
    readonly init: Carry
    /** What is scanned: a tensor, or arrays and records of tensors; or null, then `length` is required. */
    readonly xs: Xs
  } & ScanOptions,
) => [carry: Tensors<Carry>, ys: Y]

/** `whileLoop({ cond, body, loopVars })` */
export type WhileLoopByName = <const Vars extends Branching>(named: {
  /** Gives a scalar: whether the loop goes on. */
  readonly cond: OfVariables<Vars, Condition>
  /** Gives the next variables. */
  readonly body: OfVariables<Vars, NoInfer<Tensors<Vars>>>
  /** A tensor, or arrays and records of tensors. */
  readonly loopVars: Vars
  /** The loop also ends after this number of iterations. Default null: no limit. */
  readonly maximumIterations?: number | null
}) => Tensors<Vars>
