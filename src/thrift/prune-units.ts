// pruneUnits: removes the least important units of a model. models/unit-groups.ts finds the weights of each unit,
// unit-scores.ts measures its importance, and smaller.ts builds the smaller model.

import { requireArguments } from '../core/arguments'
import { ArgumentError, quoted } from '../core/errors'
import {
  abortSignal,
  anything,
  boolean,
  choice,
  count,
  custom,
  nullable,
  number,
  option,
  readOptions,
  text,
} from '../core/options'
import { put, type Tree } from '../core/tree'
import type { TargetsOf } from '../data/samples/data-types'
import { withoutTargets } from '../data/samples/parse'
import { isElements } from '../data/samples/source'
import type { LayerBase } from '../layers/layer'
import { whyUnknown } from '../layers/declared-units'
import { copyableGraph, graphOf, knownGraph, pathsIn } from '../models/known-graph'
import { isTableModel } from '../tables/is-table-model'
import { LayerGraph } from '../models/layer-graph'
import type { Model } from '../models/model'
import type { Tensor } from '../ops/tensor'
import { gatherFor, type RowsFor } from '../tables/model-rows'
import type { GatheredRows } from '../training/gathered'
import { groupName, unitGroups, type UnitGroup } from '../models/unit-groups'
import { readInputs, readSamples } from '../training/read'
import type { CheckingModel } from '../training/checking-model'
import { PruningSearch, best, countOf, countsBy, countsWithin, type Bound, type Ranking } from './prune-search'
import { smaller } from './smaller'
import { deadUnits, scoresOf, usesItself, type Criterion, type Seen } from './unit-scores'
import { rowsForTiming, timedInTurn } from './timing'
import { replayedBy } from '../layers/traits'

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
   * Instead of `keep`: removes the units that are 0 for every row of x, which changes no answer on these rows, and no others.
   * Default false.
   */
  readonly dead?: boolean
  /**
   * Instead of `keep`: the milliseconds that a prediction of `latencyRows` rows may take. Keeps as many units as this allows,
   * as measured on this machine; needs x.
   */
  readonly targetLatency?: number
  /** The number of rows of the predictions that targetLatency limits. Default 1. */
  readonly latencyRows?: number
  /**
   * 'layer': all layers keep the same share of their units. 'global': the most important units of all layers stay, with the
   * scores of each layer divided by the root of their mean square. Default 'layer'.
   */
  readonly ranking?: Ranking
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
  /**
   * Representative inputs, or batches of them with their targets, which are read once. Needed for maxLoss, targetLatency, dead
   * and some criteria.
   */
  readonly x?: RowsFor<In, Out>
  /** Their targets. Needed for maxLoss and by some criteria, unless they are in the batches. */
  readonly y?: TargetsOf<Out> | null
  /** The number of rows per batch. Default 256. */
  readonly batchSize?: number
  /** Aborts between two batches; the promise then rejects with the signal's reason. */
  readonly signal?: AbortSignal
}

const pruneOptions = {
  keep: option(nullable(custom<number | Readonly<Record<string, number>>>(readKeep, () => null)), null),
  maxLoss: option(nullable(number({ min: 0 })), null),
  dead: option(boolean, false),
  targetLatency: option(nullable(number({ above: 0 })), null),
  latencyRows: option(count, 1),
  ranking: option(choice<Ranking>('layer', 'global'), 'layer'),
  monitor: option(nullable(text), null),
  mode: option(choice('auto', 'min', 'max'), 'auto'),
  by: option(choice<Criterion>('magnitude', 'utility', 'taylor'), 'magnitude'),
  x: option(anything, null),
  y: option(anything, null),
  batchSize: option(count, 256),
  signal: option(nullable(abortSignal), null),
}

type Settings = ReturnType<typeof readSettings>
const readSettings = (options: object) => readOptions('pruneUnits', pruneOptions, options)

const isShare = (value: unknown): value is number => typeof value === 'number' && value > 0 && value < 1
const isCount = (value: unknown): value is number => Number.isInteger(value) && Number(value) >= 1

function readKeep(value: unknown, where: string): number | Readonly<Record<string, number>> {
  if (isShare(value) || value === 1) return value
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new ArgumentError(
      `${where} must be a fraction above 0 and up to 1, or { layer: fraction or number of units }, received ${quoted(value)}. At least one unit stays.`,
    )
  const kept: Record<string, number> = {}
  for (const [layer, each] of Object.entries(value)) {
    if (!isShare(each) && !isCount(each))
      throw new ArgumentError(
        `${where}.${layer} must be a fraction between 0 and 1, or a number of units ≥ 1, received ${quoted(each)}`,
      )
    put(kept, layer, each)
  }
  return kept
}

/**
 * Returns a smaller model without the least important units: of Dense and recurrent layers, embeddings, filters of
 * convolutions and heads of attention; also within TimeDistributed, and within Bidirectional, whose two directions lose
 * the same units; through normalisation, pooling, Flatten, Concatenate and skip connections. A unit of a
 * GroupedQueryAttention is a key/value head with all query heads that share it, and `keep` counts key/value heads; with
 * a single key/value head, the units are the query heads. The result is an ordinary model, compiled as `model` is,
 * with the remaining part of the optimizer's slots. `model` is not changed.
 *
 *   const half = await pruneUnits(model, { keep: 0.5 })
 *   await half.fit(x, y)                                             one epoch recovers most of the accuracy
 *   await pruneUnits(model, { keep: { hidden: 100, conv: 0.25 }, by: 'utility', x })
 *   await pruneUnits(model, { maxLoss: 0.005, monitor: 'accuracy', x, y })
 *   await pruneUnits(model, { dead: true, x })                       the same answers
 *   await pruneUnits(model, { targetLatency: 0.2, ranking: 'global', by: 'utility', x })
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
  options: PruneUnitsOptions<In, Out>,
): Promise<Kind> {
  requireArguments('pruneUnits', arguments, 2)
  return pruned<Kind>(model, options)
}

/** `pruneUnits` for data of unknown type, which it checks. */
export async function pruned<Kind extends Model>(model: Kind, options: object): Promise<Kind> {
  const settings = readSettings(options)
  const { keep, x, signal } = settings
  const graph = copyableGraph('pruneUnits', model)
  requireConsistent(settings, isElements(x) || isTableModel(model))
  if (needsTargets(settings)) model.training.requireCompiled('pruneUnits')
  signal?.throwIfAborted()
  const groups = prunableGroups(model, graph)
  if (!isByLayer(keep)) requireUnits(groups)
  const counts = isByLayer(keep) ? wantedCounts(keep, groups, pathsIn(graph)) : null
  const keeping = (units: UnitLists): Kind =>
    smaller<Kind>(model, new Map(groups.possible.map((group, i) => [group, units[i]!])))
  // Data are read and losses traced with a copy of the model.
  const copy = smaller<Model>(model, new Map())
  try {
    const trial = await trialOf(copy, settings)
    return keeping(await unitsToKeep(trial, settings, counts, keeping))
  } finally {
    copy.dispose()
  }
}

/** For each group, the units to keep. */
type UnitLists = readonly (readonly number[])[]

const isByLayer = (keep: Settings['keep']): keep is Readonly<Record<string, number>> =>
  typeof keep === 'object' && keep !== null

const needsTargets = ({ by, maxLoss }: Settings): boolean => by === 'taylor' || maxLoss !== null

/** A copy of the model with which units are judged: its groups, in the order of the model's, and the data. */
interface Trial {
  readonly model: Model
  readonly groups: readonly UnitGroup[]
  /** null if no data are needed. */
  readonly rows: GatheredRows | null
  readonly seen: Seen | null
}

async function trialOf(model: Model, settings: Settings): Promise<Trial> {
  const { x, y, batchSize, signal } = settings
  const groups = prunableGroups(model, knownGraph('pruneUnits', model)).possible
  if (x === null) return { model, groups, rows: null, seen: null }
  const withTargets = needsTargets(settings)
  const rows = await gatherFor(model, x, y, { where: 'pruneUnits', needsTargets: withTargets, signal })
  const samples = withTargets
    ? readSamples(model.training, 'test', 'pruneUnits', rows.x, rows.y).samples
    : withoutTargets(readInputs(model.training, rows.x))
  return { model, groups, rows, seen: { samples, batchSize, signal } }
}

/**
 * @param counts how many units of each group to keep, if `keep` says so
 * @param keeping makes the model that keeps some units
 */
async function unitsToKeep(
  trial: Trial,
  settings: Settings,
  counts: readonly number[] | null,
  keeping: (units: UnitLists) => Model,
): Promise<UnitLists> {
  const { model, groups, rows, seen } = trial
  const { keep, maxLoss, dead, targetLatency, latencyRows, ranking, by, signal } = settings
  if (dead) return living(model, groups, seen!)
  const scores = await scoresOf(model, groups, by, seen)
  const countsFor = countsBy(ranking, groups, scores)
  const bestOf = (units: readonly number[]): UnitLists => groups.map((group, i) => best(scores.get(group)!, units[i]!))
  if (maxLoss !== null)
    return bestOf(await new PruningSearch(groups, scores, boundOf(trial, settings, maxLoss), countsFor).run())
  if (targetLatency !== null) {
    const timed = rowsForTiming(rows!, latencyRows)
    const measure = (units: readonly number[]) => millisecondsOf(keeping(bestOf(units)), timed, signal)
    return bestOf(await countsWithin(targetLatency, countsFor, measure))
  }
  return bestOf(typeof keep === 'number' ? countsFor(keep) : counts!)
}

function boundOf({ model, rows }: Trial, { monitor, mode, batchSize, signal }: Settings, maxLoss: number): Bound {
  const options = { batchSize, ...(signal === null ? {} : { signal }) }
  const judged: CheckingModel = model
  return {
    maxLoss,
    where: 'pruneUnits',
    monitor,
    mode,
    evaluate: () => judged.evaluate(rows!.x, rows!.y, options),
  }
}

/**
 * @param hasTargets whether x may have the targets
 * @throws ArgumentError for options that contradict each other, or that need others
 */
function requireConsistent(settings: Settings, hasTargets: boolean): void {
  const { keep, maxLoss, dead, targetLatency, latencyRows, ranking, by, x, y } = settings
  const goals = [keep !== null, maxLoss !== null, dead, targetLatency !== null].filter(Boolean).length
  if (goals !== 1)
    throw new ArgumentError(
      `pruneUnits: needs exactly one of keep, maxLoss, dead and targetLatency, received ${goals === 0 ? 'none' : goals}`,
    )
  if (ranking === 'global' && (dead || isByLayer(keep)))
    throw new ArgumentError(
      `pruneUnits: ranking 'global' chooses among the units of all layers, ${dead ? 'but dead: true removes all dead ones' : 'but keep gives the units of each layer'}. Leave it out.`,
    )
  if (dead && by !== 'magnitude')
    throw new ArgumentError(`pruneUnits: dead: true ranks no units, so it does not read by: '${by}'. Leave it out.`)
  if (latencyRows !== 1 && targetLatency === null)
    throw new ArgumentError('pruneUnits: latencyRows needs targetLatency')
  if (x === null && (dead || targetLatency !== null))
    throw new ArgumentError(
      `pruneUnits: ${dead ? 'dead: true' : 'targetLatency'} needs x, data on which it is measured`,
    )
  if (x === null && by !== 'magnitude')
    throw new ArgumentError(
      `pruneUnits: by '${by}' needs x, data on which the units are measured. by 'magnitude' needs no data.`,
    )
  if (needsTargets(settings) && (x === null || (y === null && !hasTargets)))
    throw new ArgumentError(`pruneUnits: ${maxLoss === null ? "by 'taylor'" : 'maxLoss'} needs x and y`)
}

/**
 * How many units of a model are 0 for all rows of x, of how many; null if none can be measured: in a model whose graph is not
 * known, and for units of recurrent layers.
 */
export async function countDeadUnits(
  model: Model,
  x: unknown,
  { batchSize, signal }: Pick<Seen, 'batchSize' | 'signal'>,
): Promise<{ readonly dead: number; readonly units: number } | null> {
  const graph = graphOf(model)
  const groups = graph === null ? [] : prunableGroups(model, graph).possible.filter((group) => !usesItself(group))
  if (groups.length === 0) return null
  const samples = withoutTargets(readInputs(model.training, x))
  const found = await deadUnits(model, groups, { samples, batchSize, signal })
  const sum = (of: (group: UnitGroup) => number): number => groups.reduce((total, group) => total + of(group), 0)
  return { dead: sum((group) => found.get(group)!.size), units: sum(({ count }) => count) }
}

/** The units of each group that are not dead; of a dead layer, the first one. */
async function living(model: Model, groups: readonly UnitGroup[], seen: Seen): Promise<UnitLists> {
  const dead = await deadUnits(model, groups, seen)
  return groups.map((group) => {
    const units = Array.from({ length: group.count }, (_, unit) => unit).filter((unit) => !dead.get(group)!.has(unit))
    return units.length === 0 ? [0] : units
  })
}

/** The seconds for which the latency of a model is measured. */
const TIMING = 0.1

/** The milliseconds of a prediction; disposes the model. */
async function millisecondsOf(
  model: CheckingModel & Pick<Model, 'dispose'>,
  rows: Tree<Tensor>,
  signal: AbortSignal | null,
): Promise<number> {
  const [timing] = await timedInTurn([() => model.predictOnBatch(rows)], TIMING, signal)
  model.dispose()
  return 1000 * timing!.seconds
}

interface Groups {
  readonly possible: readonly UnitGroup[]
  /** The groups that cannot be pruned, with the reason. */
  readonly others: ReadonlyMap<UnitGroup, string>
}

function prunableGroups(model: Model, graph: LayerGraph): Groups {
  const nested = model.allLayers
    .filter((layer) => layer !== model && replayedBy(layer) instanceof LayerGraph)
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
  keep: Readonly<Record<string, number>>,
  { possible, others }: Groups,
  paths: ReadonlyMap<LayerBase, string>,
): readonly number[] {
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
  return possible.map((group) => wanted.get(group)!)
}
