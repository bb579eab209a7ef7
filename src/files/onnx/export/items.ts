// The values of a traced graph while it is written: results of nodes, constants, and weights. As in values.ts, an item has an
// order of axes, so that transpositions move nothing until a node needs another order.

import type { DType } from '../../../core/dtypes'
import { hostOf, strided, stridesOf, taken } from '../host'
import type { HostTensor } from '../tensors'
import type { ElementType, HostArray } from '../types'
import { inOrder, sameOrder, type Order } from '../values'
import type { Numbers } from './extents'
import type { Scope } from './scope'

/** A change of the form of a weight that moves or keeps all elements: other extents, another order of axes or of the slices of one. */
export type View =
  | { readonly from: readonly number[]; readonly to: readonly number[] }
  | { readonly order: Order }
  | { readonly places: readonly number[]; readonly axis: number }

/** The content of a variable. It is written in the first form that a node needs, such as the kernel of a convolution. */
export interface Weight {
  readonly name: string
  readonly shape: readonly number[]
  readonly dtype: DType
  readonly data: HostArray
  /** How it is written, and under which name. */
  written: { readonly views: readonly View[]; readonly name: string } | null
  /** The names of nodes that give other forms. */
  readonly forms: Map<string, string>
}

export type Content =
  | { readonly kind: 'node'; readonly name: string; readonly scope: Scope }
  | { readonly kind: 'constant'; readonly data: HostArray }
  | { readonly kind: 'weight'; readonly weight: Weight; readonly views: readonly View[] }

export interface ItemType {
  readonly dtype: DType
  /** The extents, in each trace. */
  readonly shape: readonly Numbers[]
}

export class Item implements ItemType {
  /** The names of nodes that give other orders. */
  readonly arranged = new Map<string, string>()

  constructor(
    readonly dtype: DType,
    readonly shape: readonly Numbers[],
    readonly content: Content,
    /** Axis i of what is written is axis order[i] of the value. */
    readonly order: Order = inOrder(shape.length),
  ) {}

  get rank(): number {
    return this.shape.length
  }

  /** The extents in one trace. */
  extents(trace = 0): number[] {
    return this.shape.map((numbers) => numbers[trace]!)
  }

  /** Axis i of the result is axis permutation[i] of this. */
  transposed(permutation: Order): Item {
    const shape = permutation.map((axis) => this.shape[axis]!)
    const { content } = this
    if (content.kind === 'node') {
      return new Item(
        this.dtype,
        shape,
        content,
        this.order.map((axis) => permutation.indexOf(axis)),
      )
    }
    return new Item(this.dtype, shape, viewed(content, this.extents(), this.dtype, { order: permutation }))
  }
}

/** A constant or a weight in another form. */
export function viewed(
  content: Exclude<Content, { readonly kind: 'node' }>,
  shape: readonly number[],
  dtype: DType,
  view: View,
): Content {
  if (content.kind === 'weight') return { ...content, views: [...content.views, view] }
  return { kind: 'constant', data: arrange(content.data, shape, dtype, [view]) }
}

/** The elements after some changes of form. */
export function arrange(data: HostArray, shape: readonly number[], dtype: DType, views: readonly View[]): HostArray {
  let [found, extents] = [data, shape]
  for (const view of views) {
    const host: HostTensor = { type: elementTypes[dtype], shape: extents, data: found }
    extents = extentsAfter(extents, [view])
    if ('places' in view) found = taken(host, hostOf('int64', [view.places.length], view.places), view.axis)!.data
    else if ('order' in view && !sameOrder(view.order, inOrder(view.order.length))) {
      const strides = stridesOf(host.shape)
      found = strided(
        host,
        extents,
        view.order.map((axis) => strides[axis]!),
      ).data
    }
  }
  return found
}

/** The extents after some changes of form. */
export function extentsAfter(shape: readonly number[], views: readonly View[]): readonly number[] {
  return views.reduce((extents, view) => {
    if ('to' in view) return view.to
    return 'order' in view ? view.order.map((axis) => extents[axis]!) : extents
  }, shape)
}

/** The change back. */
export function inverse(view: View): View {
  if ('to' in view) return { from: view.to, to: view.from }
  if ('places' in view) return { ...view, places: view.places.map((_, i) => view.places.indexOf(i)) }
  return { order: view.order.map((_, axis) => view.order.indexOf(axis)) }
}

/** The element types of files for our dtypes. */
export const elementTypes = {
  float32: 'float32',
  int32: 'int32',
  bool: 'bool',
  int8: 'int8',
  string: 'string',
} as const satisfies Readonly<Record<DType, ElementType>>
