// What happens when an option of a layer is set after its construction: options that weights and parts depend on are
// fixed once the layer is built; any other change recompiles the programs of models with the layer.

import { StateError } from '../core/errors'
import { optionsOf } from '../core/options'
import { constantsChanged, listsOf, reading, stateOf } from './weights'

/** Options that no code reads after construction: they are fixed once the layer is built. */
const FIXED = ['inputShape', 'inputDim', 'dtype', 'seed']

/** What a layer answers about its options. */
interface Watched {
  /** Options that the constructor reads, besides `seed`. */
  readonly constructorOptions: readonly string[]
  /** The names of the options that all layers have. */
  readonly common: object
  /** Checks options against each other. */
  check(): void
  /** The types of the outputs, for errors. */
  outputText(): string
}

/** Runs `build`. An option that it reads is fixed from then on. */
export function watchingOptions(layer: object, watched: Watched, build: () => void): void {
  const state = stateOf(layer)
  if (state.fixed === null) watchOptions(layer, watched)
  state.fixed = new Set([...FIXED, ...watched.constructorOptions])
  reading.within(layer, build)
}

function watchOptions(layer: object, watched: Watched): void {
  for (const [name, { read }] of Object.entries(optionsOf(layer.constructor))) {
    // `trainable` has its own accessor, and a change of `name` needs no compilation.
    if (name === 'name' || !Object.hasOwn(layer, name)) continue
    let value: unknown = Reflect.get(layer, name)
    Object.defineProperty(layer, name, {
      enumerable: true,
      get: () => {
        if (reading.current === layer) stateOf(layer).fixed!.add(name)
        return value
      },
      set: (given: unknown) => {
        const before = value
        if (given === before) return
        changeOption(layer, name, watched, () => {
          value = read(given, `${layer}: ${name}`)
          return () => (value = before)
        })
      },
    })
  }
}

/** @param set stores the new value and returns a function that restores the old one */
function changeOption(layer: object, name: string, watched: Watched, set: () => () => void): void {
  const { fixed, builtFor } = stateOf(layer)
  const refuse = (why: string): never => {
    throw new StateError(`${layer}: ${name} cannot change any more, because ${why}`)
  }
  if (builtFor !== null && fixed!.has(name))
    refuse(
      'the layer was made with it. Set it before the layer is built, or make another layer; cloneModel(model, { cloneFunction }) makes a model with others.',
    )
  const part = listsOf(layer).layers.find(
    (each) => each !== layer && name in optionsOf(each.constructor) && !(name in watched.common),
  )
  if (part !== undefined) refuse(`${part} within it was made with it. Set it there.`)
  const before = watched.outputText()
  const undo = set()
  try {
    watched.check()
    const after = watched.outputText()
    if (after !== before)
      refuse(
        `the output would be ${after} and no longer ${before}, for which the layers behind it were made. Make another layer.`,
      )
  } catch (error) {
    undo()
    throw error
  }
  constantsChanged(layer)
}
