// Reads what a method of `myelin/explain` returns.

import { ArgumentError, quoted } from '../core/errors'
import type { Explanation } from '../explain/explained'
import type { GradCam } from '../explain/grad-cam'
import type { TensorLike } from '../ops/convert'
import { toTensor } from '../ops/convert'
import { Tensor } from '../ops/tensor'

/** What a method of `myelin/explain` returns, or its attributions. */
export type ExplanationLike = TensorLike | Explanation | GradCam

export interface GivenExplanation {
  readonly attributions: Tensor
  /** The explained number of each row; null if only attributions are given. */
  readonly value: Tensor | null
  /** That of the baseline; null if the method has none. */
  readonly baseValue: Tensor | null
}

/** @throws ArgumentError for the attributions of several inputs */
export function readExplanation(where: string, given: ExplanationLike): GivenExplanation {
  const { map, value, baseValue } = partsOf(given)
  if (
    typeof map === 'object' &&
    map !== null &&
    !Array.isArray(map) &&
    !ArrayBuffer.isView(map) &&
    !(map instanceof Tensor)
  )
    throw new ArgumentError(
      `${where}: the model has several inputs. Give the attributions of one of them, received ${quoted(map)}`,
    )
  return { attributions: toTensor(map, where, 'float32'), value, baseValue }
}

function partsOf(given: ExplanationLike): Omit<GivenExplanation, 'attributions'> & { readonly map: TensorLike } {
  if (typeof given === 'object' && given !== null && !(given instanceof Tensor)) {
    if ('heatMap' in given) return { map: given.heatMap, value: null, baseValue: null }
    if ('attributions' in given) {
      const { attributions, value } = given
      return {
        map: attributions,
        value,
        baseValue: 'baseValue' in given && given.baseValue instanceof Tensor ? given.baseValue : null,
      }
    }
  }
  return { map: given as TensorLike, value: null, baseValue: null }
}
