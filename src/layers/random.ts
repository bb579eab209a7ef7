// What everything that draws random numbers shares: its seed.

import { integer, nullable, option } from '../core/options'
import { SeedGenerator } from '../ops/random'

export const seedOption = () => ({
  /** The seed of the random numbers. Default null: derived from setRandomSeed. */
  seed: option(nullable(integer()), null),
})

/** The stream of a layer's random numbers. */
export function generatorOf({ seed, name }: { readonly seed: number | null; readonly name: string }): SeedGenerator {
  return new SeedGenerator(seed ?? undefined, `${name}/seedGenerator`)
}
