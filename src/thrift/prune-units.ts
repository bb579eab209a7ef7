// pruneUnits: the same model without the units that count least. Which weights belong to a unit is said by models/unit-groups.ts,
// how much one counts by unit-scores.ts, what is left by smaller.ts.

import { ArgumentError, quoted } from '../core/errors'
import { choice, count, custom, nullable, number, option, readOptions } from '../core/options'
import { typed } from '../core/tree'
import type { DataOf, TargetsOf } from '../data/arrays'
import type { LayerBase } from '../layers/base'
import { whyUnknown } from '../layers/units'
import { copyableGraph, knownGraph, pathsIn } from '../models/known-graph'
import { LayerGraph } from '../models/layer-graph'
import type { Model } from '../models/model'
import { visitUnits } from '../models/unit-elements'
import type { UnitGroup } from '../models/unit-groups'
import { groupName, unitGroups } from '../models/unit-groups'
import { logName, shouldRise } from '../training/callbacks/monitor'
import { smaller } from './smaller'
import type { Criterion, Scores, Seen } from './unit-scores'
import { scoresOf } from './unit-scores'

export interface PruneUnitsOptions<In = never, Out = never> {
  /**
   * How many units stay: a fraction in (0, 1] of each layer's, or by layer a fraction below 1 or a number of units. A layer goes by
   * its name, or by its path, as 'encoder/hidden', where several models within have one of its name. At least one unit stays of each.
   */
  readonly keep?: number | Readonly<Record<string, number>>
  /** In the place of `keep`: by how much the monitored number may get worse on x and y, as accuracy by 0.01. */
  readonly maxLoss?: number
  /** The number that maxLoss is about, of those that `evaluate` gives. Default: the first metric, or 'loss' where there is none. */
  readonly monitor?: string
  /** Whether the monitored number should rise or fall. 'auto': by its name, where that says so. Default 'auto'. */
  readonly mode?: 'auto' | 'min' | 'max'
  /**
   * By what units are ranked. 'magnitude': ‖w_in‖ · ‖w_out‖, needs no data. 'utility': mean |h| · Σ |w_out|, needs x. 'taylor':
   * |Σ h · ∂loss/∂h|, what the loss would change to first order, needs x and y. Default 'magnitude'.
   */
  readonly by?: Criterion
  /** Inputs such as those to come. Needed for maxLoss, and where `by` says so. */
  readonly x?: DataOf<In>
  /** Their targets. Needed for maxLoss, and where `by` says so. */
  readonly y?: TargetsOf<Out>
  /** How many rows are seen at once. Default 256. */
  readonly batchSize?: number
  /** Ends it between two batches; it then rejects with the signal's reason. */
  readonly signal?: AbortSignal
}

/** Names of numbers that should fall. */
const FALLS = /loss|error|entropy|^(?:mse|mae|rmse|mape|msle)$/i

const anything = custom<unknown>(
  (value) => value,
  () => null,
)
const options = {
  keep: option(nullable(custom<number | Readonly<Record<string, number>>>(readKeep, () => null)), null),
  maxLoss: option(nullable(number({ min: 0 })), null),
  monitor: option(nullable(logName), null),
  mode: option(choice('auto', 'min', 'max'), 'auto'),
  by: option(choice<Criterion>('magnitude', 'utility', 'taylor'), 'magnitude'),
  x: option(anything, null),
  y: option(anything, null),
  batchSize: option(count, 256),
  signal: option(
    custom<AbortSignal | null>(
      (value) => value as AbortSignal | null,
      () => null,
    ),
    null,
  ),
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
 * A smaller model without the units that count least: of Dense and recurrent layers, embeddings, filters of convolutions, heads of
 * attention; also within Bidirectional, both ways of which lose the same units, and within TimeDistributed; through normalisation,
 * pooling, Flatten, Concatenate and skip connections. A unit of a GroupedQueryAttention is a key/value head with all heads of the
 * query that share it, and `keep` counts those; where there is one key/value head for all, units are the heads of the query. It is an ordinary model, compiled as
 * the given one, and training goes on with what is left of the optimizer's slots. The given model stays as it is.
 *
 *   const half = await pruneUnits(model, { keep: 0.5 })
 *   await half.fit(x, y)                                             an epoch brings back most of what was lost
 *   await pruneUnits(model, { keep: { hidden: 100, conv: 0.25 }, by: 'utility', x })
 *   await pruneUnits(model, { maxLoss: 0.005, monitor: 'accuracy', x, y })
 *
 * Layers joined by a skip connection lose the same units, and go by the name of any of them. With maxLoss, first all layers are
 * narrowed alike, then each by itself, the largest first, as long as the monitored number allows it.
 *
 * @throws ArgumentError for what is no model or one whose graph nobody knows, for layers whose units cannot be taken away (which and
 *   why, and what is possible), and where data are missing; StateError for a model that is not built
 *
 * Utility: Dohare et al. 2024. Taylor: Molchanov et al. 2017.
 */
export async function pruneUnits<In, Out, Kind extends Model<In, Out>>(
  model: Kind & Model<In, Out>,
  given: PruneUnitsOptions<In, Out>,
): Promise<Kind> {
  const { keep, maxLoss, monitor, mode, by, x, y, batchSize, signal } = readOptions('pruneUnits', options, given)
  const graph = copyableGraph('pruneUnits', model)
  if ((keep === null) === (maxLoss === null)) throw new ArgumentError('pruneUnits: needs keep or maxLoss, and not both')
  const needsTargets = by === 'taylor' || maxLoss !== null
  if (x === null && by !== 'magnitude')
    throw new ArgumentError(
      `pruneUnits: by '${by}' needs x, rows of data on which units are looked at. by 'magnitude' needs none.`,
    )
  if (needsTargets && (x === null || y === null))
    throw new ArgumentError(`pruneUnits: ${maxLoss === null ? "by 'taylor'" : 'maxLoss'} needs x and y`)
  if (needsTargets) model.trainer.requireCompiled('pruneUnits')
  signal?.throwIfAborted()
  const plain = typed<Model<never, never>>(model)
  const groups = prunableGroups(plain, graph)
  const wanted = keep === null ? null : wantedCounts(keep, groups, pathsIn(graph))
  // Data are read, and losses traced, by a model of our own.
  const work = smaller(plain, new Map())
  const own = prunableGroups(work, knownGraph('pruneUnits', work)).possible
  const dataset =
    x === null
      ? null
      : needsTargets
        ? work.trainer.readDataset('pruneUnits', x, y)
        : {
            ...work.trainer.readInputs(x),
            y: null,
            targets: [null],
            weights: [null],
            names: { x: 'x', y: 'y', sampleWeight: 'sampleWeight' },
          }
  const seen: Seen | null = dataset === null ? null : { dataset, batchSize, signal }
  try {
    const scores = await scoresOf(work, own, by, seen)
    const search =
      maxLoss === null
        ? null
        : new Search(work, own, scores, {
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
  /** Why units of the others stay. */
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

/** The layer of a name, or of a path through models within. @throws ArgumentError for a name that several have */
function layerOf(name: string, paths: ReadonlyMap<LayerBase, string>): LayerBase | undefined {
  const found = [...paths].filter(([layer, path]) => layer.name === name || path === name)
  const [exact] = found.find(([, path]) => path === name) ?? []
  if (exact === undefined && found.length > 1)
    throw new ArgumentError(
      `pruneUnits: keep.${name} may be any of ${found.map(([, path]) => quoted(path)).join(', ')}. Say the path.`,
    )
  return exact ?? found[0]?.[0]
}

/** How many units of each group stay. */
function wantedCounts(
  keep: number | Readonly<Record<string, number>>,
  { possible, others }: Groups,
  paths: ReadonlyMap<LayerBase, string>,
): Map<UnitGroup, number> {
  const reasons = [...others].map(([group, why]) => `${groupName(group)}: ${why}`).join('; ')
  if (possible.length === 0)
    throw new ArgumentError(
      `pruneUnits: there are no units that can be taken away${reasons === '' ? '' : ` (${reasons})`}`,
    )
  if (typeof keep === 'number') return new Map(possible.map((group) => [group, countOf(keep, group.count)]))
  const wanted = new Map(possible.map((group) => [group, group.count]))
  const named = new Map<UnitGroup, string>()
  for (const [name, each] of Object.entries(keep)) {
    const layer = layerOf(name, paths)
    const isMade = ({ makers }: UnitGroup): boolean => layer !== undefined && makers.includes(layer)
    const group = possible.find(isMade)
    if (group === undefined) {
      const why =
        [...others].find(([one]) => isMade(one))?.[1] ??
        (layer && whyUnknown(layer)) ??
        'no layer of this name makes units that are known'
      throw new ArgumentError(
        `pruneUnits: cannot take units of ${quoted(name)} away: ${why}. Possible: ${possible.map(groupName).join(', ')}`,
      )
    }
    const units = each < 1 ? countOf(each, group.count) : each
    if (units > group.count)
      throw new ArgumentError(
        `pruneUnits: keep.${name} must be at most ${group.count}, the units that there are, received ${each}`,
      )
    const before = named.get(group)
    if (before !== undefined && wanted.get(group) !== units)
      throw new ArgumentError(
        `pruneUnits: ${quoted(before)} and ${quoted(name)} are joined, so they keep as many units`,
      )
    named.set(group, name)
    wanted.set(group, units)
  }
  return wanted
}

function countOf(share: number, all: number): number {
  return Math.max(1, Math.round(share * all))
}

/** The units of the largest scores, in rising order. */
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

/** Finds out how many units may go. Takes units away by what goes out of them, which is the same as if they were not there. */
class Search {
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

  /** How many units of each group stay. */
  async run(): Promise<number[]> {
    const all = this.groups.map((group) => group.count)
    this.reference = await this.measure(all)
    // In 32nds of what there is, all alike.
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
    // Half a millionth for what rounding does to sums.
    return (await this.measure(counts)) <= this.reference + maxLoss + 5e-7
  }

  /** The monitored number; negative where it should rise. */
  private async measure(counts: readonly number[]): Promise<number> {
    // A weight may belong to several groups: first all are whole.
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
    // A function of the user's own may rise or fall: its name does not say.
    const isKnown = (name: string): boolean => mode !== 'auto' || shouldRise(name, 'auto') || FALLS.test(name)
    const monitor = this.bound.monitor ?? names.find((name) => !/loss$/i.test(name) && isKnown(name)) ?? 'loss'
    const value = logs[monitor]
    if (value === undefined)
      throw new ArgumentError(
        `pruneUnits: there is no ${quoted(monitor)} to monitor in ${this.work}. There are: ${names.join(', ')}`,
      )
    if (!isKnown(monitor))
      throw new ArgumentError(
        `pruneUnits: the name ${quoted(monitor)} does not say whether it should rise or fall. Say so with mode: 'max' or 'min'.`,
      )
    return shouldRise(monitor, mode) ? -value : value
  }
}

/** The least number in low … high for which `isGood`, which is known of high, and holds from there on upwards. */
async function least(low: number, high: number, isGood: (value: number) => Promise<boolean>): Promise<number> {
  let [bad, good] = [low - 1, high]
  while (good - bad > 1) {
    const middle = Math.floor((good + bad) / 2)
    if (await isGood(middle)) good = middle
    else bad = middle
  }
  return good
}
