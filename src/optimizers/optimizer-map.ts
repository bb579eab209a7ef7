// OptimizerMap: optimizers by the names of weights, in Keras's form. MultiOptimizer turns it into pairs.

import { ArgumentError, quoted } from '../core/errors'
import { patternOf } from './match'
import type { Optimizer } from './optimizer'

/** An optimizer, and an expression for the whole names of its weights; null for all weights that no other expression matches. */
export interface MappedOptimizer {
  readonly optimizer: Optimizer
  readonly match: RegExp | null
}

/**
 * An optimizer for each weight, by its name, and one for all others:
 *
 * ```ts
 * const map = new OptimizerMap(new SGD(0.1), { 'encoder/.*': new Adam(1e-3) })
 * model.compile({ optimizer: new MultiOptimizer(map), loss: 'mse' })
 * ```
 *
 * A key is a name such as `dense/kernel`, or the text of a regular expression that must match a whole name. A key that is
 * equal to the name precedes expressions.
 *
 * Keras: `keras.optimizers.OptimizerMap`; `map['encoder/.*'] = …` is `map.set('encoder/.*', …)` here.
 */
export class OptimizerMap {
  private readonly entries = new Map<string, Optimizer>()

  /**
   * @param defaultOptimizer for the weights that no key matches
   * @param optimizerMap optimizers by name or expression. Default: none
   * @throws ArgumentError for a key that is not a regular expression
   */
  constructor(
    readonly defaultOptimizer: Optimizer,
    optimizerMap: Readonly<Record<string, Optimizer>> = {},
  ) {
    for (const [key, optimizer] of Object.entries(optimizerMap)) this.set(key, optimizer)
  }

  /** @throws ArgumentError for a key that is present, or is not a regular expression */
  set(key: string, optimizer: Optimizer): this {
    if (this.entries.has(key)) throw new ArgumentError(`OptimizerMap: the key ${quoted(key)} is already present`)
    whole(key)
    this.entries.set(key, optimizer)
    return this
  }

  /** Removes a key. @returns whether it was present */
  delete(key: string): boolean {
    return this.entries.delete(key)
  }

  get size(): number {
    return this.entries.size
  }

  keys(): IterableIterator<string> {
    return this.entries.keys()
  }

  /**
   * The optimizer of the weight with this name.
   * @throws ArgumentError if several expressions match it
   */
  get(name: string): Optimizer {
    const exact = this.entries.get(name)
    if (exact !== undefined) return exact
    const found = [...this.entries].filter(([key]) => whole(key).test(name))
    if (found.length > 1)
      throw new ArgumentError(`OptimizerMap: ${found.map(([key]) => quoted(key)).join(' and ')} match ${name}`)
    return found[0]?.[1] ?? this.defaultOptimizer
  }

  /** Each optimizer once, the default one last. @internal */
  get pairs(): readonly MappedOptimizer[] {
    const all = [...this.entries]
    return [...new Set([...this.entries.values(), this.defaultOptimizer])].map((optimizer) => {
      const keys = all.filter(([, each]) => each === optimizer).map(([key]) => key)
      if (optimizer === this.defaultOptimizer) return { optimizer, match: null }
      // A name that is a key of another optimizer belongs to that optimizer, even if these expressions match it.
      const others = all.filter(([, each]) => each !== optimizer).map(([key]) => `${escaped(key)}$`)
      const exclusion = others.length === 0 ? '' : `(?!${others.join('|')})`
      return {
        optimizer,
        match: whole([...keys.map(escaped), ...keys.map((key) => `${exclusion}(?:${key})`)].join('|')),
      }
    })
  }
}

function escaped(key: string): string {
  return key.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}

/** @throws ArgumentError */
function whole(key: string): RegExp {
  try {
    return patternOf(`^(?:${key})$`)
  } catch (error) {
    throw new ArgumentError(`OptimizerMap: the key ${quoted(key)} is not a regular expression`, { cause: error })
  }
}
