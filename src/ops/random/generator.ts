// Where random tensors get their numbers from: a seed, a generator, or the global seed.

import { custom, integer, nullable, option, text } from '../../core/options'
import { seedWord } from '../../core/threefry'
import type { Shape } from '../../core/shapes'
import { readArguments, requireInteger } from '../arguments'
import { add } from '../numpy/elementwise'
import { Tensor } from '../tensor'
import { apply, currentTrace, untraced } from '../trace'
import { Variable } from '../variable'
import { nextSeed, timeDrawn } from './seed'

const generatorTable = /* @__PURE__ */ (() => ({
  seed: option(nullable(integer()), null),
  name: option(text, 'seedGenerator'),
}))()

export interface SeedGeneratorOptions {
  /** Default null: derived from `setRandomSeed`. */
  readonly seed?: number | null
  /** The name of its state. Default seedGenerator. */
  readonly name?: string | null
}

/**
 * A stream of random numbers with a state. In a traced function, every run advances it by one step.
 *
 *   const generator = new SeedGenerator(7)
 *   random.normal([2], { seed: generator })
 *
 * Keras: `keras.random.SeedGenerator`.
 */
export class SeedGenerator {
  /** The seed and the number of draws. */
  readonly state: Variable
  /** The seed and the name at the beginning. */
  readonly #config: { readonly seed: number; readonly name: string }

  constructor(...args: [seed?: number | null | SeedGeneratorOptions, name?: string | null | SeedGeneratorOptions]) {
    const read = readArguments('SeedGenerator', generatorTable, ...args)
    const seed = read.seed ?? nextSeed()
    this.#config = { ...read, seed }
    const key = new Tensor(Int32Array.of(seedWord(seed), 0), [2], 'int32')
    this.state = new Variable(key, { name: read.name, trainable: false })
  }

  /** The name of its state. */
  get name(): string {
    return this.state.name
  }

  /** The options of a stream that begins where this one began: its name and seed, also a seed that was derived. */
  getConfig(): { readonly seed: number; readonly name: string } {
    return this.#config
  }

  /** A stream from the result of `getConfig`. It begins anew. */
  static fromConfig(config: SeedGeneratorOptions): SeedGenerator {
    return new SeedGenerator(config)
  }

  /** The key of the next draw. */
  next(): Tensor {
    const key = this.state.value
    this.state.assign(add(key, new Tensor(Int32Array.of(0, 1), [2], 'int32')))
    return key
  }
}

export type Seed = number | SeedGenerator | null

export interface RandomOptions {
  /** A number gives the same result every time, a generator a new one each time. */
  readonly seed?: Seed
}

function readSeed(seed: unknown, what: string): Seed {
  return seed === null || seed instanceof SeedGenerator ? seed : requireInteger(what, seed)
}

/** A number, a generator or null. */
export const seedKind = /* @__PURE__ */ custom<Seed>(readSeed, () => null)

/** The key of a draw. */
export function keyOf(seed: Seed): Tensor {
  if (seed instanceof SeedGenerator) return seed.next()
  // A traced function runs many times, so each call that draws has a separate stream.
  if (seed === null && currentTrace() !== null) return untraced(() => new SeedGenerator()).next()
  return new Tensor(Int32Array.of(seedWord(seed ?? nextSeed()), timeDrawn()), [2], 'int32')
}

/** The numbers of one draw: each stream is another tensor of uniform numbers in [0, 1), multiples of 2⁻²³. */
export function streamsOf(shape: Shape, seed: Seed): (stream: number) => Tensor {
  const key = keyOf(seed)
  return (stream) => apply('uniform', [key], { shape: [...shape], stream })[0]!
}
