// Options of a layer that are set after its construction. Options on which weights and parts depend are fixed once the
// layer is built; a change of another option recompiles the programs of models with the layer.

import { StateError } from '../core/errors'
import { optionsOf } from '../core/options'
import { building, constantsChanged, listsOf, stateOf } from './weight-lists'

/**
 * Runs `build`. An option that it reads is fixed from then on.
 * @param fixed options that are fixed anyway
 * @param common the options that all layers have
 * @param check checks options against each other
 * @param outputText the types of the outputs, for errors
 */
export function watchingOptions(
  layer: object,
  fixed: readonly string[],
  common: object,
  check: () => void,
  outputText: () => string,
  build: () => void,
): void {
  const state = stateOf(layer)
  if (state.fixed === null) watchOptions(layer, common, check, outputText)
  state.fixed = new Set(fixed)
  building.within({ ...building.current, reader: layer }, build)
}

function watchOptions(layer: object, common: object, check: () => void, outputText: () => string): void {
  for (const [name, { read }] of Object.entries(optionsOf(layer.constructor))) {
    // `trainable` has its own accessor, and a change of `name` needs no compilation.
    if (name === 'name' || !Object.hasOwn(layer, name)) continue
    let value: unknown = Reflect.get(layer, name)
    Object.defineProperty(layer, name, {
      enumerable: true,
      get: () => {
        if (building.current.reader === layer) stateOf(layer).fixed!.add(name)
        return value
      },
      set: (assigned: unknown) => {
        const before = value
        if (assigned === before) return
        requireChangeable(layer, name, common)
        const text = outputText()
        try {
          value = read(assigned, `${layer}: ${name}`)
          check()
          const after = outputText()
          if (after !== text)
            refuse(
              layer,
              name,
              `the output would be ${after}, but the layers behind it were made for ${text}. Make another layer.`,
            )
        } catch (error) {
          value = before
          throw error
        }
        constantsChanged(layer)
      },
    })
  }
}

/** @throws StateError for an option on which the layer or a part of it depends */
function requireChangeable(layer: object, name: string, common: object): void {
  const { fixed, builtFor } = stateOf(layer)
  if (builtFor !== null && fixed!.has(name))
    refuse(
      layer,
      name,
      'the layer was made with it. Make another layer, or set it before; cloneModel(model, { cloneFunction }) replaces layers.',
    )
  const part = listsOf(layer).layers.find(
    (each) => each !== layer && name in optionsOf(each.constructor) && !(name in common),
  )
  if (part !== undefined) refuse(layer, name, `${part} within it was made with it. Set it there.`)
}

function refuse(layer: object, name: string, why: string): never {
  throw new StateError(`${layer}: ${name} cannot change any more, because ${why}`)
}
