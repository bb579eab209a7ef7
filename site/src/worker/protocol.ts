// The messages between the page and its worker. The page sends commands; the worker sends frames while it trains, and an
// answer to each question.

import type { DataSet, Form, Part } from '../data/form'
import type { LayerSpec } from '../model/layers'
import type { State } from '../state/state'

/** The setup of a run. */
export type Recipe = Pick<State, 'data' | 'layers' | 'training'>

/** Files of the user, which are not part of the state. */
export interface UserFiles {
  /** A CSV file, and the column to predict; null for the last. */
  readonly table?: { readonly text: string; readonly name: string; readonly target: string | null }
  /** Images with the name of their class. */
  readonly images?: readonly { readonly file: Blob; readonly label: string }[]
}

/** A data set with its description for the page. */
export interface Prepared {
  readonly data: DataSet
  readonly notes: readonly string[]
  /** The columns of a table that can be the target. */
  readonly targets: readonly string[]
  /** How each column of a table is encoded. */
  readonly columns: readonly { readonly name: string; readonly text: string }[]
}

/** Parts of a frame that are computed only while they are seen. */
export type Seen = 'answers' | 'units' | 'weights'

export type Speed = 'slow' | 'normal' | 'fast'

/** The limits at which training ends by itself; null for no limit. */
export interface Limit {
  readonly resource: 'flops' | 'joules' | 'seconds'
  readonly amount: number
}

export type Command =
  | { readonly type: 'setup'; readonly recipe: Recipe; readonly files: UserFiles }
  | { readonly type: 'play'; readonly speed: Speed }
  | { readonly type: 'pause' }
  | { readonly type: 'step' }
  | { readonly type: 'rewind'; readonly epoch: number }
  | { readonly type: 'watch'; readonly parts: readonly Seen[] }
  | { readonly type: 'limit'; readonly limit: Limit | null }
  /** The last frame was drawn. */
  | { readonly type: 'drawn' }
  | { readonly type: 'ask'; readonly id: number; readonly kind: keyof Questions; readonly argument: unknown }

export type Message =
  | { readonly type: 'ready'; readonly data: Described }
  | { readonly type: 'frame'; readonly frame: Frame }
  | { readonly type: 'stopped'; readonly why: string | null }
  | { readonly type: 'failed'; readonly message: string }
  | { readonly type: 'answer'; readonly id: number; readonly value: unknown; readonly error: string | null }

/** A data set as the page knows it. */
export interface Described {
  readonly form: Form
  /** All points of the plane, otherwise the first rows to choose from. */
  readonly train: Part
  readonly test: Part
  /** Remarks for the user, such as the number of rows that were left out. */
  readonly notes: Prepared['notes']
  readonly targets: Prepared['targets']
  readonly columns: Prepared['columns']
}

/** New points of the curves. */
export interface Curve {
  /** The first of the epochs, from 1. */
  readonly from: number
  readonly loss: readonly number[]
  readonly metric: readonly number[]
  /** After the last epoch. */
  readonly testLoss: number
  readonly testMetric: number
}

export interface Costs {
  readonly flops: number
  readonly joules: number
  readonly seconds: number
  readonly stepsPerSecond: number
  /** Of one step; null before the first. */
  readonly stepFlops: number | null
  readonly parameters: number
}

export interface Surface {
  /** Points along an axis; the first row is the lowest. */
  readonly side: number
  /** Numbers for each point: one, or one for each class. */
  readonly width: number
  readonly values: Float32Array
}

export type UnitState = 'active' | 'dormant' | 'dead' | 'saturated'

export interface UnitsOfLayer {
  readonly layer: string
  readonly className: string
  readonly count: number
  readonly states: readonly UnitState[]
  /** The response of each unit, [count, size]: a map of the plane, a mean image, or correlations with the columns. */
  readonly responses: Float32Array
  readonly size: number
}

export interface Health {
  readonly layer: string
  readonly units: number
  readonly dead: number
  readonly dormant: number
  readonly saturated: number | null
  readonly rank: number | null
  readonly updateRatio: number
}

export interface WeightsOf {
  readonly name: string
  readonly shape: readonly number[]
  readonly values: Float32Array
}

/** Where a run trains, if the page asked for the GPU. */
export interface OnGpu {
  /** The GPU and how it is used, or why there is none. */
  readonly note: string
  /** Of the training step; null before the first. */
  readonly step: { readonly device: 'gpu' | 'wasm'; readonly why: string } | null
}

export interface Frame {
  readonly epoch: number
  readonly steps: number
  /** null for a frame without training. */
  readonly curve: Curve | null
  readonly costs: Costs
  /** The epochs that one can return to. */
  readonly kept: readonly number[]
  readonly surface: Surface | null
  /** [true class, predicted class], row by row; null for numbers. */
  readonly confusion: readonly number[] | null
  /** The classes that the model answers for the first test rows; null for numbers. */
  readonly answers: readonly number[] | null
  readonly units: readonly UnitsOfLayer[] | null
  readonly health: readonly Health[] | null
  readonly advice: readonly string[]
  readonly weights: readonly WeightsOf[] | null
  /** null for a run on the CPU. */
  readonly gpu: OnGpu | null
}

/** A model in numbers. */
export interface Measured {
  readonly label: string
  readonly loss: number
  readonly metric: number
  readonly parameters: number
  readonly bytes: number
  /** FLOPs of a prediction of one row. */
  readonly flops: number
  /** Microseconds of a prediction of one row, within a batch. */
  readonly microseconds: number
}

export interface Reasons {
  /** The answer for the row: probabilities of the classes, or one number. */
  readonly answer: readonly number[]
  /** The explained class; null for a number. */
  readonly unit: number | null
  readonly value: number
  readonly base: number
  readonly gradients: Float32Array
  /** null for more than twelve inputs. */
  readonly shapley: Float32Array | null
}

export type ForeignFormat = 'keras' | 'onnx' | 'tfjs'
export type FileFormat = 'safetensors' | ForeignFormat
export interface SavedFile {
  readonly name: string
  readonly bytes: Uint8Array<ArrayBuffer>
}

export interface Opened {
  readonly name: string
  /** The layers as the page edits them; null if the model has others. */
  readonly layers: readonly LayerSpec[] | null
  readonly summary: string
}

export interface StreamPoint {
  /** Examples so far. */
  readonly examples: number
  readonly plain: number
  readonly renewed: number
}

/** Questions, each with its argument and its answer. */
export interface Questions {
  measure: { argument: null; answer: Measured }
  prune: { argument: { readonly keep: number }; answer: readonly Measured[] }
  quantize: { argument: null; answer: readonly Measured[] }
  distil: { argument: { readonly share: number }; answer: readonly Measured[] }
  regenerate: { argument: null; answer: { readonly measured: Measured; readonly renewed: number } }
  /** Continues with the last model that prune or distil made. */
  adopt: { argument: { readonly label: string }; answer: readonly LayerSpec[] | null }
  explain: { argument: { readonly row: Float32Array }; answer: Reasons }
  /** The bytes of a safetensors file. */
  save: { argument: null; answer: Uint8Array<ArrayBuffer> }
  /** Those bytes as the files of another program. */
  convert: { argument: { readonly bytes: Uint8Array; readonly format: ForeignFormat }; answer: readonly SavedFile[] }
  open: { argument: { readonly files: readonly File[] }; answer: Opened }
  /** Continues the drifting stream for some tasks. */
  stream: { argument: { readonly restart: boolean; readonly tasks: number }; answer: readonly StreamPoint[] }
  picture: { argument: { readonly curves: Readonly<Record<string, readonly number[]>> }; answer: string }
}
