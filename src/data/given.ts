// The types of the data that users give to fit, evaluate and predict. parse.ts parses them.

import type { TensorLike } from '../ops/convert'
import type { NestedStrings } from '../ops/strings'
import type { Tensor } from '../ops/tensor'
import type { ElementsOrMaker } from './source'

/** Class number → weight of the samples of that class. */
export type ClassWeight = Readonly<Record<number, number>>

/** Class number → weight; with several outputs, one such record for each, by name or position. */
export type ClassWeights = ClassWeight | readonly (ClassWeight | null)[] | Readonly<Record<string, ClassWeight | null>>

/**
 * Data for a tree of tensors: at each leaf a tensor-like value, or strings; lists may be given by name, records by
 * position.
 */
export type DataOf<Tensors> = Tensors extends Tensor
  ? TensorLike | readonly NestedStrings[]
  : Tensors extends readonly unknown[]
    ? | { readonly [Key in keyof Tensors]: DataOf<Tensors[Key]> }
      | Readonly<Record<string, TensorLike | readonly NestedStrings[]>>
    : { readonly [Key in keyof Tensors]: DataOf<Tensors[Key]> } | readonly (TensorLike | readonly NestedStrings[])[]

/**
 * Targets for a tree of outputs. An output without a loss and metrics needs no target: its target is null, or it is
 * omitted from a list.
 */
export type TargetsOf<Tensors> = Tensors extends Tensor
  ? TensorLike
  : Tensors extends readonly unknown[]
    ? | { readonly [Key in keyof Tensors]: TargetsOf<Tensors[Key]> | null }
      | Readonly<Record<string, TensorLike | null>>
      | TensorLike
      | readonly TensorLike[]
    : { readonly [Key in keyof Tensors]?: TargetsOf<Tensors[Key]> | null } | TensorLike | readonly (TensorLike | null)[]

/**
 * One weight per sample, or one per step of a sequence: [samples] or [samples, steps]. With several outputs, one for
 * all of them, or a list or record.
 */
export type SampleWeights =
  | TensorLike
  | readonly (TensorLike | null)[]
  | { readonly [output: string]: TensorLike | null }

/** A batch of a data set or generator: only inputs, or inputs, targets and weights in a list or a record. */
export type BatchData<In = Tensor, Out = Tensor> =
  | DataOf<In>
  | readonly [x: DataOf<In>, y?: TargetsOf<Out> | null, sampleWeight?: SampleWeights | null]
  | { readonly x: DataOf<In>; readonly y?: TargetsOf<Out> | null; readonly sampleWeight?: SampleWeights | null }

/** A sequence of batches: a Dataset, an (async) iterable, a stream, or a function that creates one for every pass. */
export type Batches<In = Tensor, Out = Tensor> = ElementsOrMaker<BatchData<In, Out>>

/** Validation samples: [x, y] or [x, y, sampleWeight], or batches of them. */
export type ValidationData<In = Tensor, Out = Tensor> =
  | readonly [DataOf<In>, TargetsOf<Out>]
  | readonly [DataOf<In>, TargetsOf<Out>, SampleWeights]
  | Batches<In, Out>
