// Pairs the layers of a model with the modules of a file: by what fits, then by names, then by numbers in names. Never by a guess.

import type { LayerBase } from '../layers/layer'
import { Bidirectional, StackedRNNCells } from '../layers'
import { symbolsByKey, walkBack } from '../models/graph-order'
import { LayerGraph } from '../models/layer-graph'

/** A layer with weights, with its place in the model. */
interface Placed {
  readonly path: string
  /** The layers from the model to this one. */
  readonly trail: readonly LayerBase[]
}

interface Named {
  readonly name: string
}

/** Layers and modules, each in order. */
export interface Group<Own, Module> {
  readonly layers: readonly Own[]
  readonly modules: readonly Module[]
}

export interface Pairs<Own, Module> {
  readonly pairs: ReadonlyMap<Own, Module>
  /** Those without a partner. */
  readonly left: Group<Own, Module>
  /** Groups in which each module fits several layers, or several modules fit a layer, and nothing tells which is which. */
  readonly unclear: readonly Group<Own, Module>[]
}

/** @param modules in the order of the file */
export function pairsOf<Own extends Placed, Module extends Named>(
  layers: readonly Own[],
  modules: readonly Module[],
  fits: (module: Module, own: Own) => boolean,
): Pairs<Own, Module> {
  const pairs = new Map<Own, Module>()
  const left = { layers: [] as Own[], modules: [] as Module[] }
  const unclear: Group<Own, Module>[] = []
  const backward = new Set(layers.filter(isBackward))
  const isSameWay = ({ name }: Module, own: Own): boolean => backward.has(own) === name.endsWith('_reverse')
  for (const group of groupsOf(layers, modules, (module, own) => isSameWay(module, own) && fits(module, own))) {
    const found = group.layers.length === group.modules.length ? told(group.layers, group.modules, fits) : null
    if (found !== null) group.layers.forEach((own, i) => pairs.set(own, found[i]!))
    else if (group.layers.length > 0 && group.modules.length > 0) unclear.push(group)
    else {
      left.layers.push(...group.layers)
      left.modules.push(...group.modules)
    }
  }
  return { pairs, left, unclear }
}

/** The smallest groups outside of which nothing fits; a module that fits nothing is in a group of its own. */
function groupsOf<Own, Module>(
  layers: readonly Own[],
  modules: readonly Module[],
  fits: (module: Module, own: Own) => boolean,
): readonly Group<Own, Module>[] {
  const groups = new Map(layers.map((own) => [own, { layers: [own], modules: [] as Module[] }]))
  const alone: Group<Own, Module>[] = []
  for (const module of modules) {
    const [first, ...others] = new Set(layers.filter((own) => fits(module, own)).map((own) => groups.get(own)!))
    if (first === undefined) {
      alone.push({ layers: [], modules: [module] })
      continue
    }
    first.modules.push(module)
    for (const other of others) {
      first.layers.push(...other.layers)
      first.modules.push(...other.modules)
      for (const own of other.layers) groups.set(own, first)
    }
  }
  const [orderOfLayers, orderOfModules] = [orderIn(layers), orderIn(modules)]
  const joined = [...new Set(groups.values())].map((group) => ({
    layers: group.layers.sort(orderOfLayers),
    modules: group.modules.sort(orderOfModules),
  }))
  return [...joined, ...alone]
}

function orderIn<Item>(items: readonly Item[]): (a: Item, b: Item) => number {
  const places = new Map(items.map((item, i) => [item, i]))
  return (a, b) => places.get(a)! - places.get(b)!
}

/** The module of each layer, if the shapes, the names, or numbers in them tell it; otherwise null. */
function told<Own extends Placed, Module extends Named>(
  layers: readonly Own[],
  modules: readonly Module[],
  fits: (module: Module, own: Own) => boolean,
): readonly Module[] | null {
  if (layers.length === 1) return modules
  const byName = layers.map((own) => modules.filter((module) => plain(module.name) === nameOf(own)))
  const isNamed = byName.every((each) => each.length === 1) && new Set(byName.flat()).size === layers.length
  if (isNamed) return byName.every(([module], i) => fits(module!, layers[i]!)) ? byName.flat() : null
  const isNumbered = new Set(modules.map(({ name }) => name.replaceAll(/\d+/g, '#'))).size === 1
  const isInOrder = modules.every(({ name }, i) => i === 0 || natural.compare(modules[i - 1]!.name, name) < 0)
  const isChain = layers.every((own, i) => i === 0 || isBefore(layers[i - 1]!.trail, own.trail))
  const isAny = layers.every((own) => modules.every((module) => fits(module, own)))
  return isNumbered && isInOrder && isChain && isAny ? modules : null
}

/** `a.2` before `a.10`. */
export const natural = new Intl.Collator('en', { numeric: true })

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

/** Whether a layer needs the result of another one, so that no other order is possible. */
function isBefore(one: readonly LayerBase[], other: readonly LayerBase[]): boolean {
  const at = one.findIndex((layer, i) => layer !== other[i])
  const [outer, before, after] = [one[at - 1], one[at], other[at]]
  if (before === undefined || after === undefined) return false
  if (outer instanceof StackedRNNCells)
    return outer.cells.indexOf(before as never) < outer.cells.indexOf(after as never)
  const graph = outer?.graph
  if (!(graph instanceof LayerGraph)) return false
  const call = graph.calls.find(({ layer }) => layer === after)
  if (call === undefined) return false
  const { met } = walkBack(new Set(symbolsByKey(graph.inputs)), [call.input, call.options])
  return [...met].some((node) => 'layer' in node && node.layer === before)
}
