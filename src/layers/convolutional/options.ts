// The options that all convolutions share, and what is derived from them.

import { replaced } from '../../core/merged'
import { nullable, option, required } from '../../core/options'
import { padding, perAxis, placesIn, sequencePadding, type Padding, type Sliding } from '../../ops/nn/sliding'
import { constraint, initializer, regularizer } from '../kinds'
import type { BatchShape } from '../spec'

/** How a window moves over `rank` axes. */
const windowRows = (rank: number) => ({
  /** The size of the window: one number, or one for each axis. */
  kernelSize: required(perAxis(rank)),
  /** The step of the window: one number, or one for each axis. Default 1. */
  strides: option(perAxis(rank), 1),
  /** 'valid': only inside the input. 'same': zeros around it, for ⌈extent / stride⌉ positions. Default valid. */
  padding: option(padding, 'valid'),
  /** The distance between neighbouring taps: one number, or one for each axis. Default 1. */
  dilationRate: option(perAxis(rank), 1),
})
type WindowRows = ReturnType<typeof windowRows>
export type WindowTable = { [Name in keyof WindowRows]: WindowRows[Name] }
export const windowOptions: (rank: number) => WindowTable = windowRows

/** A sequence has an order, so the padding may also be 'causal'. */
const sequenceRows = () =>
  replaced(windowOptions(1), {
    /**
     * 'valid': only inside the input. 'same': zeros around it, for ⌈steps / stride⌉ positions. 'causal': zeros in front
     * only. Default valid.
     */
    padding: option(sequencePadding, 'valid'),
  })
type SequenceRows = ReturnType<typeof sequenceRows>
export type SequenceTable = { [Name in keyof SequenceRows]: SequenceRows[Name] }
export const sequenceOptions: () => SequenceTable = sequenceRows

/** One weight for each tap. */
const kernelRows = () => ({
  /** Default glorotUniform. */
  kernelInitializer: option(initializer, 'glorotUniform'),
  /** A penalty on the kernel. Default null. */
  kernelRegularizer: option(regularizer, null),
  /** Applied to the kernel after every update. Default null. */
  kernelConstraint: option(constraint, null),
})
type KernelRows = ReturnType<typeof kernelRows>
export type KernelTable = { [Name in keyof KernelRows]: KernelRows[Name] }
export const kernelOptions: () => KernelTable = kernelRows

/** A layer with a window that slides over places. */
export interface Windowed {
  readonly kernelSize: readonly number[]
  readonly strides: readonly number[]
  readonly padding: Padding
  readonly dilationRate: readonly number[]
}

export function slidingOf({ kernelSize, strides, dilationRate, padding }: Windowed): Sliding {
  return { window: kernelSize, strides, dilation: dilationRate, padding }
}

/** [batch, …extents, channels] → [batch, …places, filters]. */
export function placesOf(layer: Windowed, [batch = null, ...rest]: BatchShape, filters: number | null): BatchShape {
  return [batch, ...placesIn(String(layer), rest.slice(0, -1), slidingOf(layer)), filters]
}

/** The number of additional elements at the end of each axis. */
export const outputPadding = (rank: number) => nullable(perAxis(rank, 0))
