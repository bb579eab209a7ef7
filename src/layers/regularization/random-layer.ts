// The base of layers that draw random numbers while training.

import { configured, integer, nullable, option } from '../../core/options'
import { SeedGenerator } from '../../ops/random'
import { ElementwiseLayer } from '../core/elementwise-layer'

/** The option of everything that draws. */
export const seedOption = () => ({
  /** Fixes the numbers that are drawn; from setRandomSeed's when left out. */
  seed: option(nullable(integer()), null),
})

export abstract class RandomLayer extends configured(ElementwiseLayer, seedOption) {
  protected readonly generator = new SeedGenerator(this.seed ?? undefined, `${this.name}/seedGenerator`)
}
