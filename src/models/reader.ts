// Creates models from configurations. A model that is made in code names neither the code that reads graphs nor the classes of layers, so
// that a bundle has only the layers that it uses. A customObjectScope brings the reader, and the loader of the program has both.

import { ArgumentError } from '../core/errors'
import { fileScope, withFile, type SymbolsOfGraph } from '../core/file-scope'
import { customObjectScope, defaultObjectScope, type Config, type CustomObjects } from '../core/registry'
import { fileLoader } from './file-loader'

/** Runs `body` with these classes, also where those of the whole library are known. */
export function withOnlyClasses<Result>(classes: CustomObjects, body: () => Result): Result {
  return withFile({ hasOnlyGivenClasses: true }, () => defaultObjectScope(classes, body))
}

/** Runs `body` with the classes of the library, as far as they are known here, and the user's. */
export function withKnownClasses<Result>(custom: CustomObjects, body: () => Result): Result {
  const loader = fileScope().hasOnlyGivenClasses === true ? null : fileLoader()
  return defaultObjectScope(loader?.classes() ?? {}, () => customObjectScope(custom, body))
}

/** The symbols of a functional model. */
export function graphFromConfig(config: Config): SymbolsOfGraph {
  const read = fileScope().readGraph ?? fileLoader()?.readGraph
  if (read !== undefined) return read(config)
  throw new ArgumentError(
    'Give the classes: customObjectScope({ Dense }, () => Model.fromConfig(config)), or use modelFromJSON',
  )
}
