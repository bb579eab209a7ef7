// Collects the cotangents of each value of a graph. Whole contributions are summed as they arrive. Blocks are
// collected and joined when the total is needed: adjacent blocks become one concatenation, others are added in
// place, so n slices cost n blocks and not n times the whole.

import { sameShape, type TensorType } from '../../core/shapes'
import type { SparseGradient, Contribution } from '../primitives/rule'
import type { GraphBuilder } from './builder'
import { Value } from '../ir/graph'

interface Scoped {
  readonly contribution: Contribution
  readonly scope: string
}

export class Cotangents {
  private readonly lists = new Map<Value, Scoped[]>()
  private readonly totals = new Map<Value, Value>()

  /** @param apart values whose contributions are summed only when their total is needed */
  constructor(
    private readonly builder: GraphBuilder,
    private readonly apart: ReadonlySet<Value> = new Set(),
  ) {}

  has(value: Value): boolean {
    return this.lists.has(value)
  }

  add(value: Value, contribution: Contribution): void {
    this.totals.delete(value)
    const { scope } = this.builder
    const list = this.lists.get(value)
    if (list === undefined) {
      this.lists.set(value, [{ contribution, scope }])
      return
    }
    // Whole contributions are summed immediately, so that the gradients of a weight with many uses are not all
    // kept.
    const whole =
      contribution instanceof Value && !this.apart.has(value)
        ? list.findIndex((each) => each.contribution instanceof Value)
        : -1
    const known = list[whole]?.contribution
    if (known instanceof Value && contribution instanceof Value)
      list[whole] = { contribution: this.builder.e.add(known, contribution), scope }
    else list.push({ contribution, scope })
  }

  /** The contributions to a value so far. */
  contributions(value: Value): readonly Contribution[] {
    return (this.lists.get(value) ?? []).map(({ contribution }) => contribution)
  }

  /** The sum of the contributions to a value; null if there are none. */
  total(value: Value): Value | null {
    const known = this.totals.get(value)
    if (known !== undefined) return known
    const list = this.lists.get(value)
    if (list === undefined) return null
    const first = list[0]!.contribution
    if (list.length === 1 && first instanceof Value) return first
    const { builder } = this
    const scope = builder.scope
    // A sum gets the scope of its last term.
    builder.scope = list[list.length - 1]!.scope
    const total = sumOf(
      builder,
      value,
      list.map(({ contribution }) => contribution),
    )
    builder.scope = scope
    this.totals.set(value, total)
    return total
  }
}

/** Σ contributions, as a value of this type. */
export function sumOf(builder: GraphBuilder, type: TensorType, contributions: readonly Contribution[]): Value {
  const { e } = builder
  const isDense = (each: Contribution): each is Value => each instanceof Value
  const dense = contributions.filter(isDense)
  const blocks = contributions.filter((each): each is SparseGradient => !isDense(each))
  const sum = dense.length === 0 ? null : dense.reduce((a, b) => e.add(a, b))
  if (blocks.length === 0) return sum!
  if (sum === null && blocks.length === 1) return surrounded(builder, type, blocks[0]!)
  const axis = sharedAxis(type, blocks)
  if (axis !== null && (sum === null || tiles(type, blocks, axis))) {
    const joined = join(builder, type, blocks, axis)
    return sum === null ? joined : e.add(sum, joined)
  }
  return blocks.reduce((base, { block, starts }) => e.sliceAdd(base, block, starts), sum ?? e.zeros(type))
}

function surrounded({ e }: GraphBuilder, { shape }: TensorType, { block, starts }: SparseGradient): Value {
  if (sameShape(block.shape, shape)) return block
  return e.pad(
    block,
    starts,
    shape.map((extent, i) => extent - starts[i]! - block.shape[i]!),
  )
}

/** The axis along which blocks are side by side without overlap, complete in every other axis; otherwise null. */
function sharedAxis({ shape }: TensorType, blocks: readonly SparseGradient[]): number | null {
  const axis = shape.findIndex((extent, i) => blocks.some(({ block }) => block.shape[i] !== extent))
  if (axis < 0) return null
  if (blocks.some(({ block }) => block.shape.some((extent, i) => i !== axis && extent !== shape[i]))) return null
  const sorted = inOrder(blocks, axis)
  const apart = sorted.every(({ starts }, i) => i === 0 || endOf(sorted[i - 1]!, axis) <= starts[axis]!)
  return apart ? axis : null
}

function inOrder(blocks: readonly SparseGradient[], axis: number): SparseGradient[] {
  return [...blocks].sort((a, b) => a.starts[axis]! - b.starts[axis]!)
}

const endOf = ({ block, starts }: SparseGradient, axis: number): number => starts[axis]! + block.shape[axis]!

/** Whether blocks without overlap leave no gap. */
function tiles({ shape }: TensorType, blocks: readonly SparseGradient[], axis: number): boolean {
  return blocks.reduce((sum, { block }) => sum + block.shape[axis]!, 0) === shape[axis]
}

/** A concatenation of the blocks, with zeros in the gaps. */
function join(
  { e }: GraphBuilder,
  { shape, dtype }: TensorType,
  blocks: readonly SparseGradient[],
  axis: number,
): Value {
  const parts: Value[] = []
  let at = 0
  const fill = (end: number): void => {
    if (end > at) parts.push(e.zeros({ shape: shape.map((extent, i) => (i === axis ? end - at : extent)), dtype }))
  }
  for (const each of inOrder(blocks, axis)) {
    if (each.block.shape[axis] === 0) continue
    fill(each.starts[axis]!)
    parts.push(each.block)
    at = endOf(each, axis)
  }
  fill(shape[axis]!)
  return e.concat(parts, axis)
}
