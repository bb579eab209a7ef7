// Shapley values: how much each element of a row adds to the output, averaged over all orders in which elements can be
// added. Exact, or estimated by regression (KernelSHAP) or by random orders. coalitions.ts computes the values of
// coalitions.

import { merged } from '../core/merged'
import { requireArguments } from '../core/arguments'
import { ArgumentError, ShapeError } from '../core/errors'
import { boolean, count, integer, nullable, option, readOptions, tableSize } from '../core/options'
import { permutationKey, permute } from '../core/permute'
import { threefry2x32 } from '../core/threefry'
import { sizeOf } from '../core/shapes'
import type { Model } from '../models/model'
import { nextSeed } from '../ops/random/seed'
import { Tensor } from '../ops/tensor'
import {
  Explained,
  dataOption,
  explainTable,
  gapOf,
  vector,
  type AnswerOf,
  type BaselineOf,
  type Decomposition,
  type ExplainOptions,
  type ReferenceOf,
  type RowsOf,
  type Settings,
} from './explained'
import { Game } from './coalitions'
import { coalitionSizes, drawCoalitions, leastSquares } from './kernel-shap'

export interface ShapleyOptions<In = Tensor, Out = Tensor, Reference = BaselineOf<In>> extends ExplainOptions<Out> {
  /**
   * The source of absent elements: a number, one row, or several rows over which the output is averaged. Default 0. For a table, rows
   * of it; default the means of numbers, and no category.
   */
  readonly background?: Reference | null
  /** The number of rows per run of the model, copies included. Default 4096. */
  readonly batchSize?: number
}

export interface KernelShapOptions<In = Tensor, Out = Tensor, Reference = BaselineOf<In>> extends ShapleyOptions<
  In,
  Out,
  Reference
> {
  /** The number of coalitions to evaluate, at most all of them. Default 2n + 2048 for n elements. */
  readonly samples?: number | null
  /** Determines the random coalitions. Default: drawn from the generator of setRandomSeed. */
  readonly seed?: number | null
}

export interface SampledShapleyOptions<In = Tensor, Out = Tensor, Reference = BaselineOf<In>> extends ShapleyOptions<
  In,
  Out,
  Reference
> {
  /** The number of random orders. Default 64. */
  readonly permutations?: number
  /** Whether each order is followed by its reverse, which reduces the error. Default true. */
  readonly antithetic?: boolean
  /** Determines the orders. Default: drawn from the generator of setRandomSeed. */
  readonly seed?: number | null
}

/** A decomposition estimated by sampling. */
export interface SampledDecomposition<In = Tensor> extends Decomposition<In> {
  /** The standard error of each attribution; NaN for a single order. */
  readonly standardError: In
}

const shapleyTable = () => ({ ...explainTable(), batchSize: option(count, 4096), background: dataOption })
const seed = option(nullable(integer()), null)

/** Twelve players have 4096 coalitions. */
const MOST_PLAYERS = 12
/** More would take minutes: the least squares add n² numbers for every coalition. */
const MOST_FITTED = 2048
/** More would exhaust memory: the coalitions along one order take n² bytes. */
const MOST_ORDERED = 4096

interface Prepared {
  readonly explained: Explained
  readonly game: Game
}

async function prepare(
  where: string,
  model: unknown,
  x: unknown,
  background: unknown,
  settings: Settings,
): Promise<Prepared> {
  const explained = await Explained.of(where, model, x, settings, 'without gradients')
  const rows = await explained.readBaselines('background', background, null)
  const counts = new Set(rows.map(({ shape }) => shape[0]!).filter((count) => count > 1))
  if (counts.size > 1)
    throw new ShapeError(
      `${where}: background must have the same number of rows for each input, received ${[...counts].join(' and ')}`,
    )
  return { explained, game: new Game(explained, rows) }
}

/** Collects the attributions of all players, row by row, and splits them by inputs. */
class Collected {
  private readonly attributions: Float64Array
  private readonly value: Float64Array
  private readonly base: Float64Array

  constructor(
    private readonly explained: Explained,
    private readonly players: number,
  ) {
    this.attributions = new Float64Array(explained.size * players)
    this.value = new Float64Array(explained.size)
    this.base = new Float64Array(explained.size)
  }

  put(row: number, attributions: ArrayLike<number>, value: number, base: number): void {
    this.attributions.set(attributions, row * this.players)
    this.value[row] = value
    this.base[row] = base
  }

  /** Splits [rows, players] into tensors of the inputs' shapes, or of a number for each row and column. */
  tensorsOf(all: ArrayLike<number>): Tensor[] {
    const { columns, inputs, size: rows } = this.explained
    const shapes = columns?.map(() => [rows]) ?? inputs.map(({ shape }) => shape)
    let first = 0
    return shapes.map((shape) => {
      const size = sizeOf(shape.slice(1))
      const begin = first
      first += size
      const data = Float32Array.from(
        { length: rows * size },
        (_, at) => all[Math.floor(at / size) * this.players + begin + (at % size)]!,
      )
      return new Tensor(data, shape, 'float32')
    })
  }

  /** These tensors in the structure of the inputs, or by column. */
  treeOf<In>(tensors: readonly Tensor[]): In {
    return this.explained.columns === null ? this.explained.treeOf(tensors) : this.explained.columnTree(tensors)
  }

  result<In>(): Decomposition<In> {
    const { explained } = this
    const attributions = this.tensorsOf(this.attributions)
    const [value, baseValue] = [vector(this.value), vector(this.base)]
    return {
      attributions: this.treeOf(attributions),
      value,
      units: explained.units,
      baseValue,
      gap: gapOf(value, baseValue, attributions),
    }
  }
}

/** All coalitions of n players: player i is a member of coalition k if bit i of k is set. */
function allCoalitions(n: number): Uint8Array {
  const masks = new Uint8Array(n * 2 ** n)
  for (let coalition = 0; coalition < 2 ** n; coalition++)
    for (let i = 0; i < n; i++) masks[coalition * n + i] = (coalition >> i) & 1
  return masks
}

/**
 * |S|! (n − |S| − 1)! / n! for each size of S: the fraction of orders in which exactly the players of S precede one
 * other player.
 */
function orderWeights(n: number): Float64Array {
  const weights = new Float64Array(n).fill(1 / n)
  for (let size = 1; size < n; size++) weights[size] = (weights[size - 1]! * size) / (n - size)
  return weights
}

/**
 * Exact Shapley values of up to twelve elements, or columns of a table: φᵢ = Σ over S without i of |S|! (n − |S| − 1)! / n! · (v(S ∪ i) −
 * v(S)), where v(S) is the model's mean output when the elements outside S come from background rows (SHAP's
 * interventional expectation). They sum to f(x) − v(∅). All 2ⁿ coalitions form one batch.
 *
 *   const { attributions, baseValue } = await shapleyValues(model, x, { background: xTrain.slice(0, 100) })
 *
 * A TableModel takes rows of its table, and each column counts as one element with all numbers that it is encoded by:
 *
 *   const { attributions } = await shapleyValues(model, rows.slice(0, 5), { background: rows })   // { age: Tensor [5], … }
 *
 * @throws ArgumentError for more than twelve elements in a row, and for a unit that does not exist; ShapeError for a
 * background that does not fit
 * Shapley 1953; Lundberg & Lee 2017. SHAP: `ExactExplainer`.
 */
export async function shapleyValues<In, Out, Kind extends Model<In, Out>>(
  model: Kind & Model<In, Out>,
  x: RowsOf<Kind, In>,
  options: ShapleyOptions<In, Out, ReferenceOf<Kind, In>> = {},
): Promise<Decomposition<AnswerOf<Kind, In>>> {
  requireArguments('shapleyValues', arguments, 3)
  const { background, ...settings } = readOptions('shapleyValues', shapleyTable(), options)
  const { explained, game } = await prepare('shapleyValues', model, x, background, settings)
  const n = game.players
  if (n > MOST_PLAYERS) {
    throw new ArgumentError(
      `shapleyValues: takes up to ${MOST_PLAYERS} ${game.unit} in a row, because it evaluates all coalitions, received ${n}. Use the estimates kernelShap or sampledShapley.`,
    )
  }
  const masks = allCoalitions(n)
  const coalitions = 2 ** n
  const weights = orderWeights(n)
  const sizes = Uint8Array.from({ length: coalitions }, (_, coalition) => bitsIn(coalition))
  const collected = new Collected(explained, n)
  for await (const range of explained.ranges(game.copies(coalitions))) {
    const values = await game.values(range, masks)
    for (let r = 0; r < range.count; r++) {
      const found = new Float64Array(n)
      for (let coalition = 0; coalition < coalitions; coalition++) {
        const value = values[coalition * range.count + r]!
        for (let i = 0; i < n; i++) {
          // A coalition with i counts positively, one without i negatively.
          if ((coalition >> i) & 1) found[i]! += weights[sizes[coalition]! - 1]! * value
          else found[i]! -= weights[sizes[coalition]!]! * value
        }
      }
      collected.put(range.start + r, found, values[(coalitions - 1) * range.count + r]!, values[r]!)
    }
  }
  return collected.result()
}

function bitsIn(x: number): number {
  let count = 0
  for (let rest = x; rest > 0; rest >>= 1) count += rest & 1
  return count
}

const kernelTable = () => merged(shapleyTable(), { samples: option(nullable(tableSize()), null), seed })

/**
 * KernelSHAP: Shapley values by weighted least squares. The values v(S) of coalitions, weighted by (n − 1) / (C(n, |S|)
 * |S| (n − |S|)), are fitted by v(∅) + Σ φᵢ [i ∈ S] subject to Σ φᵢ = f(x) − v(∅). From sizes 1 and n − 1 inwards,
 * sizes that the number of samples covers are evaluated completely; for the others, coalitions are drawn, each with its
 * complement. With all coalitions the values are exact. There is no regularization (`l1_reg=False` in SHAP).
 *
 *   const { attributions } = await kernelShap(model, x, { background, samples: 2000, seed: 1 })
 *
 * A TableModel takes rows of its table, and answers by column, as shapleyValues does.
 *
 * @throws ArgumentError for more than 2048 elements in a row, for too few samples, and for a unit that does not exist;
 * ShapeError for a background that does not fit
 * Lundberg & Lee 2017, "A unified approach to interpreting model predictions". SHAP: `KernelExplainer`.
 */
export async function kernelShap<In, Out, Kind extends Model<In, Out>>(
  model: Kind & Model<In, Out>,
  x: RowsOf<Kind, In>,
  options: KernelShapOptions<In, Out, ReferenceOf<Kind, In>> = {},
): Promise<Decomposition<AnswerOf<Kind, In>>> {
  requireArguments('kernelShap', arguments, 3)
  const { background, samples, seed, ...settings } = readOptions('kernelShap', kernelTable(), options)
  const { explained, game } = await prepare('kernelShap', model, x, background, settings)
  const n = game.players
  if (n > MOST_FITTED) {
    throw new ArgumentError(
      `kernelShap: takes up to ${MOST_FITTED} ${game.unit} in a row, received ${n}. Use sampledShapley (up to ${MOST_ORDERED}), integratedGradients or occlusion.`,
    )
  }
  const chosen = drawCoalitions(n, coalitionSizes(n, samples ?? 2 * n + 2048), seed ?? nextSeed())
  const solve = leastSquares(n, chosen)
  if (solve === null) {
    throw new ArgumentError(
      `kernelShap: ${chosen.weights.length} coalitions do not determine the values of ${n} ${game.unit}. Give more samples.`,
    )
  }
  // The empty and the full coalition come first.
  const masks = new Uint8Array((chosen.weights.length + 2) * n)
  masks.fill(1, n, 2 * n)
  masks.set(chosen.masks, 2 * n)
  const collected = new Collected(explained, n)
  for await (const range of explained.ranges(game.copies(chosen.weights.length + 2))) {
    const values = await game.values(range, masks)
    for (let r = 0; r < range.count; r++) {
      const of = (coalition: number): number => values[coalition * range.count + r]!
      const [base, value] = [of(0), of(1)]
      const gains = Float64Array.from(chosen.weights, (_, k) => of(k + 2) - base)
      collected.put(range.start + r, solve(gains, value - base), value, base)
    }
  }
  return collected.result()
}

const sampledTable = () =>
  merged(shapleyTable(), {
    permutations: option(tableSize(), 64),
    antithetic: option(boolean, true),
    seed,
  })

/** The most coalitions evaluated at once. */
const TOGETHER = 4096

/**
 * Shapley values by random orders: elements are added one by one, and each is credited with the change of the output.
 * In every order the changes sum to f(x) − v(∅), and so do their means. n elements cost n + 1 rows of prediction for
 * each order and background row.
 *
 *   const { attributions, standardError } = await sampledShapley(model, x, { permutations: 200, seed: 1 })
 *
 * A TableModel takes rows of its table, and answers by column, as shapleyValues does.
 *
 * @returns also the standard error of each attribution: over the orders, or over the pairs of an order and its reverse
 * @throws ArgumentError for more than 4096 elements in a row, and for a unit that does not exist; ShapeError for a
 * background that does not fit
 * Castro et al. 2009; antithetic orders: Mitchell et al. 2022. Captum: `ShapleyValueSampling`; SHAP: `PermutationExplainer`.
 */
export async function sampledShapley<In, Out, Kind extends Model<In, Out>>(
  model: Kind & Model<In, Out>,
  x: RowsOf<Kind, In>,
  options: SampledShapleyOptions<In, Out, ReferenceOf<Kind, In>> = {},
): Promise<SampledDecomposition<AnswerOf<Kind, In>>> {
  requireArguments('sampledShapley', arguments, 3)
  const { background, permutations, antithetic, seed, ...settings } = readOptions(
    'sampledShapley',
    sampledTable(),
    options,
  )
  const { explained, game } = await prepare('sampledShapley', model, x, background, settings)
  const n = game.players
  if (n > MOST_ORDERED)
    throw new ArgumentError(
      `sampledShapley: takes up to ${MOST_ORDERED} ${game.unit} in a row, received ${n}. Use integratedGradients or occlusion.`,
    )
  const key = seed ?? nextSeed()
  const perRound = antithetic ? 2 : 1
  const rounds = Math.ceil(permutations / perRound)
  const coalitionsPerRound = perRound * (n + 1)
  // The number of rounds whose coalitions are evaluated together.
  const together = Math.max(1, Math.min(rounds, Math.floor(TOGETHER / coalitionsPerRound)))
  const collected = new Collected(explained, n)
  const errors = new Float64Array(explained.size * n)
  for await (const range of explained.ranges(game.copies(together * coalitionsPerRound))) {
    const gains = new RoundGains(n, range.count, perRound)
    for (let first = 0; first < rounds; first += together) {
      const orders = Array.from({ length: Math.min(together, rounds - first) }, (_, k) =>
        ordersOf(n, key, first + k, antithetic),
      ).flat()
      gains.add(orders, await game.values(range, coalitionsAlong(orders, n)))
    }
    for (let row = 0; row < range.count; row++) {
      collected.put(range.start + row, gains.means(row, rounds), gains.value[row]!, gains.base[row]!)
      errors.set(gains.standardErrors(row, rounds), (range.start + row) * n)
    }
  }
  return { ...collected.result<AnswerOf<Kind, In>>(), standardError: collected.treeOf(collected.tensorsOf(errors)) }
}

/** The gains of each player over rounds of orders, for some rows. A round is an order, or an order and its reverse. */
class RoundGains {
  /** [rows, players] */
  private readonly sums: Float64Array
  private readonly squares: Float64Array
  /** The values of the full and of the empty coalition, [rows]. */
  value = new Float64Array()
  base = new Float64Array()

  constructor(
    private readonly players: number,
    private readonly rows: number,
    private readonly perRound: number,
  ) {
    this.sums = new Float64Array(rows * players)
    this.squares = new Float64Array(rows * players)
  }

  /** @param values of the coalitions along each order, [orders · (players + 1), rows] */
  add(orders: readonly Int32Array[], values: Float64Array): void {
    const { players, rows, perRound, sums, squares } = this
    for (let row = 0; row < rows; row++) {
      for (let first = 0; first < orders.length; first += perRound) {
        this.gainsOf(orders, values, row, first).forEach((gain, player) => {
          sums[row * players + player]! += gain
          squares[row * players + player]! += gain * gain
        })
      }
    }
    this.base = values.slice(0, rows)
    this.value = values.slice(players * rows, (players + 1) * rows)
  }

  /** The mean gains of the round that begins with order `first`. */
  private gainsOf(orders: readonly Int32Array[], values: Float64Array, row: number, first: number): Float64Array {
    const { players, rows, perRound } = this
    const gains = new Float64Array(players)
    for (let k = first; k < first + perRound; k++) {
      orders[k]!.forEach((player, step) => {
        const at = (k * (players + 1) + step) * rows + row
        gains[player]! += (values[at + rows]! - values[at]!) / perRound
      })
    }
    return gains
  }

  means(row: number, rounds: number): Float64Array {
    const { players, sums } = this
    return sums.subarray(row * players, (row + 1) * players).map((sum) => sum / rounds)
  }

  /** NaN for a single round. */
  standardErrors(row: number, rounds: number): Float64Array {
    return this.means(row, rounds).map((mean, player) => {
      const variance = Math.max(0, this.squares[row * this.players + player]! / rounds - mean * mean) / (rounds - 1)
      return rounds === 1 ? NaN : Math.sqrt(variance)
    })
  }
}

/** The order of a round, followed by its reverse if antithetic. */
function ordersOf(n: number, seed: number, round: number, antithetic: boolean): Int32Array[] {
  const order = new Int32Array(n)
  permute(order, n, permutationKey(threefry2x32(seed, 0, round, 2)[0]))
  return antithetic ? [order, order.slice().reverse()] : [order]
}

/** The n + 1 coalitions along each order, from the empty to the full one. */
function coalitionsAlong(orders: readonly Int32Array[], n: number): Uint8Array {
  const masks = new Uint8Array(orders.length * (n + 1) * n)
  orders.forEach((order, k) => {
    order.forEach((player, step) => {
      for (let later = step + 1; later <= n; later++) masks[(k * (n + 1) + later) * n + player] = 1
    })
  })
  return masks
}
