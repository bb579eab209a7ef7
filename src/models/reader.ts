// Connects code that creates models from configurations with the code that provides the classes of layers, by opening a
// scope: without a scope no layer can be created, so applications that load no models do not carry those classes.

import { ArgumentError } from '../core/errors'
import type { Config } from '../core/registry'
import type { Tree } from '../core/tree'
import type { Tensor } from '../ops/tensor'

export type GraphReader = (config: Config) => { inputs: Tree<Tensor>; outputs: Tree<Tensor> }

let reader: GraphReader | null = null

export function readGraphsWith(given: GraphReader): void {
  reader = given
}

/** The symbols of a functional model. */
export function graphFromConfig(config: Config): { inputs: Tree<Tensor>; outputs: Tree<Tensor> } {
  if (reader !== null) return reader(config)
  throw new ArgumentError(
    'The classes of layers are found by name only within customObjectScope(), loadModel and modelFromJSON',
  )
}
