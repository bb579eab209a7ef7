// The form of a data set: its properties that the page and the model need, without its rows.

export type Task =
  | { readonly kind: 'classes'; readonly names: readonly string[] }
  | { readonly kind: 'number'; readonly name: string }

export interface Form {
  /** Points in the plane, images, or rows of a table. */
  readonly kind: 'plane' | 'image' | 'table'
  readonly task: Task
  readonly inputShape: readonly number[]
  /** The names of the inputs of a table or of the plane. */
  readonly columns: readonly string[]
  /** Of the training rows of a table; null where the inputs have one scale already. */
  readonly scale: { readonly mean: readonly number[]; readonly variance: readonly number[] } | null
  readonly trainRows: number
  readonly testRows: number
}

export interface Part {
  /** [rows, ...inputShape] */
  readonly x: Float32Array
  /** A class number or a number to predict for each row. */
  readonly y: Float32Array
  readonly rows: number
}

export interface DataSet {
  readonly form: Form
  readonly train: Part
  readonly test: Part
}

export const sizeOf = (shape: readonly number[]): number => shape.reduce((product, extent) => product * extent, 1)
