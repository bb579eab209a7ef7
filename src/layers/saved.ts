// Saves and restores layers by their class and configuration. This module names no class: the code that reads a file opens a
// scope with all classes, so that other pages contain only the layers that they use.
//
// A layer that several models hold, such as a nested model that is used directly and inside another one, is written once. Its
// first place has the number `shared`, all others only `{ className, config: {}, sharedWith: number }`.

import { FormatError, unknownName } from '../core/errors'
import {
  PASS_YOUR_OWN,
  construct,
  customObject,
  serialize,
  type Config,
  type Json,
  type Serialized,
} from '../core/registry'
import { scoped } from '../core/scope'
import { Layer, type LayerBase } from './layer'

type SavedLayer = {
  readonly className: string
  readonly config: Config
  shared?: number
  sharedWith?: number
}

/** The layers written and read within the outermost model. */
interface Sharing {
  readonly written: Map<LayerBase, SavedLayer>
  readonly read: Map<Json, LayerBase>
  count: number
}

const sharing = scoped<Sharing | null>(null)

/** Runs `body`, which writes or reads a model: a layer that occurs again within the outermost model is the same one. */
export function withSharing<Result>(body: () => Result): Result {
  return sharing.within(sharing.current ?? { written: new Map(), read: new Map(), count: 0 }, body)
}

/** The class name and configuration of a layer; a number for one that was written before. */
export function layerToConfig(layer: LayerBase): Json {
  const known = sharing.current?.written.get(layer)
  if (known !== undefined) {
    known.shared ??= sharing.current!.count++
    return { className: known.className, config: {}, sharedWith: known.shared }
  }
  const saved: SavedLayer = serialize(layer)
  sharing.current?.written.set(layer, saved)
  return saved
}

/**
 * A layer from its class name and configuration; the class is looked for among the custom objects in scope.
 * @throws ArgumentError if it is not there; FormatError for a reference to a layer that was not read before
 */
export function layerFromConfig(saved: Serialized): LayerBase {
  const { shared, sharedWith }: SavedLayer = saved
  if (sharedWith !== undefined) {
    const known = sharing.current?.read.get(sharedWith)
    if (known !== undefined) return known
    throw new FormatError(
      `The file is damaged: it refers to shared layer ${String(sharedWith)}, which is not made before`,
    )
  }
  const layer = construct(customObject(saved.className), saved.config)
  if (!(layer instanceof Layer)) throw unknownName('layer', saved.className, [], ` ${PASS_YOUR_OWN}`)
  if (shared !== undefined) sharing.current?.read.set(shared, layer)
  return layer
}
