// The types of the data that fit, evaluate and predict take. parse.ts parses them.

import type { TensorLike } from '../../ops/convert'
import type { NestedStrings } from '../../ops/strings'
import type { Tensor } from '../../ops/tensor'
import type { ElementsOrMaker } from './source'

/** Class number → weight of the samples of that class. */
export type ClassWeight = Readonly<Record<number, number>>

/** Class number → weight; with several outputs, one such record for each, by name or position. */
export type ClassWeights = ClassWeight | readonly (ClassWeight | null)[] | Readonly<Record<string, ClassWeight | null>>

/** The data of one row: at each leaf a number, a string, a boolean, or a list or tensor of the shape of a row. */
export type RowOf<Tensors> = Tensors extends Tensor
  ? TensorLike | NestedStrings
  : Tensors extends readonly unknown[]
    ? Readonly<Record<string, TensorLike | NestedStrings>>
    : { readonly [Key in keyof Tensors]: RowOf<Tensors[Key]> }

/** Rows as objects, which may also have the target, or one row, for a model with named inputs. */
type RowsOf<Tensors> = Tensors extends Tensor
  ? never
  : RowOf<Tensors> | readonly RowOf<Tensors>[] | readonly (RowOf<Tensors> & Readonly<Record<string, unknown>>)[]

/**
 * Data for a tree of tensors: at each leaf a tensor-like value, a list of tensors with a row each, or strings. A record by name may
 * stand in place of a list, a list by position in place of a record, and objects in place of rows: `[{ age: 33, sex: 'f' }]`.
 */
export type DataOf<Tensors> = ColumnsOf<Tensors> | RowsOf<Tensors>

/** The same without rows as objects. */
type ColumnsOf<Tensors> = Tensors extends Tensor
  ? TensorLike | readonly TensorLike[] | readonly NestedStrings[]
  : Tensors extends readonly unknown[]
    ? | { readonly [Key in keyof Tensors]: ColumnsOf<Tensors[Key]> }
      | Readonly<Record<string, TensorLike | readonly NestedStrings[]>>
    : { readonly [Key in keyof Tensors]: ColumnsOf<Tensors[Key]> } | readonly (TensorLike | readonly NestedStrings[])[]

/**
 * Targets for a tree of outputs. An output without a loss and metrics needs no target: its target is null, or it is
 * omitted from a list. For rows as objects, the keys of the targets.
 */
export type TargetsOf<Tensors> = TargetArraysOf<Tensors> | TargetKeys<Tensors>

type TargetArraysOf<Tensors> = Tensors extends Tensor
  ? TensorLike | readonly TensorLike[]
  : Tensors extends readonly unknown[]
    ? | { readonly [Key in keyof Tensors]: TargetArraysOf<Tensors[Key]> | null }
      | Readonly<Record<string, TensorLike | null>>
      | TensorLike
      | readonly TensorLike[]
    : | { readonly [Key in keyof Tensors]?: TargetArraysOf<Tensors[Key]> | null }
      | TensorLike
      | readonly (TensorLike | null)[]
      | readonly { readonly [Key in keyof Tensors]?: TensorLike }[]

/** For rows as objects, the key of the target, or a key for each output, by position or by the output's name. */
export type TargetKeys<Tensors> = Tensors extends Tensor
  ? string
  : readonly string[] | { readonly [Key in keyof Tensors]?: string }

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
