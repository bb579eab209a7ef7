// Connects models with files of weights besides the safetensors of this library, and with copies of a model at one time. A model that is
// made in code does not know their code: see format-hook.ts.

import type { LayerBase } from '../layers/layer'
import type { ByteSource } from '../engine/runtime/platform'
import type { TrainingState } from '../training/state'

/** A model, as far as files use it. */
export interface TrainedLayer extends LayerBase {
  readonly training: TrainingState
}

/** Runs a function on a model as it was. */
export type AtThatTime = <Result>(read: () => Result) => Result

export interface WeightFiles {
  /** The bytes of the weights, in the format of a path. */
  save(model: TrainedLayer, path: string | URL | undefined, options: object): Promise<Uint8Array>
  /** Loads the weights of a file into a model. */
  load(model: TrainedLayer, source: ByteSource, options: object): Promise<void>
}

/** null where no other files are known. */
let known: WeightFiles | null = null

export function findWeightFilesWith(given: WeightFiles | null): void {
  known = given
}

export function knownWeightFiles(): WeightFiles | null {
  return known
}
