// The options of fit, evaluate, predict, trainOnBatch and testOnBatch: a table for each method, with checks and defaults.

import { merged } from '../core/merged'
import { once } from '../core/once'
import { warnOnce } from '../core/warnings'
import { ArgumentError, knownName, quoted } from '../core/errors'
import {
  unchecked,
  abortSignal,
  always,
  boolean,
  count,
  custom,
  either,
  integer,
  nullAs,
  nullable,
  number,
  option,
  optionsIn,
  readOptions,
  readOverDefaults,
  unread,
  type AnyOption,
  type OptionInputs,
  type Kind,
  type OptionTable,
  type OptionalOption,
  type ValuesOf,
} from '../core/options'
import type { ClassWeights, SampleWeights, ValidationData } from '../data/samples/data-types'
import type { Tensor } from '../ops/tensor'
import type { StepKind } from './batch'
import { callbacksOf, type CallbackMethods, type Callbacks } from './callbacks/callback'

/** 0 silent, 1 a progress bar, 2 a line per epoch; 'auto' is 1. */
export type Verbosity = 'auto' | 0 | 1 | 2
/** How much is printed. */
type Level = 0 | 1 | 2

const LEVELS: ReadonlyMap<unknown, Level> = /* @__PURE__ */ new Map<unknown, Level>([
  ['auto', 1],
  [0, 0],
  [1, 1],
  [2, 2],
])

const level = custom<Level, Verbosity>(
  (value, where) => {
    const found = LEVELS.get(value)
    if (found !== undefined) return found
    throw new ArgumentError(`${where} must be 'auto', 0, 1 or 2, received ${quoted(value)}`)
  },
  (value) => value,
)

const callbackList = custom<readonly CallbackMethods[], Callbacks>(callbacksOf, () => null)

const isEpochNumber = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 1

/** Numbers of epochs, counted from 1. */
const epochList = custom<readonly number[]>(
  (value, where) => {
    if (Array.isArray(value) && value.length > 0 && value.every(isEpochNumber)) return value
    throw new ArgumentError(`${where} must be an integer ≥ 1 or a list of epochs, from 1 on, received ${quoted(value)}`)
  },
  (value) => value,
)

const shuffle = (): Kind<boolean, boolean | 'batch'> => ({
  ...boolean,
  read: (value, where) => value !== 'batch' && boolean.read(value, where),
})

/** Data, which are not checked here: parse.ts checks them. */
function data<Value>(): Kind<Value | null> {
  const { read, write } = unchecked<Value | null>()
  return { read: (value, where) => read(value ?? null, where), write }
}

/** What an option adds that is only for data in arrays. */
interface OnlyForArrays {
  /** What to do instead if the data are batches: the end of the error or of the warning. */
  readonly instead: string
  /** Whether the option changes nothing if the data are batches; otherwise it is an error. */
  readonly isIdle: boolean
}

function forArrays<Value, Input>(
  option: OptionalOption<Value, Input>,
  instead: string,
  isIdle = false,
): OptionalOption<Value, Input> & OnlyForArrays {
  return { ...option, instead, isIdle }
}

/** Samples per step; null is the default, as in Keras. */
const batchSize = () => forArrays(option(nullAs(count, 32), 32), 'Batches already have a size.', true)

const resultOptions = () => ({
  /** Accepted for compatibility with Keras: results are records by name. */
  returnDict: unread(always([true], 'results are records by name, such as { loss: 0.5 }'), true),
})

const weightOptions = () => ({
  /** One weight per sample, or per step of a sequence; with several outputs, for all or for each. */
  sampleWeight: forArrays(
    option(data<SampleWeights>(), null),
    'Put the weights into the batches: [x, y, sampleWeight].',
  ),
})

const classWeightOptions = () => ({
  /**
   * Class number → weight ≥ 0, for targets with one class per sample; with several outputs, one such record for each,
   * by name or position. With `sampleWeight`, the two weights are multiplied; Keras refuses both together.
   */
  classWeight: option(data<ClassWeights>(), null),
})

// The options have Keras's order, in which they may be arguments.
const fitOptions = () =>
  merged(
    {
      /** Samples per step, for data in arrays. Default 32. */
      batchSize: batchSize(),
      /** The number of the epoch at which training ends; 0: no epoch is trained. Default 1. */
      epochs: option(integer({ min: 0 }), 1),
      /** 0 silent, 1 a progress bar, 2 a line per epoch. Default 'auto': 1. */
      verbose: option(level, 'auto'),
      /** Callbacks whose methods are called between steps and epochs. Default none. */
      callbacks: option(callbackList, null),
      /** The share of the data, taken from their end, that is used for validation. Excludes validationData. Default 0. */
      validationSplit: forArrays(option(number({ min: 0, below: 1 }), 0), 'Give other batches as validationData.'),
      /** Data to validate on: [x, y], [x, y, sampleWeight], or batches of them. */
      validationData: option(data<ValidationData>(), null),
      /**
       * Whether to draw the samples of each epoch in a new order. Default true. 'batch', an order of the samples within each step, is
       * false: it changes no mean over a step.
       */
      shuffle: option(shuffle(), true),
    },
    classWeightOptions(),
    {
      ...weightOptions(),
      /** The epoch to start at, for resuming. Default 0. */
      initialEpoch: option(integer({ min: 0 }), 0),
      /**
       * Steps of an epoch. The next epoch continues where this one stopped; the epoch also ends when the data end. Default
       * null: until the data end. Required for endless data.
       */
      stepsPerEpoch: option(nullable(count), null),
      /** The number of validation batches to use, from the first on. Default null: all. */
      validationSteps: option(nullable(count), null),
      /** Samples per step of validation. Default null: batchSize. */
      validationBatchSize: option(nullable(count), null),
      /**
       * The number of epochs between validations; or a list of the epochs after which to validate, counted from 1. Default
       * 1.
       */
      validationFreq: option(
        either(count, epochList, (value) => typeof value === 'number'),
        1,
      ),
      /** Ends training after the current step, or while a batch is awaited; fit then rejects with the signal's reason. */
      signal: option(nullable(abortSignal), null),
    },
  )
type FitTable = ReturnType<typeof fitOptions>
/** The options of fit after they were read. */
export type FitSettings = ValuesOf<FitTable>
export type FitOptions<In = Tensor, Out = Tensor> = Omit<OptionInputs<FitTable>, 'validationData'> & {
  /** Data to validate on: [x, y], [x, y, sampleWeight], or batches of them. */
  validationData?: ValidationData<In, Out> | null | undefined
}

const evaluateOptions = () =>
  merged(
    {
      /** Samples per step. Default 32. */
      batchSize: batchSize(),
      /** 0 silent, otherwise a line with the result. Default 0. */
      verbose: option(level, 0),
      ...weightOptions(),
      /** The number of batches to use. Default null: all. */
      steps: option(nullable(count), null),
      /** Callbacks whose test methods are called. Default none. */
      callbacks: option(callbackList, null),
    },
    resultOptions(),
    {
      /** Ends it after the current step, or while a batch is awaited; evaluate then rejects with the signal's reason. */
      signal: option(nullable(abortSignal), null),
    },
  )
export type EvaluateOptions = OptionInputs<ReturnType<typeof evaluateOptions>>

const predictOptions = () => ({
  /** Samples per step. Default 32. */
  batchSize: batchSize(),
  /** Accepted for compatibility with Keras; nothing is printed. Default 0. */
  verbose: option(level, 0),
  /** The number of batches to use. Default null: all. */
  steps: option(nullable(count), null),
  /** Callbacks whose prediction methods are called. Default none. */
  callbacks: option(callbackList, null),
  /** Ends it after the current step, or while a batch is awaited; predict then rejects with the signal's reason. */
  signal: option(nullable(abortSignal), null),
})
export type PredictSettings = ValuesOf<ReturnType<typeof predictOptions>>
export type PredictOptions = OptionInputs<ReturnType<typeof predictOptions>>

const onBatchOptions = () => merged({ ...weightOptions() }, classWeightOptions(), resultOptions())
export type TrainOnBatchOptions = OptionInputs<ReturnType<typeof onBatchOptions>>

/** A method of models, with its options. */
export class Method<out Options, out Kind extends StepKind | 'predict'> {
  constructor(
    readonly name: string,
    /** The kind of step that it runs. */
    readonly kind: Kind,
    private readonly table: () => OptionTable,
    /** Reads the options of a call. @throws ArgumentError for unknown options and wrong values */
    readonly read: (options: object | undefined) => Options,
  ) {}

  /** The name of an option in this library's spelling; undefined if there is none. */
  nameOf(key: string): string | undefined {
    return knownName(key, Object.keys(this.table()))
  }

  /** The arguments after the data as options: `fit(x, y, 32, 5)`, `fit(x, y, { epochs: 5 })`. */
  optionsIn(args: readonly unknown[]): object | undefined {
    return args.every((each) => each === undefined) ? undefined : optionsIn(this.name, Object.keys(this.table()), args)
  }

  /** Refuses options that are only for arrays, or warns of those that change nothing because the batches decide them. */
  checkForBatches(options: object = {}): void {
    for (const [key, value] of Object.entries(options)) {
      const name = this.nameOf(key)!
      const option: AnyOption & Partial<OnlyForArrays> = this.table()[name]!
      const { instead, isIdle } = option
      if (value == null || value === option.initial?.(this) || instead === undefined) continue
      if (!isIdle) throw new ArgumentError(`${this.name}: ${name} is for arrays. ${instead}`)
      warnOnce(`${this.name}: ${name} changes nothing here. ${instead}`)
    }
  }
}

/** @param check checks options against each other */
function method<Table extends OptionTable, const Kind extends StepKind | 'predict'>(
  name: string,
  kind: Kind,
  declare: () => Table,
  check: (options: ValuesOf<Table>) => void = () => {},
): Method<ValuesOf<Table>, Kind> {
  const table = once(declare)
  // Calls are frequent, and most have few options or none.
  const defaults = once(() => readOptions(name, table(), undefined))
  return new Method(name, kind, table, (options) => {
    if (options === undefined) return defaults()
    const values = readOverDefaults(name, table(), options, defaults())
    check(values)
    return values
  })
}

export const FIT = /* @__PURE__ */ method(
  'fit',
  'train',
  fitOptions,
  ({ validationSplit, validationData, validationSteps, validationBatchSize, validationFreq }) => {
    if (validationSplit !== 0 && validationData !== null)
      warnOnce('fit: validationSplit changes nothing beside validationData')
    if (validationSplit !== 0 || validationData !== null) return
    const forValidation = {
      validationSteps,
      validationBatchSize,
      validationFreq: validationFreq === 1 ? null : validationFreq,
    }
    const unread = Object.entries(forValidation).find(([, value]) => value !== null)
    if (unread !== undefined) warnOnce(`fit: ${unread[0]} changes nothing without validationData or a validationSplit`)
  },
)
export const EVALUATE = /* @__PURE__ */ method('evaluate', 'test', evaluateOptions)
export const PREDICT = /* @__PURE__ */ method('predict', 'predict', predictOptions)
export const TRAIN_ON_BATCH = /* @__PURE__ */ method('trainOnBatch', 'train', onBatchOptions)
export const TEST_ON_BATCH = /* @__PURE__ */ method('testOnBatch', 'test', onBatchOptions)
