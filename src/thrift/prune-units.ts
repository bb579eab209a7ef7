// pruneUnits: removes the least important units of a model. models/unit-groups.ts finds the weights of each unit,
// unit-scores.ts measures its importance, and smaller.ts builds the smaller model.

import { requireArguments } from '../core/arguments'
import { ArgumentError, quoted } from '../core/errors'
import { abortSignal, choice, count, custom, nullable, number, option, readOptions, text } from '../core/options'
import { typed } from '../core/tree'
import type { DataOf, TargetsOf } from '../data/given'
import { withoutTargets } from '../data/parse'
import type { LayerBase } from '../layers/layer'
import { whyUnknown } from '../layers/units'
import { copyableGraph, knownGraph, pathsIn } from '../models/known-graph'
import { LayerGraph } from '../models/layer-graph'
import type { Model } from '../models/model'
import { visitUnits } from '../models/unit-elements'
import type { UnitGroup } from '../models/unit-groups'
import { groupName, unitGroups } from '../models/unit-groups'
import { readInputs, readSamples } from '../training/read'
import { shouldRise } from '../training/callbacks/monitor'
import { logOf } from '../training/callbacks/names'
import { smaller } from './smaller'
import type { Criterion, Scores, Seen } from './unit-scores'
import { scoresOf } from './unit-scores'

export interface PruneUnitsOptions<In = never, Out = never> {
  /**
   * The units to keep: one fraction in (0, 1] for all layers, or per layer a fraction below 1 or a number of units. A
   * layer is identified by its name, or by its path, such as 'encoder/hidden', if several nested models have a layer of
   * this name. Each layer keeps at least one unit.
   */
  readonly keep?: number | Readonly<Record<string, number>>
  /** Instead of `keep`: by how much the monitored value may get worse on x and y, for example accuracy by 0.01. */
  readonly maxLoss?: number
  /**
   * The value that maxLoss limits, one of those that `evaluate` returns. Default: the first metric, or 'loss' without
   * metrics.
   */
  readonly monitor?: string
  /** Whether the monitored value should rise or fall; 'auto' infers it from the name. Default 'auto'. */
  readonly mode?: 'auto' | 'min' | 'max'
  /**
   * The criterion that ranks units. 'magnitude': ‖w_in‖ · ‖w_out‖, needs no data. 'utility': mean |h| · Σ |w_out|,
   * needs x. 'taylor': |Σ h · ∂loss/∂h|, the first-order change of the loss, needs x and y. Default 'magnitude'.
   */
  readonly by?: Criterion
  /** Representative inputs. Needed for maxLoss and by some criteria. */
  readonly x?: DataOf<In>
  /** Their targets. Needed for maxLoss and by some criteria. */
  readonly y?: TargetsOf<Out>
  /** The number of rows per batch. Default 256. */
  readonly batchSize?: number
  /** Aborts between two batches; the promise then rejects with the signal's reason. */
  readonly signal?: AbortSignal
}

/** Names of values that should fall. */
const FALLS = /loss|error|entropy|^(?:mse|mae|rmse|mape|msle)$/i

const anything = custom<unknown>(
  (value) => value,
  () => null,
)
const options = {
  keep: option(nullable(custom<number | Readonly<Record<string, number>>>(readKeep, () => null)), null),
  maxLoss: option(nullable(number({ min: 0 })), null),
  monitor: option(nullable(text), null),
  mode: option(choice('auto', 'min', 'max'), 'auto'),
  by: option(choice<Criterion>('magnitude', 'utility', 'taylor'), 'magnitude'),
  x: option(anything, null),
  y: option(anything, null),
  batchSize: option(count, 256),
  signal: option(nullable(abortSignal), null),
}

function readKeep(value: unknown, where: string): number | Readonly<Record<string, number>> {
  const isShare = (each: unknown): boolean => typeof each === 'number' && each > 0 && each < 1
  if (isShare(value) || value === 1) return value as number
  const isRecord = typeof value === 'object' && value !== null && !Array.isArray(value)
  if (!isRecord)
    throw new ArgumentError(
      `${where} must be a fraction above 0 and up to 1, or { layer: fraction or number of units }, received ${quoted(value)}. At least one unit stays.`,
    )
  for (const [layer, each] of Object.entries(value)) {
    if (isShare(each) || (Number.isInteger(each) && each >= 1)) continue
    throw new ArgumentError(
      `${where}.${layer} must be a fraction between 0 and 1, or a number of units ≥ 1, received ${quoted(each)}`,
    )
  }
  return value as Readonly<Record<string, number>>
}

/**
 * Returns a smaller model without the least important units: of Dense and recurrent layers, embeddings, filters of
 * convolutions and heads of attention; also within TimeDistributed, and within Bidirectional, whose two directions lose
 * the same units; through normalisation, pooling, Flatten, Concatenate and skip connections. A unit of a
 * GroupedQueryAttention is a key/value head with all query heads that share it, and `keep` counts key/value heads; with
 * a single key/value head, the units are the query heads. The result is an ordinary model, compiled as the given one,
 * with the remaining part of the optimizer's slots. The given model is not changed.
 *
 *   const half = await pruneUnits(model, { keep: 0.5 })
 *   await half.fit(x, y)                                             one epoch recovers most of the accuracy
 *   await pruneUnits(model, { keep: { hidden: 100, conv: 0.25 }, by: 'utility', x })
 *   await pruneUnits(model, { maxLoss: 0.005, monitor: 'accuracy', x, y })
 *
 * Layers joined by a skip connection lose the same units, and any of their names can be used. With maxLoss, first all
 * layers are pruned by the same fraction, then each separately, the largest first, as far as the monitored value
 * allows.
 *
 * @throws ArgumentError unless `model` is a model with a known graph, for layers whose units cannot be removed (with
 * the reason and the possible layers), and for missing data; StateError for a model that is not built
 *
 * Utility: Dohare et al. 2024. Taylor: Molchanov et al. 2017.
 */
export async function pruneUnits<In, Out, Kind extends Model<In, Out>>(
  model: Kind & Model<In, Out>,
  given: PruneUnitsOptions<In, Out>,
): Promise<Kind> {
  requireArguments('pruneUnits', arguments, 2)
  const { keep, maxLoss, monitor, mode, by, x, y, batchSize, signal } = readOptions('pruneUnits', options, given)
  const graph = copyableGraph('pruneUnits', model)
  if ((keep === null) === (maxLoss === null)) throw new ArgumentError('pruneUnits: needs either keep or maxLoss')
  const needsTargets = by === 'taylor' || maxLoss !== null
  if (x === null && by !== 'magnitude')
    throw new ArgumentError(
      `pruneUnits: by '${by}' needs x, data on which the units are measured. by 'magnitude' needs no data.`,
    )
  if (needsTargets && (x === null || y === null))
    throw new ArgumentError(`pruneUnits: ${maxLoss === null ? "by 'taylor'" : 'maxLoss'} needs x and y`)
  if (needsTargets) model.training.requireCompiled('pruneUnits')
  signal?.throwIfAborted()
  const plain = typed<Model<never, never>>(model)
  const groups = prunableGroups(plain, graph)
  if (typeof keep !== 'object' || keep === null) requireUnits(groups)
  const wanted = keep === null ? null : wantedCounts(keep, groups, pathsIn(graph))
  // Data are read and losses traced with a copy of the model.
  const work = smaller(plain, new Map())
  const own = prunableGroups(work, knownGraph('pruneUnits', work)).possible
  const samples =
    x === null
      ? null
      : needsTargets
        ? readSamples(work.training, 'test', 'pruneUnits', x, y).samples
        : withoutTargets(readInputs(work.training, x))
  const seen: Seen | null = samples === null ? null : { samples, batchSize, signal }
  try {
    const scores = await scoresOf(work, own, by, seen)
    const search =
      maxLoss === null
        ? null
        : new PruningSearch(work, own, scores, {
            maxLoss,
            monitor,
            mode,
            evaluate: () =>
              work.evaluate(x as never, y as never, { batchSize, ...(signal === null ? {} : { signal }) }),
          })
    const counts = search === null ? own.map((_, i) => wanted!.get(groups.possible[i]!)!) : await search.run()
    return typed(
      smaller(plain, new Map(groups.possible.map((group, i) => [group, best(scores.get(own[i]!)!, counts[i]!)]))),
    )
  } finally {
    work.dispose()
  }
}

interface Groups {
  readonly possible: readonly UnitGroup[]
  /** The groups that cannot be pruned, with the reason. */
  readonly others: ReadonlyMap<UnitGroup, string>
}

function prunableGroups(model: Model<never, never>, graph: LayerGraph): Groups {
  const nested = model.allLayers
    .filter((layer) => layer !== model && layer.graph instanceof LayerGraph)
    .map((layer) => ({ layer, within: new Set<object>(layer.allLayers) }))
  const why = ({ fixed, outgoing, makers, keepers, uses }: UnitGroup): string | null => {
    if (fixed !== null) return fixed
    if (outgoing.length === 0 || uses.length === 0) return 'no layer uses them'
    const entered = nested.find(
      ({ within }) =>
        [...keepers, ...uses.map(({ layer }) => layer)].some((layer) => within.has(layer)) &&
        makers.some((maker) => !within.has(maker)),
    )
    return entered === undefined ? null : `they are an input of ${entered.layer}`
  }
  const all = unitGroups(graph, { inner: true }).map((group) => [group, why(group)] as const)
  return {
    possible: all.flatMap(([group, reason]) => (reason === null ? [group] : [])),
    others: new Map(all.flatMap(([group, reason]) => (reason === null ? [] : [[group, reason] as const]))),
  }
}

/** The layer of a name or path. @throws ArgumentError for a name that several layers have */
function layerOf(name: string, paths: ReadonlyMap<LayerBase, string>): LayerBase | undefined {
  const found = [...paths].filter(([layer, path]) => layer.name === name || path === name)
  const [exact] = found.find(([, path]) => path === name) ?? []
  if (exact === undefined && found.length > 1)
    throw new ArgumentError(
      `pruneUnits: keep.${name} may be any of ${found.map(([, path]) => quoted(path)).join(', ')}. Give the path.`,
    )
  return exact ?? found[0]?.[0]
}

/** @throws ArgumentError if no units can be removed, with the reasons */
function requireUnits({ possible, others }: Groups): void {
  if (possible.length > 0) return
  const reasons = [...others].map(([group, why]) => `${groupName(group)}: ${why}`).join('; ')
  throw new ArgumentError(`pruneUnits: there are no units that can be removed${reasons === '' ? '' : ` (${reasons})`}`)
}

/** The number of units to keep of each group. */
function wantedCounts(
  keep: number | Readonly<Record<string, number>>,
  { possible, others }: Groups,
  paths: ReadonlyMap<LayerBase, string>,
): Map<UnitGroup, number> {
  if (typeof keep === 'number') return new Map(possible.map((group) => [group, countOf(keep, group.count)]))
  const wanted = new Map(possible.map((group) => [group, group.count]))
  const named = new Map<UnitGroup, string>()
  for (const [name, each] of Object.entries(keep)) {
    const layer = layerOf(name, paths)
    const isMade = ({ makers }: UnitGroup): boolean => layer !== undefined && makers.includes(layer)
    const group = possible.find(isMade)
    if (group === undefined) {
      const why =
        layer === undefined
          ? 'no layer has this name'
          : ([...others].find(([one]) => isMade(one))?.[1] ??
            whyUnknown(layer) ??
            `${layer} does not declare units that it makes`)
      throw new ArgumentError(
        `pruneUnits: cannot remove units of ${quoted(name)}: ${why}. Possible: ${possible.map(groupName).join(', ') || 'no layer'}`,
      )
    }
    const units = each < 1 ? countOf(each, group.count) : each
    if (units > group.count)
      throw new ArgumentError(
        `pruneUnits: keep.${name} must be at most ${group.count}, its number of units, received ${each}`,
      )
    const before = named.get(group)
    if (before !== undefined && wanted.get(group) !== units)
      throw new ArgumentError(
        `pruneUnits: ${quoted(before)} and ${quoted(name)} are joined, so they must keep the same number of units`,
      )
    named.set(group, name)
    wanted.set(group, units)
  }
  return wanted
}

function countOf(share: number, all: number): number {
  return Math.max(1, Math.round(share * all))
}

/** The units of the largest scores, in ascending order. */
function best(scores: Float64Array, units: number): number[] {
  const order = [...scores.keys()].sort((a, b) => scores[b]! - scores[a]! || a - b)
  return order.slice(0, units).sort((a, b) => a - b)
}

interface Bound {
  readonly maxLoss: number
  readonly monitor: string | null
  readonly mode: 'auto' | 'min' | 'max'
  evaluate(): Promise<Readonly<Record<string, number>>>
}

/**
 * Searches the smallest numbers of units. Simulates the removal of units by zeroing their outgoing weights, which has
 * the same effect.
 */
class PruningSearch {
  private readonly outgoing: ReadonlyMap<UnitGroup, readonly Float32Array[]>
  private reference = 0

  constructor(
    private readonly work: Model<never, never>,
    private readonly groups: readonly UnitGroup[],
    private readonly scores: Scores,
    private readonly bound: Bound,
  ) {
    this.outgoing = new Map(
      groups.map((group) => [group, group.outgoing.map(({ weight }) => Float32Array.from(weight.view))]),
    )
  }

  /** The number of units to keep of each group. */
  async run(): Promise<number[]> {
    const all = this.groups.map((group) => group.count)
    this.reference = await this.measure(all)
    // In steps of 1/32, the same share for all.
    const share = await least(1, 32, (each) => this.isGood(all.map((units) => countOf(each / 32, units))))
    const counts = all.map((units) => countOf(share / 32, units))
    const size = ({ incoming, outgoing }: UnitGroup): number =>
      [...incoming, ...outgoing].reduce((sum, { weight }) => sum + weight.size, 0)
    const order = this.groups.map((group, i) => [i, size(group)] as const).sort((a, b) => b[1] - a[1])
    for (const [i] of order) {
      counts[i] = await least(1, counts[i]!, (each) => this.isGood(counts.map((units, j) => (i === j ? each : units))))
    }
    return counts
  }

  private async isGood(counts: readonly number[]): Promise<boolean> {
    const { maxLoss } = this.bound
    // 5e-7 allows for rounding.
    return (await this.measure(counts)) <= this.reference + maxLoss + 5e-7
  }

  /** The monitored value; negated if it should rise. */
  private async measure(counts: readonly number[]): Promise<number> {
    // A weight may belong to several groups, so all are restored first.
    for (const [{ outgoing }, contents] of this.outgoing)
      outgoing.forEach(({ weight }, i) => weight.view.set(contents[i]!))
    this.groups.forEach((group, i) => {
      const staying = new Set(best(this.scores.get(group)!, counts[i]!))
      const gone = Array.from({ length: group.count }, (_, unit) => unit).filter((unit) => !staying.has(unit))
      for (const place of group.outgoing)
        visitUnits(place, gone, (start, length) => void place.weight.view.fill(0, start, start + length))
    })
    const logs = await this.bound.evaluate()
    const names = Object.keys(logs)
    const { mode } = this.bound
    // The direction of a user's function is unknown: its name does not tell.
    const isKnown = (name: string): boolean => mode !== 'auto' || shouldRise(name, 'auto') || FALLS.test(name)
    const monitor = this.bound.monitor ?? names.find((name) => !/loss$/i.test(name) && isKnown(name)) ?? 'loss'
    const value = logOf(logs, monitor)
    if (value === undefined)
      throw new ArgumentError(
        `pruneUnits: there is no log ${quoted(monitor)} to monitor in ${this.work}. The logs are: ${names.join(', ')}`,
      )
    if (!isKnown(monitor))
      throw new ArgumentError(
        `pruneUnits: the name ${quoted(monitor)} does not tell whether it should rise or fall. Give mode: 'max' or 'min'.`,
      )
    return shouldRise(monitor, mode) ? -value : value
  }
}

/** Binary search of the smallest number in low … high with `isGood`, which is monotonic and true for high. */
async function least(low: number, high: number, isGood: (value: number) => Promise<boolean>): Promise<number> {
  let [bad, good] = [low - 1, high]
  while (good - bad > 1) {
    const middle = Math.floor((good + bad) / 2)
    if (await isGood(middle)) good = middle
    else bad = middle
  }
  return good
}
