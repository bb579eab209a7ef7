// The base of layers that draw random numbers in training.

import { configured, integer, nullable, option } from '../../core/options'
import { SeedGenerator } from '../../ops/random'
import { ElementwiseLayer } from '../core/elementwise-layer'

/** The option of everything that draws random numbers. */
export const seedOption = () => ({
  /** The seed of the random numbers. Default null: derived from setRandomSeed. */
  seed: option(nullable(integer()), null),
})

export abstract class RandomLayer extends configured(ElementwiseLayer, seedOption) {
  protected readonly generator = new SeedGenerator(this.seed ?? undefined, `${this.name}/seedGenerator`)
}
