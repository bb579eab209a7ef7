// A model as bytes: architecture, weights, what compile chose, optimizer state and the positions of random
// streams, so that training resumes bit for bit. Loading is in load.ts.

import type { Variable } from '../ops/variable'
import { serialize } from '../core/registry'
import type { Model } from '../models/model'
import type { NamedTensor } from './safetensors'
import { encodeContainer } from './safetensors'

export const FORMAT = 'myelin'
export const VERSION = 1

function named(prefix: string, variables: readonly Variable[]): { key: string; variable: Variable }[] {
  return variables.map((variable, i) => ({ key: `${prefix}/${i}/${variable.name}`, variable }))
}

/** All variables of a model under the keys they are saved by. */
export function savedVariables(model: Model): { key: string; variable: Variable }[] {
  const optimizer = model.compiledState?.optimizer
  return [
    ...named('weights', model.weights),
    ...named('state', model.stateVariables),
    ...(optimizer === undefined ? [] : named('optimizer', optimizer.variables)),
  ]
}

/** The bytes of a model. */
export function saveModel(model: Model): Uint8Array {
  const compiled = model.compiledState
  const description = {
    format: FORMAT,
    version: VERSION,
    model: serialize(model),
    compile: compiled === null ? null : compiled.serialize(),
    optimizerFor: (compiled?.optimizer.builtFor ?? []).map((weight) => model.weights.indexOf(weight)),
    frozen: model.weights.flatMap((weight, i) => (weight.trainable ? [] : [i])),
    shuffle: { ...model.shuffleState },
  }
  const tensors = savedVariables(model).map(({ key, variable }): NamedTensor => {
    return { name: key, shape: variable.shape, data: variable.value.data }
  })
  return encodeContainer(tensors, { format: FORMAT, description: JSON.stringify(description) })
}
