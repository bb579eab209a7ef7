// Connects code that creates models from configurations with the code that reads graphs and knows the classes of layers. A
// model that is made in code names neither, so that a bundle has only the layers that it uses: loadModel and modelFromJSON name
// them, customObjectScope sets the reader, and the entry for Node sets both.

import { ArgumentError } from '../core/errors'
import { fileScope, withFile } from '../core/file-scope'
import { customObjectScope, defaultObjectScope, type Config, type CustomObjects } from '../core/registry'
import type { Tree } from '../core/tree'
import type { Tensor } from '../ops/tensor'

export type GraphReader = (config: Config) => { inputs: Tree<Tensor>; outputs: Tree<Tensor> }

let reader: GraphReader | null = null
let classes: (() => CustomObjects) | null = null

export function readGraphsWith(given: GraphReader): void {
  reader = given
}

export function findClassesWith(given: () => CustomObjects): void {
  classes = given
}

/** Runs `body` with these classes, also where those of the whole library are known. */
export function withOnlyClasses<Result>(given: CustomObjects, body: () => Result): Result {
  return withFile({ hasOnlyGivenClasses: true }, () => defaultObjectScope(given, body))
}

/** Runs `body` with the classes of the library, as far as they are known here, and the user's. */
export function withKnownClasses<Result>(custom: CustomObjects, body: () => Result): Result {
  const known = fileScope().hasOnlyGivenClasses === true ? null : classes
  return defaultObjectScope(known?.() ?? {}, () => customObjectScope(custom, body))
}

/** The symbols of a functional model. */
export function graphFromConfig(config: Config): { inputs: Tree<Tensor>; outputs: Tree<Tensor> } {
  if (reader !== null) return reader(config)
  throw new ArgumentError(
    'Give the classes: customObjectScope({ Dense }, () => Model.fromConfig(config)), or use modelFromJSON',
  )
}
