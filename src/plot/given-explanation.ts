// Reads what a method of `myelin/explain` returns.

import { ArgumentError, ShapeError, formatShape, quoted } from '../core/errors'
import { flatten, isBranch, leafNames } from '../core/tree'
import type { Explanation } from '../explain/explained'
import type { GradCam } from '../explain/grad-cam'
import type { Importance } from '../explain/importance'
import { toTensor, type TensorLike } from '../ops/convert'
import { Tensor } from '../ops/tensor'

/** Tensors by the names of columns, or in the structure of a model's inputs. */
type TensorsOf = Readonly<Record<string, unknown>>

/**
 * What a method of `myelin/explain` returns, or its attributions: of a TableModel by column, of a model with several inputs in their
 * structure.
 */
export type ExplanationLike = TensorLike | Explanation<unknown> | GradCam | Importance<unknown> | TensorsOf

export interface GivenExplanation {
  /** [features] or [rows, features]; a map of images. */
  readonly attributions: Tensor
  /** The names of the features; null if they are positions. */
  readonly names: readonly string[] | null
  /** The explained number of each row; null if only attributions are given. */
  readonly value: Tensor | null
  /** That of the baseline; null if the method has none. */
  readonly baseValue: Tensor | null
  /** Of importances, which permutationImportance returns; null for others. */
  readonly importance: { readonly deviations: Tensor; readonly score: number } | null
}

/** What the tensors are: rows of attributions, or a number for each feature. */
type Kind = 'attributions' | 'importances'

/** @throws ArgumentError for maps of several inputs */
export function readExplanation(where: string, given: ExplanationLike): GivenExplanation {
  const plain = { value: null, baseValue: null, importance: null }
  if (!isRecord(given) || isShaped(given))
    return { attributions: toTensor(given as TensorLike, where, 'float32'), names: null, ...plain }
  if ('heatMap' in given) return { ...joined(where, given['heatMap'], 'attributions'), ...plain }
  if ('importances' in given) {
    const { importances, deviations, score } = given
    return {
      ...joined(where, importances, 'importances'),
      ...plain,
      importance: { deviations: joined(where, deviations, 'importances').attributions, score: Number(score) },
    }
  }
  if (!('attributions' in given)) return { ...joined(where, given, 'attributions'), ...plain }
  const { attributions, value, baseValue } = given
  return {
    ...joined(where, attributions, 'attributions'),
    value: value instanceof Tensor ? value : null,
    baseValue: baseValue instanceof Tensor ? baseValue : null,
    importance: null,
  }
}

function isRecord(given: unknown): given is Readonly<Record<string, unknown>> {
  return isBranch(given) && !Array.isArray(given)
}

/** Whether a record is data with a shape. */
function isShaped(given: Readonly<Record<string, unknown>>): boolean {
  return 'data' in given && 'shape' in given && !(given['data'] instanceof Tensor)
}

/** Tensors of one input as they are; of several inputs side by side, [rows, features], with the names of the features. */
function joined(where: string, given: unknown, kind: Kind): Pick<GivenExplanation, 'attributions' | 'names'> {
  const isTree = isBranch(given) && flatten(given).some((each) => each instanceof Tensor)
  if (!isTree) {
    if (isRecord(given) && !isShaped(given))
      throw new ArgumentError(
        `${where}: needs what a method of myelin/explain returns, or its attributions, received ${quoted(given)}`,
      )
    return { attributions: toTensor(given as TensorLike, where, 'float32'), names: null }
  }
  const names = leafNames(given)
  const inputs = flatten<unknown>(given).map((each, i) => {
    const { data, shape, rank, size } = toTensor(each as TensorLike, where, 'float32')
    if (rank < 1 || rank > 2)
      throw new ArgumentError(
        `${where}: the model has several inputs. Give the attributions of one of them, received ${formatShape(shape)} for ${quoted(names[i])}`,
      )
    const rows = kind === 'importances' ? 1 : shape[0]!
    return { name: names[i]!, rows, width: size / rows, data }
  })
  const [{ rows, name: first }] = inputs as [(typeof inputs)[0]]
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
  for (const { width, data: own } of inputs) {
    for (let row = 0; row < rows; row++)
      data.set(own.subarray(row * width, (row + 1) * width), row * features.length + begin)
    begin += width
  }
  return { attributions: new Tensor(data, [rows, features.length], 'float32'), names: features }
}
