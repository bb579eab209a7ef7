// MultiOptimizer in files of Keras: an OptimizerMap, which finds the optimizer of a weight by its path in Keras. The path begins with the
// names of the Sequentials around a layer, or only some of them: a model has other paths after it was loaded. So every path that Keras may
// use is tried, the longest first, and every one is written.

import { FormatError, listed, quoted } from '../../core/errors'
import { Effort, wholePattern } from '../../core/bounded-pattern'
import { customObject, isSerialized, type Json } from '../../core/registry'
import type { LayerBase } from '../../layers/layer'
import { Model } from '../../models/model'
import { Sequential } from '../../models/sequential'
import { LossScaleOptimizer } from '../../optimizers/loss-scale'
import { MultiOptimizer, type OptimizerFor } from '../../optimizers/multi'
import { matches } from '../../optimizers/match'
import type { Optimizer } from '../../optimizers/optimizer'
import type { Variable } from '../../ops/variable'
import { isRecord, itemsOf, recordAt, valueAt } from '../containers/json'
import { isObject } from './keras-object'
import { kerasName } from './write-names'

/** The optimizers in Keras's order: the one for all other weights is the last. */
export function orderedOptimizers({ optimizers }: MultiOptimizer): readonly OptimizerFor[] {
  const rest = optimizers.find(({ match }) => match === null) ?? optimizers.at(-1)!
  return [...optimizers.filter((each) => each !== rest), rest]
}

/** The paths that weights may have in Keras, the longest first. */
function pathsOf(model: LayerBase): ReadonlyMap<Variable, ReadonlySet<string>> {
  const found = new Map<Variable, Set<string>>()
  const visit = (layer: LayerBase, around: readonly string[]): void => {
    if (layer instanceof Model && layer.graph !== null) {
      const outer = layer instanceof Sequential ? [...around, layer.name] : around
      for (const inner of layer.layers) visit(inner, outer)
      return
    }
    for (const weight of layer.weights) {
      const [first, ...others] = weight.name.split('/')
      const ends = [[first!, ...others.map(kerasName)].join('/'), weight.name]
      const paths = found.get(weight) ?? new Set()
      found.set(weight, paths)
      around.forEach((_name, i) => ends.forEach((end) => paths.add([...around.slice(i), end].join('/'))))
      ends.forEach((end) => paths.add(end))
    }
  }
  visit(model, [])
  return found
}

const escaped = (path: string): string => path.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

/**
 * The configuration of an optimizer, in which a MultiOptimizer has an OptimizerMap. Each optimizer has one key, which matches the paths of
 * its weights, so that Keras needs no shared objects.
 * @throws FormatError if two weights with the same path in Keras have different optimizers
 */
export function mappedConfig(optimizer: Optimizer, saved: Json, model: LayerBase): Json {
  if (!isSerialized(saved)) return saved
  const { className, config } = saved
  if (optimizer instanceof LossScaleOptimizer) {
    const inner = mappedConfig(optimizer.innerOptimizer, config['innerOptimizer']!, model)
    return { className, config: { ...config, innerOptimizer: inner } }
  }
  if (!(optimizer instanceof MultiOptimizer)) return saved
  const rows = itemsOf(config['optimizers'])
  const written = new Map(optimizer.optimizers.map((each, i) => [each, itemsOf(rows[i])[0] ?? null]))
  const ordered = orderedOptimizers(optimizer)
  const rest = ordered.at(-1)!
  const paths = pathsOf(model)
  const [firsts, others] = [new Map<string, OptimizerFor>(), new Map<string, OptimizerFor | null>()]
  const twice = new Set<string>()
  for (const [weight, [first, ...shorter]] of paths) {
    const chosen = optimizer.optimizers.find(({ match }) => match === null || matches(match, weight)) ?? rest
    if ((firsts.get(first!) ?? chosen) !== chosen) twice.add(first!)
    firsts.set(first!, chosen)
    for (const path of shorter) others.set(path, (others.get(path) ?? chosen) === chosen ? chosen : null)
  }
  if (twice.size > 0)
    throw new FormatError(
      `A file of Keras cannot contain this MultiOptimizer: weights with different optimizers have the same path in Keras: ${listed([...twice])}. Give their layers different names`,
    )
  const keys = new Map<OptimizerFor | null, string[]>(ordered.map((each) => [each, []]))
  for (const [path, chosen] of [...others, ...firsts])
    if (firsts.get(path) === chosen || !firsts.has(path)) keys.get(chosen)?.push(escaped(path))
  const entries = ordered
    .slice(0, -1)
    // No path begins with '/'.
    .map((each, i) => [keys.get(each)!.length === 0 ? `/${i}` : keys.get(each)!.join('|'), written.get(each)!] as const)
  const optimizerMap = {
    className: 'OptimizerMap',
    config: { defaultOptimizer: written.get(rest)!, optimizerMap: Object.fromEntries(entries) },
  }
  return { className, config: { optimizerMap, lossScaleFactor: null, name: config['name'] ?? null } }
}

/**
 * A saved optimizer; a MultiOptimizer in the form of this library, with the names of the weights of each optimizer.
 * @param read reads any other optimizer
 * @throws FormatError for a function in place of a map, and if one name here has several optimizers
 */
export function readOptimizer(saved: Json, model: LayerBase, read: (saved: Json) => Json): Json {
  if (!isObject(saved) || customObject(saved.class_name) !== undefined) return read(saved)
  const config = recordAt(saved, 'config')
  if (/^LossScaleOptimizer(?:V3)?$/.test(saved.class_name)) {
    const only = valueAt(config, 'inner_optimizer') ?? null
    // Keras 2 has a factor that does not change, which Keras 3 gives to the optimizer itself.
    if (valueAt(config, 'dynamic') === false && isObject(only)) {
      const factor = valueAt(config, 'initial_scale') ?? null
      return readOptimizer({ ...only, config: { ...recordAt(only, 'config'), loss_scale_factor: factor } }, model, read)
    }
    const outer = read({ ...saved, config: { ...config, inner_optimizer: null } })
    const inner = readOptimizer(only, model, read)
    if (!isSerialized(outer)) return outer
    return { className: outer.className, config: { ...outer.config, innerOptimizer: inner } }
  }
  if (saved.class_name !== 'MultiOptimizer') return read(saved)
  const refuse = (why: string): never => {
    throw new FormatError(`MultiOptimizer: ${why}. Load the model with compile: false`)
  }
  const map = valueAt(config, 'optimizer_map')
  if (!isObject(map) || map.class_name !== 'OptimizerMap')
    return refuse('its weights are chosen by a function of Python, which is never run')
  if ((valueAt(config, 'loss_scale_factor') ?? null) !== null) return refuse('loss_scale_factor is not supported')
  const entries = Object.entries(recordAt(recordAt(map, 'config'), 'optimizer_map'))
  const rest = valueAt(recordAt(map, 'config'), 'default_optimizer') ?? null
  const members = distinct([...entries.map(([, each]) => each), rest])
  const exact = new Map(entries.map(([key], i) => [key, i]))
  const left = new Effort('MultiOptimizer')
  const patterns = entries.map(([key]) => wholePattern(key, left))
  /** The optimizer of a path; undefined if no key matches. */
  const at = (path: string): number | undefined => {
    const exactly = exact.get(path)
    const found =
      exactly === undefined ? patterns.flatMap((matchesPath, i) => (matchesPath(path) ? [i] : [])) : [exactly]
    if (found.length > 1)
      return refuse(`several keys match ${quoted(path)}: ${listed(found.map((i) => entries[i]![0]))}`)
    return members.positions[found[0] ?? -1]
  }
  const last = members.positions.at(-1)!
  const names = members.saved.map((): string[] => [])
  const chosen = new Map<string, number>()
  for (const [{ name }, paths] of pathsOf(model)) {
    const position = firstOf(paths, at) ?? last
    const other = chosen.get(name)
    if (other !== undefined && other !== position)
      return refuse(`several weights with the name ${name} have different optimizers`)
    chosen.set(name, position)
    if (other === undefined) names[position]!.push(escaped(name))
  }
  const optimizers = members.saved.map((each, i): Json => {
    if (i === last && i === members.saved.length - 1) return [read(each)]
    // An empty list matches nothing.
    const source = names[i]!.length === 0 ? '(?!)' : `^(?:${names[i]!.join('|')})$`
    return [read(each), { className: 'RegExp', config: { source, flags: '' } }]
  })
  const { name } = config
  return { className: 'MultiOptimizer', config: { optimizers, ...(typeof name === 'string' ? { name } : {}) } }
}

/** The first result that is not undefined. */
function firstOf<Result>(paths: Iterable<string>, of: (path: string) => Result | undefined): Result | undefined {
  for (const path of paths) {
    const found = of(path)
    if (found !== undefined) return found
  }
  return undefined
}

/** Optimizers without those that are shared with an earlier place, and the position of each place in this list. */
function distinct(places: readonly Json[]): { readonly saved: readonly Json[]; readonly positions: readonly number[] } {
  const saved: Json[] = []
  const ids = new Map<Json, number>()
  const positions = places.map((each) => {
    const id = isRecord(each) ? valueAt(each, 'shared_object_id') : undefined
    const known = id === undefined ? undefined : ids.get(id)
    if (known !== undefined) return known
    if (id !== undefined) ids.set(id, saved.length)
    return saved.push(each) - 1
  })
  return { saved, positions }
}
