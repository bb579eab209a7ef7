// What is known about masks in a traced model: which conditions a mask joins, and which elements of a value [query steps,
// key steps] are the same number wherever the key comes after the query.

import { compile, type Runtime } from '../engine/runtime/runtime'
import type { NumericArray } from '../core/dtypes'
import { rowMajorStrides } from '../core/shapes'
import { exactly } from '../core/tuples'
import type { Node, Value } from '../engine/ir/graph'
import { constantNumber } from '../engine/plan/simplify'
import { ruleOf } from '../engine/primitives'
import { GraphBuilder } from '../engine/transforms/builder'
import type { TimeAxis } from './growth'

/** One of the bools whose conjunction a mask is, and its steps' axes in the mask. */
export interface Condition {
  readonly source: Value
  readonly axes: readonly number[]
}

/** A number in place of all elements whose key comes after their query. */
export interface Filling {
  readonly query: number
  readonly key: number
  /** `low`: so negative that its exponential is 0 beside that of a score. */
  readonly kind: 'zero' | 'low'
  /** Bools [batch, steps]: elements of a key or a query for which one is false are filled, too. */
  readonly keys: readonly Value[]
  readonly queries: readonly Value[]
  /** Whether each query keeps the key of its step unless one of the bools is false for it. */
  readonly keepsOwn: boolean
}

/** What a mask of pairs shows. */
export interface Visibility {
  /** Whether it hides every key after its query. */
  readonly isCausal: boolean
  /** Whether it shows each query the key of its step, unless one of the bools below is false for it. */
  readonly keepsOwn: boolean
  /** Bools of single steps that it joins, of keys and of queries. */
  readonly keys: readonly Value[]
  readonly queries: readonly Value[]
  /** Whether all that it joins is known. */
  readonly isKnown: boolean
}

/** What masks need to know of values. */
export interface Known {
  timesOf(value: Value): readonly TimeAxis[]
  /** Whether a value follows from constants alone. */
  isPositional(value: Value): boolean
  /** The axis of the result along which elements of an operand's axis are kept. */
  keptAxis(node: Node, operand: number, axis: number): number | null
  readonly runtime: Runtime
}

/** As negative as masks for float16 are. */
const LOW = -1e4

const NONE: readonly Value[] = []

/** Where the elements of a positional value [query steps, key steps] are. */
interface Sides {
  readonly later: (visit: (x: number) => boolean) => boolean
  readonly own: (visit: (x: number) => boolean) => boolean
}

export class MaskFacts {
  private readonly fillings = new Map<Value, Filling | null>()
  private readonly numbers = new Map<Value, NumericArray>()
  private readonly conditions = new Map<Value, readonly Condition[]>()
  private readonly moderate = new Map<Value, boolean>()

  constructor(private readonly known: Known) {}

  /** The bools whose conjunction a mask is. */
  conditionsOf(mask: Value): readonly Condition[] {
    let conditions = this.conditions.get(mask)
    if (conditions === undefined) {
      const all = this.findConditions(mask)
      const isNew = ({ source, axes }: Condition, i: number): boolean =>
        all.findIndex((other) => other.source === source && String(other.axes) === String(axes)) === i
      conditions = all.filter(isNew)
      this.conditions.set(mask, conditions)
    }
    return conditions
  }

  private findConditions(mask: Value): readonly Condition[] {
    const { node } = mask
    if (node !== null && !this.known.isPositional(mask)) {
      const { kind } = ruleOf(node.name)
      if (node.name === 'logicalAnd' || kind === 'view')
        return node.inputs.flatMap((input, operand) =>
          this.conditionsOf(input).map(({ source, axes }) => ({
            source,
            axes: axes.map((axis) => this.landing(node, operand, input, axis)),
          })),
        )
    }
    return [{ source: mask, axes: this.known.timesOf(mask).map(({ axis }) => axis) }]
  }

  private landing(node: Node, operand: number, input: Value, axis: number): number {
    const isTime = this.known.timesOf(input).some((time) => time.axis === axis)
    return (isTime ? this.known.keptAxis(node, operand, axis) : null) ?? NaN
  }

  /** The elements of a positional value by whether the key is of a later step than the query, or of the same step. */
  private sidesOf(value: Value, query: number, key: number): Sides | null {
    const times = this.known.timesOf(value)
    const isWhole = times.every(({ outer, inner, shift }) => outer * inner === 1 && shift === 0)
    if (!this.known.isPositional(value) || times.length !== 2 || !isWhole) return null
    const data = this.dataOf(value)
    const strides = rowMajorStrides(value.shape)
    const where =
      (isThere: (later: number) => boolean) =>
      (visit: (x: number) => boolean): boolean => {
        const { shape } = value
        for (let i = 0; i < data.length; i++) {
          const at = (axis: number): number => Math.floor(i / strides[axis]!) % shape[axis]!
          if (isThere(at(key) - at(query)) && !visit(data[i]!)) return false
        }
        return true
      }
    return { later: where((later) => later > 0), own: where((later) => later === 0) }
  }

  /** The numbers of a value that follows from constants. */
  private dataOf(value: Value): NumericArray {
    let data = this.numbers.get(value)
    if (data === undefined) {
      const builder = new GraphBuilder()
      const copies = new Map<Value, Value>()
      const copy = (each: Value): Value => {
        const known = copies.get(each)
        if (known !== undefined) return known
        const outputs = builder.copy(each.node!, each.node!.inputs.map(copy))
        each.node!.outputs.forEach((output, i) => copies.set(output, outputs[i]!))
        return copies.get(each)!
      }
      const program = compile(this.known.runtime, builder.finish([copy(value)]))
      program.run()
      data = program.output(0).slice()
      program.dispose()
      this.numbers.set(value, data)
    }
    return data
  }

  /** What a mask [query steps, key steps] shows. */
  visibility(mask: Value, query: number, key: number): Visibility {
    let [isCausal, keepsOwn, isKnown] = [false, true, true]
    const keys: Value[] = []
    const queries: Value[] = []
    for (const { source, axes } of this.conditionsOf(mask)) {
      if (axes.length === 0 && constantNumber(source) === 1) continue
      if (axes.length === 1 && axes[0] === key) keys.push(source)
      else if (axes.length === 1 && axes[0] === query) queries.push(source)
      else {
        const times = this.known.timesOf(source)
        // The axes of the condition, in the order of the query's and the key's axis in the mask.
        const queryAndKey =
          axes.length === 2 && axes.includes(query) && axes.includes(key)
            ? [query, key].map((axis) => times[axes.indexOf(axis)]!.axis)
            : null
        const sides = queryAndKey && this.sidesOf(source, queryAndKey[0]!, queryAndKey[1]!)
        if (sides === null) isKnown = false
        else {
          isCausal ||= sides.later((x) => x === 0)
          keepsOwn &&= sides.own((x) => x !== 0)
        }
      }
    }
    return { isCausal, keepsOwn, keys: distinct(keys), queries: distinct(queries), isKnown }
  }

  /** What stands in place of the elements whose key comes after their query; null if that is not known. */
  fillingOf(value: Value): Filling | null {
    let filling = this.fillings.get(value)
    if (filling === undefined) {
      filling = this.known.timesOf(value).length === 2 ? this.findFilling(value) : null
      this.fillings.set(value, filling)
    }
    return filling
  }

  private findFilling(value: Value): Filling | null {
    const [first, second] = exactly(
      this.known.timesOf(value).map(({ axis }) => axis),
      2,
    )
    for (const [query, key] of [
      [first, second],
      [second, first],
    ] as const) {
      const filling = this.fillingOfPositional(value, query, key) ?? this.fillingBySelect(value, query, key)
      if (filling !== null) return filling
    }
    return this.inheritedFilling(value)
  }

  private fillingOfPositional(value: Value, query: number, key: number): Filling | null {
    const sides = this.sidesOf(value, query, key)
    if (sides === null) return null
    const lowOrNull = sides.later((x) => x <= LOW) ? 'low' : null
    const kind = sides.later((x) => x === 0) ? 'zero' : lowOrNull
    return (
      kind && { query, key, kind, keys: NONE, queries: NONE, keepsOwn: kind === 'zero' || sides.own((x) => x > LOW) }
    )
  }

  // select(mask, scores, −1e9)
  private fillingBySelect(value: Value, query: number, key: number): Filling | null {
    const { node } = value
    if (node?.name !== 'select') return null
    const [mask, kept, other] = [node.inputs[0]!, node.inputs[1]!, node.inputs[2]!]
    const lowOrNull = this.isLow(other) ? 'low' : null
    const kind = constantNumber(other) === 0 ? 'zero' : lowOrNull
    const rank = value.shape.length - mask.shape.length
    const { isCausal, keepsOwn, keys, queries, isKnown } = this.visibility(mask, query - rank, key - rank)
    const inner = this.known.timesOf(kept).length === 2 ? this.fillingOf(kept) : null
    if (kind === null) return null
    // Another mask may have filled the kept scores before.
    const isFilled = inner !== null && inner.kind === kind && inner.query === query && inner.key === key
    if ((!isCausal && !isFilled) || (kind === 'low' && !isFilled && !this.isModerate(kept))) return null
    return {
      query,
      key,
      kind,
      keys: distinct([...keys, ...(isFilled ? inner.keys : [])]),
      queries: distinct([...queries, ...(isFilled ? inner.queries : [])]),
      keepsOwn: keepsOwn && isKnown && (!isFilled || inner.keepsOwn),
    }
  }

  /** A number as masks have it, or scores from which one is subtracted. */
  private isLow(value: Value): boolean {
    const number = constantNumber(value)
    const { node } = value
    if (number !== null || node === null) return number !== null && number <= LOW
    const [first, second] = [node.inputs[0]!, node.inputs[1]!]
    if (node.name === 'subtract') return this.isModerate(first) && (constantNumber(second) ?? 0) >= -LOW
    return node.name === 'add' && this.isModerate(first) && this.isLow(second)
  }

  /**
   * Whether scores are not masked by large numbers that depend on data: a query whose keys are all masked in this way would
   * see those after it.
   */
  isModerate(value: Value): boolean {
    const known = this.moderate.get(value)
    if (known !== undefined) return known
    const isModerate = this.findModerate(value)
    this.moderate.set(value, isModerate)
    return isModerate
  }

  private findModerate(value: Value): boolean {
    const { node } = value
    if (node === null || this.known.isPositional(value)) return Math.abs(constantNumber(value) ?? 0) < -LOW
    const { kind } = ruleOf(node.name)
    return (kind !== 'elementwise' && kind !== 'view') || node.inputs.every((input) => this.isModerate(input))
  }

  /** The filling of an operand, which the op keeps. */
  private inheritedFilling({ node, shape }: Value): Filling | null {
    if (node === null) return null
    const isView = ruleOf(node.name).kind === 'view'
    for (const [operand, input] of node.inputs.entries()) {
      const filling = this.fillingOf(input)
      if (filling === null) continue
      const kind = isView ? filling.kind : keptKind(node, operand, filling, shape.length - input.shape.length)
      const others = node.inputs.filter((_, i) => i !== operand)
      if (kind === 'low' && !others.every((other) => this.isModerate(other))) continue
      const [query, key] = [filling.query, filling.key].map((axis) => this.known.keptAxis(node, operand, axis))
      // A softmax over the keys mixes them, and keeps its axes.
      const isOverKeys = node.name === 'softmax' && filling.key === shape.length - 1
      if (kind === null || query == null || (key == null && !isOverKeys)) continue
      return { ...filling, kind, query, key: key ?? filling.key }
    }
    return null
  }
}

function keptKind(
  { name, inputs }: Node,
  operand: number,
  { kind, key }: Filling,
  added: number,
): Filling['kind'] | null {
  if (name === 'multiply' && kind === 'zero') return 'zero'
  if (name === 'divide' && kind === 'zero' && operand === 0) return 'zero'
  if ((name === 'add' || (name === 'subtract' && operand === 0)) && kind === 'low') return 'low'
  if (name === 'exp' && kind === 'low') return 'zero'
  if (name === 'softmax' && kind === 'low' && key === inputs[0]!.shape.length - 1 && added === 0) return 'zero'
  if ((name === 'copy' || name === 'cast') && kind === 'zero') return 'zero'
  return null
}

export function distinct(values: readonly Value[]): Value[] {
  return [...new Set(values)]
}
