// Reads the explanation that a picture draws: what a method of `myelin/explain` returns, or its attributions.

import { ArgumentError, ShapeError, formatShape, quoted } from '../core/errors'
import { flatten, isBranch, isRecord, leafNames } from '../core/tree'
import type { Explanation } from '../explain/explained'
import type { GradCam } from '../explain/grad-cam'
import type { Importance } from '../explain/importance'
import { toTensor, type TensorLike } from '../ops/convert'
import { Tensor } from '../ops/tensor'

/** Tensors by the names of columns, or in the structure of a model's inputs. */
type TensorsOf = Readonly<Record<string, unknown>>

/**
 * What a method of `myelin/explain` returns, or its attributions. Those of a TableModel are by column; those of a model with several
 * inputs have the structure of the inputs.
 */
export type ExplanationLike = TensorLike | Explanation<unknown> | GradCam | Importance<unknown> | TensorsOf

export interface ExplanationParts {
  /** [features] or [rows, features]; a map of images. */
  readonly attributions: Tensor
  /** The names of the features; null if they are positions. */
  readonly names: readonly string[] | null
  /** The explained output of each row; null if only attributions are known. */
  readonly value: Tensor | null
  /** The output for the baseline; null if the method has none. */
  readonly baseValue: Tensor | null
  /** What permutationImportance returns besides the importances; null for other methods. */
  readonly importance: { readonly deviations: Tensor; readonly score: number } | null
}

/** What the tensors are: rows of attributions, or a number for each feature. */
type Kind = 'attributions' | 'importances'

/** @throws ArgumentError for maps of several inputs */
export function readExplanation(where: string, explanation: ExplanationLike): ExplanationParts {
  const plain = { value: null, baseValue: null, importance: null }
  if (!isRecord(explanation) || isShaped(explanation))
    return { attributions: toTensor(explanation, where, 'float32'), names: null, ...plain }
  if ('heatMap' in explanation) return { ...joined(where, explanation['heatMap'], 'attributions'), ...plain }
  if ('importances' in explanation) {
    const { importances, deviations, score } = explanation
    return {
      ...joined(where, importances, 'importances'),
      ...plain,
      importance: { deviations: joined(where, deviations, 'importances').attributions, score: Number(score) },
    }
  }
  if (!('attributions' in explanation)) return { ...joined(where, explanation, 'attributions'), ...plain }
  const { attributions, value, baseValue } = explanation
  return {
    ...joined(where, attributions, 'attributions'),
    value: value instanceof Tensor ? value : null,
    baseValue: baseValue instanceof Tensor ? baseValue : null,
    importance: null,
  }
}

/** Whether a record is data with a shape. */
function isShaped(record: Readonly<Record<string, unknown>>): boolean {
  return 'data' in record && 'shape' in record && !(record['data'] instanceof Tensor)
}

/** The tensor of one input unchanged; those of several inputs side by side, [rows, features], with the names of the features. */
function joined(where: string, tensors: unknown, kind: Kind): Pick<ExplanationParts, 'attributions' | 'names'> {
  const isTree = isBranch(tensors) && flatten(tensors).some((each) => each instanceof Tensor)
  if (!isTree) {
    if (isRecord(tensors) && !isShaped(tensors))
      throw new ArgumentError(
        `${where}: needs what a method of myelin/explain returns, or its attributions, received ${quoted(tensors)}`,
      )
    return { attributions: toTensor(tensors, where, 'float32'), names: null }
  }
  const names = leafNames(tensors)
  const inputs = flatten<unknown>(tensors).map((each, i) => {
    const { data, shape, rank, size } = toTensor(each, where, 'float32')
    if (rank < 1 || rank > 2)
      throw new ArgumentError(
        `${where}: the model has several inputs. Give the attributions of one of them, received ${formatShape(shape)} for ${quoted(names[i])}`,
      )
    const rows = kind === 'importances' ? 1 : shape[0]!
    return { name: names[i]!, rows, width: size / rows, data }
  })
  const { rows, name: first } = inputs[0]!
  const odd = inputs.find((each) => each.rows !== rows)
  if (odd !== undefined)
    throw new ShapeError(
      `${where}: all inputs must have as many rows, ${quoted(first)} has ${rows} and ${quoted(odd.name)} has ${odd.rows}`,
    )
  const features = inputs.flatMap(({ name, width }) =>
    width === 1 ? [name] : Array.from({ length: width }, (_, i) => `${name} ${i}`),
  )
  const data = new Float32Array(rows * features.length)
  let begin = 0
  for (const { width, data: block } of inputs) {
    for (let row = 0; row < rows; row++)
      data.set(block.subarray(row * width, (row + 1) * width), row * features.length + begin)
    begin += width
  }
  return { attributions: new Tensor(data, [rows, features.length], 'float32'), names: features }
}
