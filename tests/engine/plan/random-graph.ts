// Random graphs for property tests. All numbers stay small whole numbers, so that every order of evaluation
// gives the same result to the last bit; only gradients may round.

import * as fc from 'fast-check'
import { GraphBuilder } from '../../../src/engine/transforms/builder'
import { gradients } from '../../../src/engine/transforms/differentiate'
import type { Cell, CellStorage, Graph, Value } from '../../../src/engine/ir/graph'
import { ScatterMax } from '../../../src/engine/primitives/indexing'
import { RunningResult } from '../../../src/engine/primitives/running'
import { ArgSort, SortedValues } from '../../../src/engine/primitives/sorting'
import { sameShape, sizeOf, type Shape } from '../../../src/core/shapes'
import { wholeFloats, type TensorContent } from '../../helpers/data'
import { looped } from '../../helpers/loops'

/** Which operation, and three numbers that choose its operands and options. */
interface Step {
  readonly op: number
  readonly a: number
  readonly b: number
  readonly c: number
}

/** A description of a graph; shrinks well. */
export interface Recipe {
  readonly steps: readonly Step[]
  readonly outputs: readonly number[]
  /** Adds the gradient of the last value to the outputs. */
  readonly gradient: boolean
  /** Which cells of the slab may be updated; never two that overlap. */
  readonly updated: 'whole' | 'halves' | 'middle'
}

const choice = fc.nat({ max: 1000 })

export const recipes: fc.Arbitrary<Recipe> = fc.record({
  steps: fc.array(fc.record({ op: choice, a: choice, b: choice, c: choice }), { minLength: 1, maxLength: 24 }),
  outputs: fc.array(choice, { minLength: 1, maxLength: 3 }),
  gradient: fc.boolean(),
  updated: fc.constantFrom('whole', 'halves', 'middle'),
})

export const parameters: readonly TensorContent[] = [
  wholeFloats([3, 4], -3, 3, 1),
  wholeFloats([4], -3, 3, 2),
  wholeFloats([4, 3], -3, 3, 3),
  wholeFloats([3, 1], -3, 3, 4),
  wholeFloats([2, 3, 4], -3, 3, 5),
  wholeFloats([], 1, 3, 6),
  wholeFloats([1, 4], -3, 3, 7),
]

export const SLAB_ELEMENTS = 24

/** Cells that overlap: all of a slab, its two halves, and its middle. */
export function slabCells(storage: CellStorage): Record<'whole' | 'left' | 'right' | 'middle', Cell> {
  const cell = (name: string, shape: Shape, first: number): Cell => ({
    name,
    shape,
    dtype: 'float32',
    storage,
    byteOffset: 4 * first,
  })
  return {
    whole: cell('whole', [24], 0),
    left: cell('left', [3, 4], 0),
    right: cell('right', [12], 12),
    middle: cell('middle', [4, 3], 6),
  }
}

const LARGEST = 200

class Drawing {
  readonly builder = new GraphBuilder()
  readonly e = this.builder.e
  readonly pool: Value[]

  constructor(
    private readonly cells: ReturnType<typeof slabCells>,
    private readonly updated: Recipe['updated'],
  ) {
    const inputs = parameters.map((content) => this.builder.parameter(content))
    this.pool = [...inputs, ...Object.values(cells).map((cell) => this.builder.read(cell))]
  }

  pick(n: number): Value {
    return this.pool[n % this.pool.length]!
  }

  /** The first fitting value from position n on, or `otherwise`. */
  find(n: number, fits: (value: Value) => boolean, otherwise: Value): Value {
    const start = n % this.pool.length
    return [...this.pool.slice(start), ...this.pool.slice(0, start)].find(fits) ?? otherwise
  }

  keep(value: Value): void {
    if (sizeOf(value.shape) <= LARGEST) this.pool.push(this.clip(value))
  }

  private clip(x: Value): Value {
    const low = this.builder.emitOne('maximum', [x, this.e.scalar(-8)], {})
    return this.builder.emitOne('minimum', [low, this.e.scalar(8)], {})
  }

  updatable(n: number): Cell {
    const { whole, left, right, middle } = this.cells
    if (this.updated === 'whole') return whole
    if (this.updated === 'middle') return middle
    return n % 2 === 0 ? left : right
  }

  anyCell(n: number): Cell {
    const all = Object.values(this.cells)
    return all[n % all.length]!
  }
}

function broadcasts(a: Shape, b: Shape): boolean {
  for (let i = 1; i <= Math.min(a.length, b.length); i++) {
    const x = a[a.length - i]
    const y = b[b.length - i]
    if (x !== y && x !== 1 && y !== 1) return false
  }
  return true
}

/** `count` elements of x, from its start, repeated or cut. */
function resized(d: Drawing, x: Value, shape: Shape): Value {
  const size = sizeOf(shape)
  const flat = d.e.reshape(x, [sizeOf(x.shape)])
  const copies = Math.max(1, Math.ceil(size / sizeOf(x.shape)))
  const long = d.builder.emitOne('concat', new Array<Value>(copies).fill(flat), { axis: 0 })
  return d.e.reshape(d.e.slice(long, [0], [size]), shape)
}

const BINARY = ['add', 'subtract', 'multiply', 'maximum', 'minimum'] as const
const UNARY = ['negative', 'abs', 'relu', 'square', 'copy', 'sign', 'floor', 'stopGradient'] as const
const CONSTANT_BINARY = ['add', 'subtract', 'multiply'] as const
const FOLDS = ['sum', 'max', 'min'] as const

type Draw = (d: Drawing, x: Value, step: Step) => void

const axisOf = (x: Value, n: number): number => n % x.shape.length
const indices = (d: Drawing, count: number, seed: number, extent: number): Value => {
  const data = Int32Array.from({ length: count }, (_, i) => (seed * 7 + i * 5) % extent)
  return d.builder.emitOne('constant', [], { data, shape: [count], dtype: 'int32' })
}

/** Views and joins need an axis. */
const ranked =
  (draw: Draw): Draw =>
  (d, x, step) =>
    draw(d, x.shape.length === 0 ? d.e.reshape(x, [1]) : x, step)

const draws: readonly Draw[] = [
  (d, x, { b, c }) => {
    const y = d.find(b, ({ shape }) => broadcasts(shape, x.shape), x)
    const operands = c % 2 === 0 ? [x, y] : [y, x]
    if (sizeOf(x.shape) * sizeOf(y.shape) <= LARGEST || sameShape(x.shape, y.shape))
      d.keep(d.builder.emitOne(BINARY[c % BINARY.length]!, operands, {}))
  },
  (d, x, { b }) => d.keep(d.builder.emitOne(UNARY[b % UNARY.length]!, [x], {})),
  // Constants, including the neutral ones that simplify.ts looks for.
  (d, x, { b, c }) => d.keep(d.e[CONSTANT_BINARY[b % CONSTANT_BINARY.length]!](x, c % 3)),
  (d, x, { c }) => d.keep(d.e.add(d.e.multiply(d.e.scalar(c % 3), d.e.scalar(2)), x)),
  (d, x, { b, c }) => {
    const y = d.find(b, ({ shape }) => sameShape(shape, x.shape), x)
    d.keep(d.e.select(d.e.less(x, y), x, c % 2 === 0 ? y : 1))
  },
  (d, x, { b, c }) => {
    const left = x.shape.length < 2 ? d.e.reshape(x, [1, sizeOf(x.shape)]) : x
    const inner = left.shape[left.shape.length - 1]!
    const right = d.find(b, ({ shape }) => shape.length === 2 && shape[0] === inner, d.e.transposeMatrix(left))
    if ((sizeOf(left.shape) / inner) * right.shape[right.shape.length - 1]! > LARGEST) return
    const product = d.e.matmul(left, right)
    const columns = product.shape[product.shape.length - 1]!
    if (c % 3 === 0) return d.keep(product)
    const bias = d.find(
      c,
      ({ shape }) => sameShape(shape, [columns]),
      d.e.reshape(
        d.e.slice(
          product,
          product.shape.map(() => 0),
          product.shape.map((n, i) => (i === product.shape.length - 1 ? n : 1)),
        ),
        [columns],
      ),
    )
    if (c % 3 === 2) {
      // A sum of two products, seen with another shape.
      const seen = [1, sizeOf(product.shape)]
      const other = d.e.matmul(left, d.e.negative(right))
      d.keep(d.e.add(d.e.reshape(product, seen), d.e.reshape(b % 2 === 0 ? other : product, seen)))
    }
    const biased = d.e.add(b % 5 === 0 ? d.e.matmul(left, right) : product, bias)
    if (c % 3 === 1) d.pool.push(d.builder.emitOne('sign', [biased], {}))
    d.keep(d.builder.emitOne('relu', [biased], {}))
  },
  ranked((d, x, { b, c }) => {
    const axes = x.shape.map((_, i) => i).filter((i) => ((b + 1) >> i) & 1)
    d.keep(d.e.reduce(FOLDS[c % FOLDS.length]!, x, axes))
  }),
  ranked((d, x, { b }) => d.keep(d.e.cast(d.builder.emitOne('argMax', [x], { axis: axisOf(x, b) }), 'float32'))),
  ranked((d, x, { b, c }) => {
    const mate = d.find(b, ({ shape }) => sameShape(shape, x.shape), x)
    d.keep(
      d.builder.emitOne('concat', c % 3 === 0 ? [x, mate, x] : [mate, x], { axis: c % 2 === 0 ? 0 : axisOf(x, b) }),
    )
  }),
  (d, x, { b, c }) =>
    d.keep(
      d.builder.emitOne('pad', [x], {
        before: x.shape.map((_, i) => (b + i) % 2),
        after: x.shape.map((_, i) => (c + i) % 2),
        value: b % 4,
      }),
    ),
  (d, x, { b, c }) => {
    const starts = x.shape.map((extent, i) => (b >> i) % extent)
    d.keep(
      d.e.slice(
        x,
        starts,
        x.shape.map((extent, i) => 1 + ((c >> i) % (extent - starts[i]!))),
      ),
    )
  },
  ranked((d, x, { b }) => d.keep(d.e.reverse(x, [axisOf(x, b)]))),
  (d, x, { b }) => {
    const order = x.shape.map((_, i) => (i + b) % x.shape.length)
    d.pool.push(d.e.transpose(x, b % 2 === 0 ? order : order.reverse()))
  },
  (d, x, { b }) => {
    const size = sizeOf(x.shape)
    const rows = [1, 2, 3, 4, 6].filter((n) => size % n === 0)
    d.pool.push(d.e.reshape(x, b % 3 === 0 ? [size] : [rows[b % rows.length]!, size / rows[b % rows.length]!]))
  },
  (d, x, { b }) => {
    const shape = [1 + (b % 3), ...x.shape.map((extent, i) => (extent === 1 ? 1 + ((b >> i) % 3) : extent))]
    if (sizeOf(shape) <= LARGEST) d.pool.push(d.e.broadcastTo(x, shape))
  },
  ranked((d, x, { b, c }) => {
    const axis = axisOf(x, b)
    d.keep(d.e.gather(x, indices(d, 1 + (c % 4), b, x.shape[axis]!), axis))
  }),
  ranked((d, x, { b, c }) => {
    const axis = axisOf(x, b)
    const size = 1 + (c % 4)
    d.keep(d.e.scatterAdd(x, indices(d, x.shape[axis]!, b, size), axis, size))
  }),
  (d, x, { b, c }) => {
    const gradient = d.find(b, ({ shape }) => sameShape(shape, x.shape), x)
    const velocity = c % 2 === 0 ? [] : [d.find(c, ({ shape }) => sameShape(shape, x.shape), x)]
    const outputs = d.builder.emit('sgd', [x, gradient, d.e.scalar(1), ...velocity], {
      momentum: 1,
      nesterov: false,
      weightDecay: 0,
    })
    outputs.forEach((output) => d.keep(output))
  },
  (d, _x, { b }) => void d.pool.push(d.builder.read(d.anyCell(b))),
  (d, x, { b }) => {
    const cell = d.updatable(b)
    d.builder.update(cell, resized(d, x, cell.shape))
  },
  // In the form of optimizers: the cell's own content is an operand.
  (d, x, { b, c }) => {
    const cell = d.updatable(b)
    const content = d.builder.read(cell)
    const step = resized(d, x, cell.shape)
    d.builder.update(
      cell,
      c % 2 === 0
        ? d.e.subtract(content, step)
        : d.builder.emit('sgd', [content, step, d.e.scalar(1)], { momentum: 0, nesterov: false, weightDecay: 0 })[0]!,
    )
  },
  (d, x) => void d.builder.emit('guard', [x], {}),
  // Routines: one with a gradient, one with its own memory.
  ranked((d, x, { b, c }) => {
    const axis = axisOf(x, b)
    const size = 1 + (c % 4)
    d.keep(d.e.routine(new ScatterMax(axis, size), [x, indices(d, x.shape[axis]!, b, size)])[0]!)
  }),
  ranked((d, x, { b, c }) => d.keep(d.e.cast(d.e.routine(new ArgSort(axisOf(x, b), c % 2 === 0), [x])[0]!, 'float32'))),
  ranked((d, x, { b }) => d.keep(d.e.routine(new SortedValues(axisOf(x, b)), [x])[0]!)),
  ranked((d, x, { b, c }) => d.keep(d.e.routine(new RunningResult(axisOf(x, b), 'sum', c % 2 === 0), [x])[0]!)),
  ranked((d, x, step) => drawLoop(d, x, step)),
  ranked((d, x, step) => drawConditional(d, x, step)),
]

/** Whether the first element of x is less than a number: a condition. */
function startsBelow({ e }: GraphBuilder, x: Value, limit: number): Value {
  return e.less(e.reshape(e.slice(e.reshape(x, [sizeOf(x.shape)]), [0], [1]), []), limit)
}

/**
 * Over the first axis of x, with a condition that the data decides: a carry, or a slice. A branch, which is such a loop of
 * one iteration, is inside. Operands are drawn from the pool, with repetition.
 */
function drawConditional(d: Drawing, x: Value, { a, b, c }: Step): void {
  const length = x.shape[0]!
  const shape = x.shape.slice(1)
  const isRow = (value: Value): boolean => sameShape(value.shape, shape)
  const row = d.e.sum(x, [0])
  const [p, q, capture] = [d.find(a, isRow, row), d.find(b, isRow, row), d.find(c, isRow, row)]
  const other = d.find(a + c, (value) => sameShape(value.shape, x.shape), x)
  const runs = c % 2 === 0 ? 'while' : 'where'
  const perSlice = d.e.less(d.e.sum(other, other.shape.map((_, i) => i).slice(1)), (b % 5) - 1)
  const results = looped(
    d.builder,
    {
      carries: runs === 'while' ? [startsBelow(d.builder, p, (b % 8) - 2), p, q] : [p, q],
      scanned: runs === 'while' ? [x, other] : [perSlice, x, other],
      captures: [capture, q],
      length,
      reverse: b % 2 === 0,
      runs,
    },
    (inside, carries, slices, [k, l]) => {
      const { e } = inside
      const [own, next] = carries.slice(-2)
      const [s, t] = slices.slice(-2)
      const clip = (y: Value): Value =>
        inside.emitOne('minimum', [inside.emitOne('maximum', [y, e.scalar(-8)], {}), e.scalar(8)], {})
      const sum = [e.add(own!, s!), e.subtract(k!, next!), e.multiply(own!, k!), t!, l!][a % 5]!
      const [chosen, seen] = looped(
        inside,
        {
          carries: [own!, next!],
          scanned: [e.reshape(startsBelow(inside, [s!, own!, k!][b % 3]!, (a % 3) - 1), [1])],
          captures: [sum, t!],
          length: 1,
          runs: 'where',
        },
        (branch, [first, second], _slices, [u, v]) => ({
          carries: [branch.e.add(u!, [first!, second!, v!][c % 3]!), [first!, second!, u!, v!][a % 4]!],
          stacked: [],
        }),
      )
      const state = [clip(chosen!), [seen!, own!, next!, clip(e.add(next!, t!))][(a + b) % 4]!]
      return {
        carries: runs === 'while' ? [startsBelow(inside, state[0]!, (c % 6) - 1), ...state] : state,
        stacked: [[own!, state[0]!, state[1]!, s!, k!][b % 5]!, e.subtract(state[0]!, own!)],
      }
    },
  )
  results.forEach((result, i) => result.dtype === 'float32' && (c + i) % 4 !== 1 && d.keep(result))
}

/** Over the first axis of x: carries, captures and slices are drawn from the pool, with repetition. */
function drawLoop(d: Drawing, x: Value, { a, b, c }: Step): void {
  const length = x.shape[0]!
  const carry = d.find(
    b,
    ({ shape }) => sameShape(shape, x.shape.slice(1)),
    d.e.slice(
      x,
      x.shape.map(() => 0),
      x.shape.map((n, i) => (i === 0 ? 1 : n)),
    ),
  )
  const start = sameShape(carry.shape, x.shape.slice(1)) ? carry : d.e.reshape(carry, x.shape.slice(1))
  const capture = d.find(
    c,
    ({ shape }) =>
      broadcasts(shape, start.shape) && shape.length <= start.shape.length && sizeOf(shape) <= sizeOf(start.shape),
    start,
  )
  if (!fitsInto(capture.shape, start.shape)) return
  const other = d.find(a + b, ({ shape }) => shape[0] === length && sameShape(shape, x.shape), x)
  const results = looped(
    d.builder,
    {
      carries: [start, start],
      scanned: c % 3 === 0 ? [x, x] : [x, other],
      captures: [capture, start],
      length,
      reverse: b % 2 === 0,
    },
    (inside, [p, q], [s, t], [k, l]) => {
      const { e } = inside
      const clip = (y: Value): Value =>
        inside.emitOne('minimum', [inside.emitOne('maximum', [y, e.scalar(-8)], {}), e.scalar(8)], {})
      const mixed = [e.add(p!, s!), e.subtract(s!, q!), e.multiply(p!, k!), t!, e.add(e.multiply(s!, k!), l!)]
      const next = clip(mixed[a % mixed.length]!)
      const second = [q!, clip(e.add(q!, t!)), p!, next][c % 4]!
      const ranks = p!.shape.length
      const seen = ranks > 0 ? e.reverse(next, [ranks - 1]) : next
      return {
        carries: [next, second],
        stacked: [[p!, next, seen, s!, k === undefined ? p! : clip(e.add(k, p!))][b % 5]!, clip(e.subtract(q!, seen))],
      }
    },
  )
  results.forEach((result, i) => (c + i) % 3 !== 0 && d.keep(result))
}

function fitsInto(shape: Shape, target: Shape): boolean {
  const offset = target.length - shape.length
  return offset >= 0 && shape.every((extent, i) => extent === 1 || extent === target[offset + i])
}

/** The graph of a recipe, over a slab of SLAB_ELEMENTS float32. */
export function drawGraph({ steps, outputs, gradient, updated }: Recipe, storage: CellStorage): Graph {
  const drawing = new Drawing(slabCells(storage), updated)
  const inputs = drawing.pool.slice(0, parameters.length)
  for (const step of steps) draws[step.op % draws.length]!(drawing, drawing.pick(step.a), step)
  const results = outputs.map((n) => drawing.pick(drawing.pool.length - 1 - (n % drawing.pool.length)))
  if (!gradient) return drawing.builder.finish(results)
  const { builder, e } = drawing
  const last = drawing.pool[drawing.pool.length - 1]!
  const slopes = gradients(builder, last, inputs, e.broadcastTo(e.scalar(1), last.shape))
  return builder.finish([...results, ...slopes])
}
