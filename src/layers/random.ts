// The seed of layers that draw random numbers, and their stream.

import { integer, nullable, option } from '../core/options'
import { SeedGenerator } from '../ops/random/generator'

const seedRows = () => ({
  /** The seed of the random numbers. Default null: derived from setRandomSeed. */
  seed: option(nullable(integer()), null),
})
type SeedRows = ReturnType<typeof seedRows>
export type SeedTable = { [Name in keyof SeedRows]: SeedRows[Name] }
export const seedOption: () => SeedTable = seedRows

/** What determines the random numbers of a layer. */
export interface Seeded {
  readonly seed: number | null
  readonly name: string
}

/** The arguments of the SeedGenerator of a layer. */
export function streamOf({ seed, name }: Seeded): [seed: number | null, name: string] {
  return [seed, `${name}/seedGenerator`]
}

/** The stream of a layer's random numbers. */
export function generatorOf(layer: Seeded): SeedGenerator {
  return new SeedGenerator(...streamOf(layer))
}
