// What rows of the table use to write nodes: names of items in any order of axes, constants, weights, and extents that may be open.

import { sizeOf } from '../../../core/shapes'
import type { Value } from '../../../engine/ir/graph'
import { inOrder, sameOrder, type Order } from '../values'
import { isFixed, sameNumbers, type Numbers } from './extents'
import { GraphFile } from './graph-file'
import {
  Item,
  arrange,
  elementTypes,
  extentsAfter,
  inverse,
  viewed,
  type ItemType,
  type View,
  type Weight,
} from './items'
import { tensorProto } from './scope'

export { Refusal } from './graph-file'

/** The largest int64 stands for the end of an axis, the least for the end in reverse. */
export const END = 2 ** 63 - 1024

export class Writer extends GraphFile {
  /** The items of values of the first trace. */
  readonly items = new Map<Value, Item>()
  /** Items whose elements are all 0, although their extents are open. */
  readonly zeros = new WeakSet<Item>()

  /** The result of a node as an item. @param order of its axes */
  item(name: string, { dtype, shape }: ItemType, order: Order = inOrder(shape.length)): Item {
    this.noteExtents(
      name,
      order.map((axis) => shape[axis]!),
    )
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

  private weight(weight: Weight, allViews: readonly View[]): string {
    const views = allViews.filter((view) => !('order' in view) || !sameOrder(view.order, inOrder(view.order.length)))
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
      found = [...back, ...views].reduce((name, view) => this.viewed(name, view), weight.written.name)
      weight.forms.set(key, found)
    }
    return found
  }

  /** The node that reads a weight in another form. */
  private viewed(name: string, view: View): string {
    if ('to' in view) return this.root.node('Reshape', [name, this.integers(view.to)])
    if ('order' in view) return this.root.node('Transpose', [name], { perm: view.order })
    return this.root.node('Gather', [name, this.integers(view.places)], { axis: view.axis })
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
    const target = to.map((each, i) => {
      if (isFixed(each)) return each[0]!
      return open > 1 && i < from.length && sameNumbers(each, from[i]!) ? 0 : -1
    })
    const isClear = target.filter((each) => each === -1).length <= 1
    return this.node('Reshape', [name, isClear ? this.integers(target) : this.extents(to)])
  }

  /** Repeats extents of 1. @param from the extents of what has the name */
  expanded(name: string, from: readonly Numbers[], to: readonly Numbers[]): string {
    const more = to.length - from.length
    const isSame = (each: Numbers, i: number): boolean => i >= more && sameNumbers(each, from[i - more]!)
    if (more === 0 && to.every(isSame)) return name
    const wanted = to.map((each, i) => (isSame(each, i) ? each.map(() => 1) : each))
    return this.node('Expand', [name, this.extents(wanted)])
  }
}

export const isSmall = (item: ItemType): boolean =>
  item.shape.every(isFixed) && sizeOf(item.shape.map(([each]) => each!)) <= 2 ** 20
