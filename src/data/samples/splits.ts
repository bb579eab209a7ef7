// Splits of rows into training and test data, folds, and class weights. data/cross-validate.ts trains on folds.

import { requireArguments } from '../../core/arguments'
import { ArgumentError, DataError, quoted } from '../../core/errors'
import {
  boolean,
  custom,
  extent,
  integer,
  nullable,
  option,
  readOptions,
  type OptionInputs,
  type Kind,
} from '../../core/options'
import { permutation } from '../../ops/random/permutation'
import { nextSeed } from '../../ops/random/seed'
import { oneHot } from '../../ops/nn/one-hot'
import { firstOutside } from '../../ops/numpy/along'
import { reshape } from '../../ops/numpy/shape'
import { toTensor, type ShapedData, type TensorLike } from '../../ops/convert'
import type { Tensor } from '../../ops/tensor'
import { countsOf, labelsOf, rowCount, rowsOf, type Label, type Labels, type RowData, type RowsByName } from './rows'

const labels: Kind<readonly Label[], Labels> = custom(labelsOf, (value) => [...value])

const share: Kind<number> = custom(
  (value, where) => {
    if (typeof value === 'number' && value > 0 && (value < 1 || Number.isInteger(value))) return value
    throw new ArgumentError(`${where} must be a share between 0 and 1 or a number of rows, received ${quoted(value)}`)
  },
  (value) => value,
)

const splitOptions = () => ({
  /** The share of the rows for testing, rounded up, or their number. Default 0.25. */
  testSize: option(share, 0.25),
  /** Whether rows are drawn at random; otherwise the last ones are taken. Default true. */
  shuffle: option(boolean, true),
  /** A label for each row: both parts then have the label proportions of the whole. Default: none. */
  stratify: option(nullable(labels), null),
  /** The seed of the split. Default: derived from `setRandomSeed`. */
  seed: option(nullable(integer()), null),
})
/** Options of `trainTestSplit`. */
export type SplitOptions = OptionInputs<ReturnType<typeof splitOptions>>

type Part<Data> = Data extends ShapedData ? Tensor : Data
/** For each of the data, the training part and the test part. */
export type Split<Data> = Data extends readonly [infer First, ...infer Rest]
  ? [Part<First>, Part<First>, ...Split<Rest>]
  : []

/**
 * Splits data into a training part and a test part. All data are split at the same rows.
 *
 *   const [xTrain, xTest, yTrain, yTest] = trainTestSplit(x, y, { testSize: 0.2, stratify: y, seed: 1 })
 *
 * scikit-learn: `train_test_split`; the numbers of rows are the same, the order is different.
 * @throws DataError for too few rows, or a label with a single row
 */
export function trainTestSplit<Data extends readonly RowData[]>(...data: Data): Split<Data>
export function trainTestSplit<Data extends readonly RowData[]>(
  ...args: [...data: Data, options: SplitOptions]
): Split<Data>
export function trainTestSplit(...args: readonly unknown[]): unknown {
  const last = args.at(-1)
  const hasOptions =
    typeof last === 'object' && last !== null && !Array.isArray(last) && !ArrayBuffer.isView(last) && !('shape' in last)
  const data = hasOptions ? args.slice(0, -1) : args
  if (data.length === 0) throw new ArgumentError('trainTestSplit: no data to split')
  const options = readOptions('trainTestSplit', splitOptions(), hasOptions ? last : {})
  const count = sameCount(data, 'trainTestSplit')
  const tested = options.testSize < 1 ? Math.ceil(options.testSize * count) : options.testSize
  if (tested >= count)
    throw new DataError(`trainTestSplit: testSize ${options.testSize} leaves no row to train, there are ${count}`)
  const { train, test } = split(count, tested, options)
  return data.flatMap((each) => [rowsOf(each, train), rowsOf(each, test)])
}

function split(
  count: number,
  tested: number,
  { shuffle, stratify, seed }: { shuffle: boolean; stratify: readonly Label[] | null; seed: number | null },
): Fold {
  if (!shuffle) {
    if (stratify !== null)
      throw new ArgumentError(
        'trainTestSplit: stratify needs shuffle: true. Without shuffle, the last rows are the test set',
      )
    return partsOf(count, (i) => i >= count - tested)
  }
  const order = permutation(count, seed ?? nextSeed())
  if (stratify === null) return { train: order.slice(tested), test: order.slice(0, tested) }
  requireAsMany(stratify, count, 'trainTestSplit: stratify')
  const left = testedByLabel(countsOf(stratify), count, tested)
  const isTested = Array.from(order, (i) => {
    const rest = left.get(stratify[i]!)!
    left.set(stratify[i]!, rest - 1)
    return rest > 0
  })
  return { train: order.filter((_, at) => !isTested[at]), test: order.filter((_, at) => isTested[at]) }
}

/**
 * The number of test rows of each label: proportional, rounded down, plus one for those with the largest remainders.
 */
function testedByLabel(counts: Map<Label, number>, count: number, tested: number): Map<Label, number> {
  const few = [...counts].find(([, each]) => each < 2)
  if (few !== undefined)
    throw new DataError(`trainTestSplit: stratify needs two rows of each label, there is one of ${quoted(few[0])}`)
  if (Math.min(tested, count - tested) < counts.size) {
    throw new DataError(
      `trainTestSplit: stratify needs a row of each of ${counts.size} labels in both parts, which have ${count - tested} and ${tested}`,
    )
  }
  const trained = [...counts].map(([label, each]) => {
    const exact = (each * (count - tested)) / count
    return { label, each, whole: Math.floor(exact), rest: exact - Math.floor(exact) }
  })
  const missing = count - tested - trained.reduce((sum, { whole }) => sum + whole, 0)
  const byRest = [...trained].sort((a, b) => b.rest - a.rest)
  return new Map(byRest.map(({ label, each, whole }, i) => [label, each - whole - Number(i < missing)]))
}

/** The rows of a fold, in ascending order unless they are shuffled. */
export interface Fold {
  readonly train: Int32Array
  readonly test: Int32Array
}

function partsOf(count: number, isTested: (i: number) => boolean): Fold {
  const all = Int32Array.from({ length: count }, (_, i) => i)
  return { train: all.filter((i) => !isTested(i)), test: all.filter(isTested) }
}

const foldTable = () => ({
  /** The number of folds. Default 5. */
  folds: option(integer({ min: 2 }), 5),
  /** Whether rows (with `groups`, groups) are assigned in random order. Default false. */
  shuffle: option(boolean, false),
  /** A label for each row: every fold then has the label proportions of the whole. Default: none. */
  stratify: option(nullable(labels), null),
  /** A group name for each row: rows of the same group, such as one patient, are in the same fold. Default: none. */
  groups: option(nullable(labels), null),
  /** The seed of the order. Default: derived from `setRandomSeed`. */
  seed: option(nullable(integer()), null),
})
/** Options of `kFold`. */
export type FoldOptions = OptionInputs<ReturnType<typeof foldTable>>

/**
 * Splits rows into folds; each is the test data of a model trained on the others.
 *
 *   for (const { train, test } of kFold(x, { folds: 5, stratify: y })) …
 *
 * scikit-learn: `KFold`, with `stratify` `StratifiedKFold`, with `groups` `GroupKFold`; without shuffling, the folds
 * are the same.
 * @param data rows, or their number
 * @throws DataError for fewer rows, fewer groups, or fewer rows of every label than folds
 */
export function kFold(data: number | RowsByName, options: FoldOptions = {}): Fold[] {
  requireArguments('kFold', arguments, 2)
  const { folds, shuffle, stratify, groups, seed } = readOptions('kFold', foldTable(), options)
  const count = typeof data === 'number' ? extent.read(data, 'kFold: the number of rows') : rowCount(data, 'kFold')
  if (stratify !== null && groups !== null) throw new ArgumentError('kFold: stratify and groups exclude each other')
  if (stratify !== null) requireAsMany(stratify, count, 'kFold: stratify')
  if (groups !== null) requireAsMany(groups, count, 'kFold: groups')
  if (folds > count) throw new DataError(`kFold: ${folds} folds need at least as many rows, there are ${count}`)
  const orderOf = (size: number): ArrayLike<number> =>
    shuffle ? permutation(size, seed ?? nextSeed()) : Int32Array.from({ length: size }, (_, i) => i)
  const deal = (): Int32Array => {
    if (stratify !== null) return dealtByLabel(stratify, folds, orderOf)
    return groups === null ? dealt(orderOf(count), folds) : dealtByGroup(groups, folds, shuffle ? orderOf : null)
  }
  const foldOf = deal()
  return Array.from({ length: folds }, (_, fold) => partsOf(count, (i) => foldOf[i] === fold))
}

/** Assigns runs of an order to folds; the first runs are longer by one. */
function dealt(order: ArrayLike<number>, folds: number): Int32Array {
  const foldOf = new Int32Array(order.length)
  const [size, longer] = [Math.floor(order.length / folds), order.length % folds]
  for (let at = 0; at < order.length; at++) {
    const isLong = at < longer * (size + 1)
    foldOf[order[at]!] = isLong ? Math.floor(at / (size + 1)) : longer + Math.floor((at - longer * (size + 1)) / size)
  }
  return foldOf
}

/** Assigns the rows of each label separately. The sizes result from dealing all rows one by one, label after label. */
function dealtByLabel(
  stratify: readonly Label[],
  folds: number,
  orderOf: (size: number) => ArrayLike<number>,
): Int32Array {
  const counts = countsOf(stratify)
  const most = Math.max(...counts.values())
  if (most < folds)
    throw new DataError(`kFold: ${folds} folds need at least as many rows of one label, there are at most ${most}`)
  let dealtBefore = 0
  const order = orderOf(stratify.length)
  const foldsOf = new Map(
    [...counts].map(([label, count]) => {
      const sizes = Array.from(
        { length: folds },
        (_, fold) => passesOf(dealtBefore + count, folds, fold) - passesOf(dealtBefore, folds, fold),
      )
      dealtBefore += count
      return [label, sizes.flatMap((size, fold) => Array.from({ length: size }, () => fold)).values()]
    }),
  )
  const foldOf = new Int32Array(stratify.length)
  for (let at = 0; at < order.length; at++) foldOf[order[at]!] = foldsOf.get(stratify[order[at]!]!)!.next().value!
  return foldOf
}

/** How many of the first `count` rows fold `fold` gets if rows are dealt one by one. */
function passesOf(count: number, folds: number, fold: number): number {
  return Math.ceil((count - fold) / folds)
}

/**
 * Assigns the largest groups first, each to the fold with the fewest rows; with shuffling, equally many groups to each.
 */
function dealtByGroup(
  groups: readonly Label[],
  folds: number,
  orderOf: ((size: number) => ArrayLike<number>) | null,
): Int32Array {
  const counts = [...countsOf(groups)].sort(([a], [b]) => (a < b ? -1 : 1))
  if (counts.length < folds)
    throw new DataError(`kFold: ${folds} folds need as many groups, there are ${counts.length}`)
  if (orderOf !== null) {
    const foldOf = dealt(orderOf(counts.length), folds)
    const byName = new Map(counts.map(([name], i) => [name, foldOf[i]!]))
    return Int32Array.from(groups, (name) => byName.get(name)!)
  }
  const rows = Array.from({ length: folds }, () => 0)
  // Among groups of the same size, scikit-learn takes the last first.
  const byName = new Map(
    counts
      .reverse()
      .sort((a, b) => b[1] - a[1])
      .map(([name, count]) => {
        const fold = rows.indexOf(Math.min(...rows))
        rows[fold]! += count
        return [name, fold]
      }),
  )
  return Int32Array.from(groups, (name) => byName.get(name)!)
}

/**
 * Weights that balance the classes: samples / (classes · samples of the class).
 *
 *   classWeights([0, 0, 0, 1])                                   // { 0: 2/3, 1: 2 }
 *   await model.fit(x, y, { classWeight: classWeights(y) })
 *
 * scikit-learn: `compute_class_weight('balanced')`.
 * @param y class numbers
 */
export function classWeights(y: TensorLike): Record<number, number> {
  requireArguments('classWeights', arguments, 1)
  const { data, shape } = toTensor(y, 'classWeights')
  if (data.length !== shape[0])
    throw new ArgumentError(
      `classWeights: expected a class number for each sample, received shape [${shape.join(', ')}]`,
    )
  const wrong = data.find((label) => !Number.isInteger(label) || label < 0)
  if (wrong !== undefined) throw new DataError(`classWeights: labels must be class numbers 0, 1, …, received ${wrong}`)
  const counts = [...countsOf<number>([...data])]
  return Object.fromEntries(counts.map(([label, count]) => [label, data.length / (counts.length * count)]))
}

export interface ClassCount {
  /** The number of classes. Default: one more than the largest number. */
  readonly numClasses?: number
}

/**
 * Class numbers as one-hot rows: [samples, classes]; steps of sequences as [samples, steps, classes].
 *
 *   toCategorical([0, 2])   // [[1, 0, 0], [0, 0, 1]]
 *
 * Keras: `keras.utils.to_categorical`.
 * @param classes the number of classes, also as { numClasses }; by default one more than the largest number
 * @throws DataError for values that are not class numbers
 */
export function toCategorical(y: TensorLike, classes?: number | ClassCount | null): Tensor {
  requireArguments('toCategorical', arguments, 2)
  const numClasses = typeof classes === 'object' ? classes?.numClasses : classes
  const labels = toTensor(y, 'toCategorical')
  let largest = -1
  for (const label of labels.data) largest = Math.max(largest, label)
  const rows = labels.rank > 1 && labels.shape.at(-1) === 1 ? reshape(labels, labels.shape.slice(0, -1)) : labels
  const count = numClasses ?? largest + 1
  const at = firstOutside(rows.data, 0, count)
  if (at >= 0)
    throw new DataError(
      `toCategorical: expected class numbers 0 … ${count - 1}, received ${rows.data[at]} as element ${at}`,
    )
  return oneHot(rows, count)
}

/** The common number of rows of all data. @throws DataError if the numbers differ or are 0 */
export function sameCount(data: readonly unknown[], where: string): number {
  const counts = data.map((each, i) => rowCount(each, `${where}: data ${i}`))
  const other = counts.find((count) => count !== counts[0])
  if (other !== undefined)
    throw new DataError(`${where}: all data must have the same number of rows, received ${counts[0]} and ${other}`)
  if (counts[0] === 0) throw new DataError(`${where}: there are no rows`)
  return counts[0]!
}

function requireAsMany(labels: readonly Label[], count: number, where: string): void {
  if (labels.length !== count)
    throw new DataError(`${where} must have a label for each of ${count} rows, received ${labels.length}`)
}
