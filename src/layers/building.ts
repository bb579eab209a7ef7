// Building a layer, once: its weights and those of its inner layers for the specs of its input. If it fails, no weights
// remain.

import { ArgumentError, quoted } from '../core/errors'
import type { OptionTable } from '../core/options'
import { flatten, isRecord, mapTree, type Tree } from '../core/tree'
import { untraced } from '../ops/trace'
import { place } from '../ops/variable'
import { currentPath, withinPath, withoutFrame } from './context'
import { outputSpecs, traceOnce } from './inference'
import { callBuildOfClass, type LayerLike } from './layer-like'
import { placing, requireForm } from './running'
import { TensorSpec, shapesOf, specsFrom } from './spec'
import { inputDtypeOf, traitsOf } from './traits'
import { watchingOptions } from './watched-options'
import { building, partsChanged, partsOf, stateOf, unbuild } from './weight-lists'

/** Options that no code reads after construction: they are fixed once the layer is built. */
const FIXED = ['inputShape', 'inputDim', 'dtype', 'seed']

/** The options of a layer that is built. */
export interface WatchedOptions {
  /** The options of all layers: another layer that reads them does not make its parts depend on them. */
  readonly common: OptionTable
  /** Checks options against each other. */
  readonly check: () => void
}

/** Builds a layer for an input. */
export function buildOnce(layer: LayerLike, input: Tree<TensorSpec>, options: WatchedOptions): void {
  const specs = traitsOf(layer).inputSpecs?.(layer, input) ?? input
  const log = building.current.built ?? []
  try {
    // The first call may be inside a trace; weights are created outside of it.
    building.within({ ...building.current, built: log }, () =>
      untraced(() =>
        withoutFrame(() =>
          withinOwnPath(layer, () => {
            stateOf(layer).path = place.current.path.join('/')
            placing(layer, () => buildParts(layer, specs, options))
          }),
        ),
      ),
    )
    stateOf(layer).builtFor = specs
    log.push(layer)
    partsChanged(layer)
  } catch (error) {
    for (const each of [layer, ...log]) unbuild(each)
    throw error
  }
}

function withinOwnPath<Result>(layer: LayerLike, body: () => Result): Result {
  const isPathRoot = traitsOf(layer).isPathRoot ?? false
  return withinPath(layer.name, body, !isPathRoot || currentPath().length > 0)
}

function buildParts(layer: LayerLike, specs: Tree<TensorSpec>, { common, check }: WatchedOptions): void {
  const { constructorOptions = [], buildTree } = traitsOf(layer)
  watchingOptions(
    layer,
    [...FIXED, ...constructorOptions],
    common,
    check,
    () => outputText(layer),
    () => (buildTree === undefined ? buildByClass(layer, specs) : buildTree(layer, specs)),
  )
  // Inner layers create their weights when they are called: call this layer on symbols once.
  if (partsOf(layer).sublayers.some((inner) => stateOf(inner).builtFor === null)) traceOnce(layer, specs)
}

/** Calls the method `build`. */
export function buildByClass(layer: LayerLike, specs: Tree<TensorSpec>): void {
  requireForm(layer, specs)
  callBuildOfClass(layer, [shapesOf(specs), specs])
}

/** The types of the outputs, for errors. */
function outputText(layer: LayerLike): string {
  const { builtFor } = stateOf(layer)
  return builtFor === null ? '' : flatten(outputSpecs(layer, builtFor)).join(' and ')
}

/** `layer.build(inputShape)` of users: builds the layer once, or checks that it fits. The batch may have any size. */
export function buildFor(layer: LayerLike, input: unknown): void {
  const shapes = isRecord(input) && 'inputShape' in input ? input['inputShape'] : input
  // Models without a shape are built for the first data.
  if (shapes == null && (layer.built || 'compile' in layer)) return
  const specs = mapTree(specsFrom(shapes), ({ shape, dtype }) => {
    if (shape.length === 0 || !shape.every((extent) => extent === null || extent > 0))
      throw new ArgumentError(`${layer}: build needs a shape such as [null, 4], received ${quoted(input)}`)
    // Shapes have no dtype: the first layer knows its own.
    return new TensorSpec([null, ...shape.slice(1)], dtype === 'float32' ? inputDtypeOf(layer) : dtype)
  })
  if (layer.built) outputSpecs(layer, specs)
  else layer.ensureBuilt(specs)
}
