// References of the primitives that slide windows over tensors, as plain loops: a part of references.ts.

import { sizeOf, type Shape } from '../../core/shapes'
import type { NumericArray } from '../../core/dtypes'
import type { ConvolutionAttributes, PaddedAttributes, PoolAttributes } from '../ir/attributes'
import { slides } from './pooling'
import type { RefContext } from './rule'
import { forEachTap } from './window'

/** Visits one product of a convolution with the offsets of its elements in x, the kernel and y. */
type Visit = (at: number, weight: number, place: number) => void

function forEachProduct(x: Shape, kernel: Shape, attributes: ConvolutionAttributes, visit: Visit): void {
  const channels = kernel.at(-2)!

  const filters = kernel.at(-1)!
  const { groups } = attributes
  forEachTap(x, kernel.slice(0, -2), attributes, (place, tap, at) => {
    for (let f = 0; f < filters; f++) {
      const group = Math.floor(f / (filters / groups))
      for (let c = 0; c < channels; c++)
        visit(at + group * channels + c, (tap * channels + c) * filters + f, place * filters + f)
    }
  })
}

/** The same with the kernel layout of convolutionTurned. */
function forEachTurned(x: Shape, kernel: Shape, attributes: ConvolutionAttributes, visit: Visit): void {
  const { groups } = attributes
  const window = kernel.slice(0, -2)
  const filters = kernel.at(-2)!

  const all = kernel.at(-1)!
  const last = sizeOf(window) - 1
  forEachTap(x, window, attributes, (place, tap, at) => {
    for (let channel = 0; channel < all; channel++) {
      const first = (place * groups + Math.floor(channel / (all / groups))) * filters
      for (let f = 0; f < filters; f++) visit(at + channel, ((last - tap) * filters + f) * all + channel, first + f)
    }
  })
}

function forEachChannel(x: Shape, kernel: Shape, attributes: PaddedAttributes, visit: Visit): void {
  const channels = kernel.at(-1)!
  forEachTap(x, kernel.slice(0, -1), attributes, (place, tap, at) => {
    for (let c = 0; c < channels; c++) visit(at + c, tap * channels + c, place * channels + c)
  })
}

type ForEach<Attributes> = (x: Shape, kernel: Shape, attributes: Attributes, visit: Visit) => void

/** A convolution and its gradients: the same products, each added to another of the three tensors. */
function convolutionReferences<Attributes>(forEach: ForEach<Attributes>) {
  return {
    forward({
      inputs: [x, kernel],
      outputs: [y],
      inputTypes: [xType, kernelType],
      attributes,
    }: RefContext<Attributes>): void {
      y!.fill(0)
      forEach(
        xType!.shape,
        kernelType!.shape,
        attributes,
        (at, weight, place) => (y![place] = y![place]! + x![at]! * kernel![weight]!),
      )
    },
    ofKernel({
      inputs: [x, dy],
      outputs: [dw],
      inputTypes: [xType],
      outputTypes: [kernelType],
      attributes,
    }: RefContext<Attributes>): void {
      dw!.fill(0)
      forEach(
        xType!.shape,
        kernelType!.shape,
        attributes,
        (at, weight, place) => (dw![weight] = dw![weight]! + x![at]! * dy![place]!),
      )
    },
    transposed({
      inputs: [dy, kernel],
      outputs: [dx],
      inputTypes: [, kernelType],
      outputTypes: [xType],
      attributes,
    }: RefContext<Attributes>): void {
      dx!.fill(0)
      forEach(
        xType!.shape,
        kernelType!.shape,
        attributes,
        (at, weight, place) => (dx![at] = dx![at]! + dy![place]! * kernel![weight]!),
      )
    },
  }
}

const full = /* @__PURE__ */ convolutionReferences(forEachProduct)
const turned = /* @__PURE__ */ convolutionReferences(forEachTurned)
const depthwise = /* @__PURE__ */ convolutionReferences(forEachChannel)

/** Visits every element of a pooling's result with the positions in x of its window, in order. */
function forEachWindow(
  x: Shape,
  attributes: PoolAttributes,
  visit: (element: number, seen: readonly number[]) => void,
): void {
  const channels = x.at(-1)!
  const seen: number[][] = []
  forEachTap(x, attributes.window, slides(attributes), (place, tap, at) => {
    if (tap === 0) seen.push([])
    seen[place]!.push(at)
  })
  seen.forEach((taps, place) => {
    for (let c = 0; c < channels; c++)
      visit(
        place * channels + c,
        taps.map((at) => at + c),
      )
  })
}

/** The first of the largest elements; NaN counts as larger than all elements before it. */
const largestOf = (x: NumericArray, seen: readonly number[]): number =>
  seen.reduce((best, at) => (x[at]! <= x[best]! ? best : at))

/* @__NO_SIDE_EFFECTS__ */
export function windowReferences() {
  return {
    convolution: full.forward,
    convolutionKernel: full.ofKernel,
    convolutionTranspose: full.transposed,
    convolutionTurned: turned.transposed,
    depthwiseConvolution: depthwise.forward,
    depthwiseConvolutionKernel: depthwise.ofKernel,
    depthwiseConvolutionTranspose: depthwise.transposed,

    maxPool({ inputs: [x], outputs: [y], inputTypes: [type], attributes }: RefContext<PoolAttributes>): void {
      forEachWindow(type!.shape, attributes, (i, seen) => (y![i] = Math.max(...seen.map((at) => x![at]!))))
    },
    maxPoolPick({
      inputs: [x, values],
      outputs: [y],
      inputTypes: [type],
      attributes,
    }: RefContext<PoolAttributes>): void {
      forEachWindow(type!.shape, attributes, (i, seen) => (y![i] = values![largestOf(x!, seen)]!))
    },
    maxPoolTranspose({
      inputs: [x, dy],
      outputs: [dx],
      inputTypes: [type],
      attributes,
    }: RefContext<PoolAttributes>): void {
      dx!.fill(0)
      forEachWindow(type!.shape, attributes, (i, seen) => {
        const at = largestOf(x!, seen)
        dx![at] = dx![at]! + dy![i]!
      })
    },
    sumPool({ inputs: [x], outputs: [y], inputTypes: [type], attributes }: RefContext<PoolAttributes>): void {
      forEachWindow(type!.shape, attributes, (i, seen) => (y![i] = seen.reduce((sum, at) => sum + x![at]!, 0)))
    },
    sumPoolTranspose({
      inputs: [dy],
      outputs: [dx],
      outputTypes: [type],
      attributes,
    }: RefContext<PoolAttributes>): void {
      dx!.fill(0)
      forEachWindow(type!.shape, attributes, (i, seen) => {
        for (const at of seen) dx![at] = dx![at]! + dy![i]!
      })
    },
  }
}
