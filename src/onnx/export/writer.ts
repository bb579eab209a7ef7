// What rows of the table use to write nodes: names of items in any order of axes, constants, weights, and extents that may be open.

import type { DType } from '../../core/dtypes'
import { sizeOf } from '../../core/shapes'
import type { Node, Value } from '../../ir/graph'
import type { HostTensor } from '../tensors'
import type { TensorProto } from '../proto'
import type { ElementType } from '../types'
import type { Order } from '../values'
import { inOrder, sameOrder } from '../values'
import type { Sparse } from '../wire'
import type { Formula, Numbers, OpenExtent } from './extents'
import { formulaOf, isFixed, sameNumbers } from './extents'
import type { ItemType, View, Weight } from './items'
import { Item, arrange, elementTypes, extentsAfter, inverse, viewed } from './items'
import type { Attributes } from './scope'
import { Names, Scope, tensorProto } from './scope'

/** Something that ONNX does not have. The errors of all nodes are collected. */
export class Refusal extends Error {}

/** The largest int64 stands for the end of an axis, the least for the end in reverse. */
export const END = 2 ** 63 - 1024

export class Writer {
  readonly names = new Names()
  readonly root = new Scope(this.names, null)
  readonly initializers: Sparse<TensorProto>[] = []
  /** The scope of new nodes. */
  scope = this.root
  /** The items of values of the first trace. */
  readonly items = new Map<Value, Item>()
  private readonly known = new Map<string, string>()
  /** Items whose elements are all 0, although their extents are open. */
  readonly zeros = new WeakSet<Item>()

  private readonly open: OpenExtent[]

  constructor(
    open: readonly OpenExtent[],
    /** The names of the inputs. */
    readonly inputs: readonly string[],
    private readonly model: string,
  ) {
    this.open = [...open]
  }

  /** The path of the layer that a node belongs to, within the model. */
  pathOf({ scope }: Node): string {
    return scope.startsWith(`${this.model}/`) ? scope.slice(this.model.length + 1) : scope === this.model ? '' : scope
  }

  node(type: string, inputs: readonly string[], attributes?: Attributes): string {
    return this.scope.node(type, inputs, attributes)
  }

  /** The result of a node as an item. @param order of its axes */
  item(name: string, { dtype, shape }: ItemType, order: Order = inOrder(shape.length)): Item {
    if (this.scope === this.root && name !== '') {
      order.forEach((place, axis) => {
        const values = shape[place]!
        if (isFixed(values) || formulaOf(values, this.open) !== null) return
        this.open.push({ name: '', source: name, axis, values })
      })
    }
    return new Item(dtype, shape, { kind: 'node', name, scope: this.scope }, order)
  }

  /** The name of a value with its axes in an order. */
  name(item: Item, order: Order = inOrder(item.rank)): string {
    const { content } = item
    if (content.kind === 'constant')
      return this.constant({
        type: elementTypes[item.dtype],
        shape: order.map((axis) => item.shape[axis]![0]!),
        data: arrange(content.data, item.extents(), item.dtype, [{ order }]),
      })
    if (content.kind === 'weight') return this.weight(content.weight, [...content.views, { order }])
    if (sameOrder(order, item.order)) return content.name
    const key = String(order)
    let found = item.arranged.get(key)
    if (found === undefined) {
      found = content.scope.node('Transpose', [content.name], { perm: order.map((axis) => item.order.indexOf(axis)) })
      item.arranged.set(key, found)
    }
    return found
  }

  private weight(weight: Weight, given: readonly View[]): string {
    const views = given.filter((view) => !('order' in view) || !sameOrder(view.order, inOrder(view.order.length)))
    const key = JSON.stringify(views)
    if (weight.written === null) {
      const name = this.names.unique(weight.name)
      const data = arrange(weight.data, weight.shape, weight.dtype, views)
      this.initializers.push(
        tensorProto(name, { type: elementTypes[weight.dtype], shape: extentsAfter(weight.shape, views), data }),
      )
      weight.written = { views, name }
      weight.forms.set(key, name)
    }
    let found = weight.forms.get(key)
    if (found === undefined) {
      const back = [...weight.written.views].reverse().map(inverse)
      found = [...back, ...views].reduce(
        (name, view) =>
          'to' in view
            ? this.root.node('Reshape', [name, this.integers(view.to)])
            : 'order' in view
              ? this.root.node('Transpose', [name], { perm: view.order })
              : this.root.node('Gather', [name, this.integers(view.places)], { axis: view.axis }),
        weight.written.name,
      )
      weight.forms.set(key, found)
    }
    return found
  }

  /** A constant. Numbers and lists of integers are initializers; others are nodes, as importers take initializers for weights. */
  constant(host: HostTensor): string {
    const { type, shape, data } = host
    const key =
      data.length <= 64
        ? `${type} ${shape.join()}: ${Array.from(data, (x) => (Object.is(x, -0) ? '-0' : x)).join()}`
        : null
    let name = key === null ? undefined : this.known.get(key)
    if (name === undefined) {
      if (type === 'float32' && shape.length > 0) {
        const { where } = this.root
        this.root.where = ''
        name = this.root.node('Constant', [], { value: host })
        // Where operators take weights, importers take Constant nodes for weights, too.
        if (shape.length > 1) name = this.root.node('Identity', [name])
        this.root.where = where
      } else {
        name = this.names.unique('constant')
        this.initializers.push(tensorProto(name, host))
      }
      if (key !== null) this.known.set(key, name)
    }
    return name
  }

  number(x: number, type: ElementType): string {
    return this.constant({ type, shape: [], data: Float64Array.of(x) })
  }

  integers(list: readonly number[]): string {
    return this.constant({ type: 'int64', shape: [list.length], data: Float64Array.from(list) })
  }

  /** An extent as int64 [1]. */
  extent(numbers: Numbers): string {
    if (isFixed(numbers)) return this.integers([numbers[0]!])
    const key = `extent ${numbers.join()}`
    let name = this.known.get(key)
    if (name === undefined) {
      const formula = formulaOf(numbers, this.open)
      if (formula === null)
        throw new Refusal('an extent that is no multiple of an open extent plus a number. Give the inputs fixed shapes')
      name = this.formula(formula)
      this.known.set(key, name)
    }
    return name
  }

  private formula({ factor, of, offset, divisor }: Formula): string {
    const { root } = this
    const base = of
      .map(({ source, axis }) => {
        const value = typeof source === 'number' ? this.inputs[source]! : source
        return root.node('Shape', [value], { start: axis, end: axis + 1 })
      })
      .reduce((a, b) => root.node('Mul', [a, b]))
    const steps = [
      ['Mul', factor, 1],
      ['Add', offset, 0],
      ['Div', divisor, 1],
    ] as const
    return steps.reduce(
      (name, [type, number, none]) => (number === none ? name : root.node(type, [name, this.integers([number])])),
      base,
    )
  }

  /** Extents as int64 [n]. */
  extents(list: readonly Numbers[]): string {
    if (list.every(isFixed)) return this.integers(list.map(([each]) => each!))
    const parts: string[] = []
    for (let i = 0; i < list.length;) {
      let end = i
      while (end < list.length && isFixed(list[end]!)) end++
      parts.push(end > i ? this.integers(list.slice(i, end).map(([each]) => each!)) : this.extent(list[i]!))
      i = Math.max(end, i + 1)
    }
    return parts.length === 1 ? parts[0]! : this.root.node('Concat', parts, { axis: 0 })
  }

  /** A number that may be open, as a scalar. */
  scalar(numbers: Numbers, dtype: DType): string {
    if (isFixed(numbers)) return this.number(numbers[0]!, elementTypes[dtype])
    const whole = this.root.node('Squeeze', [this.extent(numbers), this.integers([0])])
    return this.root.node('Cast', [whole], { to: CODES[dtype] })
  }

  /** 0, 1, … as a vector. */
  places(extent: Numbers, dtype: DType = 'int32', begin = 0, step = 1): string {
    const limit = extent.map((each) => begin + step * each)
    const [from, by] = [this.number(begin, elementTypes[dtype]), this.number(step, elementTypes[dtype])]
    return this.node('Range', [from, this.scalar(limit, dtype), by])
  }

  cast(name: string, dtype: DType | 'int64'): string {
    return this.node('Cast', [name], { to: CODES[dtype] })
  }

  /** The elements of an item in row-major order with other extents. */
  reshaped(item: Item, shape: readonly Numbers[]): Item {
    const { content } = item
    const isWhole = item.shape.every(isFixed) && shape.every(isFixed)
    if (content.kind !== 'node' && isWhole) {
      const to = shape.map(([each]) => each!)
      return new Item(item.dtype, shape, viewed(content, item.extents(), item.dtype, { from: item.extents(), to }))
    }
    return this.item(this.reshape(this.name(item), item.shape, shape), { dtype: item.dtype, shape })
  }

  /** The slices of an axis in another order. */
  taken(item: Item, places: readonly number[], axis: number): Item {
    const { content, dtype, shape } = item
    if (places.every((place, i) => place === i)) return item
    if (content.kind !== 'node') return new Item(dtype, shape, viewed(content, item.extents(), dtype, { places, axis }))
    return this.item(this.node('Gather', [this.name(item), this.integers(places)], { axis }), item)
  }

  /** Whether all elements are known to be 0. */
  isZero(item: Item): boolean {
    const { content } = item
    return this.zeros.has(item) || (content.kind === 'constant' && content.data.every((x) => x === 0))
  }

  /** @param from the extents of what has the name */
  reshape(name: string, from: readonly Numbers[], to: readonly Numbers[]): string {
    if (from.length === to.length && to.every((each, i) => sameNumbers(each, from[i]!))) return name
    if (to.some((each) => each.includes(0))) return this.node('Reshape', [name, this.extents(to)], { allowzero: 1 })
    const open = to.filter((each) => !isFixed(each)).length
    // 0 copies the extent of the same place, −1 is what is left.
    const said = to.map((each, i) => {
      if (isFixed(each)) return each[0]!
      return open > 1 && i < from.length && sameNumbers(each, from[i]!) ? 0 : -1
    })
    const isClear = said.filter((each) => each === -1).length <= 1
    return this.node('Reshape', [name, isClear ? this.integers(said) : this.extents(to)])
  }

  /** Repeats extents of 1. @param from the extents of what has the name */
  expanded(name: string, from: readonly Numbers[], to: readonly Numbers[]): string {
    const more = to.length - from.length
    const isSame = (each: Numbers, i: number): boolean => i >= more && sameNumbers(each, from[i - more]!)
    if (more === 0 && to.every(isSame)) return name
    const wanted = to.map((each, i) => (isSame(each, i) ? each.map(() => 1) : each))
    return this.node('Expand', [name, this.extents(wanted)])
  }

  /** Writes nodes into a graph inside. */
  within<Result>(body: (scope: Scope) => Result): Result {
    const outer = this.scope
    this.scope = new Scope(this.names, outer)
    this.scope.where = outer.where
    try {
      return body(this.scope)
    } finally {
      this.scope = outer
    }
  }

  /** The path of the layer whose nodes are written. */
  set where(path: string) {
    this.scope.where = path
    this.root.where = path
  }
}

/** The numbers of element types. */
export const CODES = { float32: 1, int8: 3, int32: 6, int64: 7, string: 8, bool: 9 } as const

export const fixed = (shape: readonly number[], traces: number): Numbers[] =>
  shape.map((extent) => new Array<number>(traces).fill(extent))

export const isSmall = (item: ItemType): boolean =>
  item.shape.every(isFixed) && sizeOf(item.shape.map(([each]) => each!)) <= 2 ** 20
