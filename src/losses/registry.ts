// Losses by name, including 'crossentropy', and custom functions as losses.

import { normalizeName } from '../core/errors'
import { Registry, camelCase, customFunction, type ClassesIn } from '../core/registry'
import type { Tensor } from '../ops/tensor'
import { BinaryCrossentropy, CategoricalCrossentropy, SparseCategoricalCrossentropy } from './crossentropies'
import type * as all from './'
import { Loss } from './loss'
import * as named from './named'
import { SHORT_NAMES, type LossFunction } from './names'
import { UNKNOWN_SHAPES, targetKind, type TargetShapes } from './targets'

/** A custom function as a loss. */
class FunctionLoss extends Loss {
  constructor(
    private readonly fn: LossFunction,
    name: string,
  ) {
    super({ name })
  }
  call(yTrue: Tensor, yPred: Tensor): Tensor {
    return this.fn(yTrue, yPred)
  }
}

// CTC cannot be chosen by name, because every bundle that contains compile() would then include its loop.
const unnamed = { CTC: true } satisfies Record<Exclude<ClassesIn<typeof all>, keyof typeof named>, true>

export const losses = /* @__PURE__ */ new Registry('loss', Loss, () => named, { aliases: SHORT_NAMES, unnamed })

function crossentropyFor(shapes: TargetShapes, name: string): Loss {
  const kinds: Record<ReturnType<typeof targetKind>, new (options: { name: string }) => Loss> = {
    binary: BinaryCrossentropy,
    sparse: SparseCategoricalCrossentropy,
    oneHot: CategoricalCrossentropy,
  }
  return new kinds[targetKind(shapes)]({ name })
}

/**
 * A loss from a name, an instance, a saved configuration or a function; a name may be that of a custom object. The
 * identifier may come from users unchecked: this checks it.
 * @param shapes decide what 'crossentropy', or 'ce', means
 */
export function getLoss(identifier: unknown, shapes: TargetShapes = UNKNOWN_SHAPES): Loss {
  const fn = customFunction<LossFunction>(identifier)
  if (fn !== null) return new FunctionLoss(fn.call, fn.name || 'loss')
  if (typeof identifier !== 'string') return losses.get(identifier)
  if (['crossentropy', 'ce'].includes(normalizeName(identifier))) return crossentropyFor(shapes, camelCase(identifier))
  if (!losses.knows(identifier)) throw losses.unknown(identifier, ['crossentropy'])
  return losses.get(identifier)
}
