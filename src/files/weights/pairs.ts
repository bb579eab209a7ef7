// Pairs the layers of a model with the modules of a file: by what fits, then by names, then by numbers in names. Never by a guess.

import { naturalOrder } from '../../core/text'
import type { LayerBase } from '../../layers/layer'
import { Bidirectional, StackedRNNCells } from '../../layers'
import { symbolsByKey, walkBack } from '../../models/graph-order'
import { LayerGraph } from '../../models/layer-graph'
import { replayedBy } from '../../layers/traits'

/** A layer with weights, with its place in the model. */
interface Placed {
  /** The layers from the model to this one. */
  readonly trail: readonly LayerBase[]
}

interface Named {
  readonly name: string
}

/** Layers and modules, each in order. */
export interface Group<Layer, Module> {
  readonly layers: readonly Layer[]
  readonly modules: readonly Module[]
}

export interface Pairs<Layer, Module> {
  readonly pairs: ReadonlyMap<Layer, Module>
  /** Those without a partner. */
  readonly left: Group<Layer, Module>
  /** Groups in which each module fits several layers, or several modules fit a layer, and nothing tells which is which. */
  readonly unclear: readonly Group<Layer, Module>[]
}

/** What is compared. */
export interface Rules<Layer, Module> {
  fits(module: Module, layer: Layer): boolean
  /** Equal for layers that the same modules fit. */
  likeness(layer: Layer): string
}

/** @param modules in the order of the file */
export function pairsOf<Layer extends Placed, Module extends Named>(
  layers: readonly Layer[],
  modules: readonly Module[],
  rules: Rules<Layer, Module>,
): Pairs<Layer, Module> {
  const backward = new Set(layers.filter(isBackward))
  const whole: Rules<Layer, Module> = {
    fits: (module, layer) => backward.has(layer) === module.name.endsWith('_reverse') && rules.fits(module, layer),
    likeness: (layer) => `${rules.likeness(layer)} ${backward.has(layer)}`,
  }
  const pairs = new Map<Layer, Module>()
  const left = { layers: [] as Layer[], modules: [] as Module[] }
  const unclear: Group<Layer, Module>[] = []
  for (const group of groupsOf(layers, modules, whole)) {
    const found = group.layers.length === group.modules.length ? told(group, whole) : null
    if (found !== null) group.layers.forEach((layer, i) => pairs.set(layer, found[i]!))
    else if (group.layers.length > 0 && group.modules.length > 0) unclear.push(group)
    else {
      left.layers.push(...group.layers)
      left.modules.push(...group.modules)
    }
  }
  return { pairs, left, unclear }
}

/** The smallest groups outside of which nothing fits; a module that fits nothing is alone in its group. */
function groupsOf<Layer, Module>(
  layers: readonly Layer[],
  modules: readonly Module[],
  { fits, likeness }: Rules<Layer, Module>,
): readonly Group<Layer, Module>[] {
  // The first layer of each kind stands for the others. Kinds that one module fits have the same root.
  const firsts = new Map<string, Layer>()
  for (const layer of layers) if (!firsts.has(likeness(layer))) firsts.set(likeness(layer), layer)
  const roots = new Map([...firsts.keys()].map((kind) => [kind, kind]))
  const rootOf = (kind: string): string => {
    let root = kind
    while (roots.get(root) !== root) root = roots.get(root)!
    return root
  }
  const kinds = modules.map((module): string | null => {
    const [first, ...others] = [...firsts].filter(([, layer]) => fits(module, layer)).map(([kind]) => rootOf(kind))
    for (const other of others) roots.set(other, first!)
    return first ?? null
  })
  const groups = new Map([...roots.keys()].map((kind) => [kind, { layers: [] as Layer[], modules: [] as Module[] }]))
  const alone: Group<Layer, Module>[] = []
  for (const layer of layers) groups.get(rootOf(likeness(layer)))!.layers.push(layer)
  modules.forEach((module, i) => {
    const kind = kinds[i]
    if (kind == null) alone.push({ layers: [], modules: [module] })
    else groups.get(rootOf(kind))!.modules.push(module)
  })
  return [...groups.values(), ...alone]
}

/** The module of each layer, if the shapes, the names, or numbers in them tell it; otherwise null. */
function told<Layer extends Placed, Module extends Named>(
  { layers, modules }: Group<Layer, Module>,
  { fits, likeness }: Rules<Layer, Module>,
): readonly Module[] | null {
  if (layers.length === 1) return modules
  const names = new Map(modules.map((module) => [plain(module.name), module]))
  const named = layers.flatMap((layer) => names.get(nameOf(layer)) ?? [])
  if (new Set(named).size === layers.length) return named.every((module, i) => fits(module, layers[i]!)) ? named : null
  const isNumbered = new Set(modules.map(({ name }) => name.replaceAll(/\d+/g, '#'))).size === 1
  const order = naturalOrder()
  const isInOrder = modules.every(({ name }, i) => i === 0 || order(modules[i - 1]!.name, name) < 0)
  const areAlike = new Set(layers.map(likeness)).size === 1
  const isChain = layers.every((layer, i) => i === 0 || isBefore(layers[i - 1]!.trail, layer.trail))
  return isNumbered && isInOrder && areAlike && isChain ? modules : null
}

const plain = (name: string): string => name.replaceAll(/[^A-Za-z0-9]+/g, '_')

const nameOf = ({ trail }: Placed): string =>
  plain(
    trail
      .slice(1)
      .map(({ name }) => name)
      .join('_'),
  )

/** Whether a layer is the backward one of a Bidirectional, whose module in PyTorch ends with `_reverse`. */
const isBackward = ({ trail }: Placed): boolean =>
  trail.some((layer, i) => {
    const outer = trail[i - 1]
    return outer instanceof Bidirectional && outer.backwardLayer === layer
  })

const placeIn = (layers: readonly object[], layer: object): number => layers.indexOf(layer)

/** Whether a layer needs the result of another one, so that no other order is possible. */
function isBefore(one: readonly LayerBase[], other: readonly LayerBase[]): boolean {
  const at = one.findIndex((layer, i) => layer !== other[i])
  const [outer, before, after] = [one[at - 1], one[at], other[at]]
  if (before === undefined || after === undefined) return false
  if (outer instanceof StackedRNNCells) return placeIn(outer.cells, before) < placeIn(outer.cells, after)
  const graph = outer === undefined ? null : replayedBy(outer)
  if (!(graph instanceof LayerGraph)) return false
  const call = graph.calls.find(({ layer }) => layer === after)
  if (call === undefined) return false
  const { met } = walkBack(new Set(symbolsByKey(graph.inputs)), [call.input, call.options])
  return [...met].some((node) => 'layer' in node && node.layer === before)
}
