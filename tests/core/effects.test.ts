// Every option of layers, losses, metrics, optimizers, their parts and callbacks has an effect: two legal values give different outputs,
// weights, penalties, files, printed lines or state. Options without an effect are listed with the reason.
// modes: simd

import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { clearSession } from '../../src'
import { optionsOf, type AnyOption } from '../../src/core/options'
import { forgetWarnings } from '../../src/core/warnings'
import { legalValues, store } from '../helpers/legal-values'
import { subjects, tried, type Subject } from '../helpers/subjects'

/** Options that have an effect only together with others: the others, by `class option` or `kind option`. */
const BESIDE: Readonly<Record<string, object>> = {
  'optimizer emaMomentum': { useEma: true },
  'optimizer emaOverwriteFrequency': { useEma: true },
  'optimizer noWeightDecay': { weightDecay: 0.5 },
  'RotaryEmbedding longFrequencies': { frequencies: [1], originalLength: 2 },
  'RotaryEmbedding originalLength': { frequencies: [1], longFrequencies: [3] },
  'SGD nesterov': { momentum: 0.9 },
  'CosineDecay warmupSteps': { warmupTarget: 0.3 },
  'PolynomialDecay cycle': { power: 2, endLearningRate: 0.001, decaySteps: 3 },
  'OneCycle threePhase': { warmupFraction: 0.2 },
  'BinaryFocalCrossentropy alpha': { applyClassBalancing: true },
  'AUC numLabels': { multiLabel: true },
  'AUC summationMethod': { numThresholds: 5 },
  'IoU axis': { sparseYPred: false },
  'MeanIoU axis': { sparseYPred: false },
  'BatchNormalization renormClipping': { renorm: true },
  'BatchNormalization renormMomentum': { renorm: true },
  'initializer inputAxes': { outputAxes: [1] },
  'initializer outputAxes': { inputAxes: [0] },
  'StringLookup salt': { numOovIndices: 3 },
  'IntegerLookup oovMethod': { numOovIndices: 3 },
  'IntegerLookup salt': { numOovIndices: 3, oovMethod: 'farmhash' },
  'CutMix dataFormat': { seed: 2 },
  'RandAugment interpolation': { numOps: 8, seed: 2 },
  'RandomShear fillValue': { fillMode: 'constant', xFactor: [0.8, 0.9] },
  'RandomTranslation fillValue': { fillMode: 'constant' },
  'RandomZoom fillValue': { fillMode: 'constant', heightFactor: [0.4, 0.6] },
  'StringLookup maxTokens': { outputMode: 'multiHot', padToMaxTokens: true },
  'StringLookup padToMaxTokens': { outputMode: 'multiHot', maxTokens: 9 },
  'StringLookup idfWeights': { outputMode: 'tfIdf' },
  'IntegerLookup maxTokens': { outputMode: 'multiHot', padToMaxTokens: true },
  'IntegerLookup padToMaxTokens': { outputMode: 'multiHot', maxTokens: 9 },
  'IntegerLookup idfWeights': { outputMode: 'tfIdf' },
  'TextVectorization maxTokens': { outputMode: 'multiHot', padToMaxTokens: true },
  'TextVectorization padToMaxTokens': { outputMode: 'multiHot', maxTokens: 9 },
  'TextVectorization idfWeights': { outputMode: 'tfIdf' },
  'BackupAndRestore saveFreq': { store: store },
  'EmissionsTracker project': { log: 'emissions.csv' },
  'EarlyStopping baseline': { patience: 3 },
  'EarlyStopping startFromEpoch': { patience: 1, minDelta: 10 },
  'ReduceLROnPlateau mode': { patience: 1 },
  'ReduceLROnPlateau factor': { patience: 1, minDelta: 10 },
  'ReduceLROnPlateau minDelta': { patience: 1 },
  'ReduceLROnPlateau cooldown': { patience: 1, minDelta: 10 },
  'ReduceLROnPlateau minLr': { patience: 1, minDelta: 10 },
  'ReduceLROnPlateau verbose': { patience: 1, minDelta: 10 },
  'ModelCheckpoint monitor': { saveBestOnly: true },
  'ModelCheckpoint mode': { saveBestOnly: true },
  'ModelCheckpoint initialValueThreshold': { saveBestOnly: true },
}

interface Silent {
  readonly options: readonly string[]
  /** Default: all that have the option. */
  readonly only?: (subject: Subject) => boolean
  readonly why: string
}

const named =
  (...names: readonly string[]) =>
  ({ name }: Subject): boolean =>
    names.includes(name)
const SILENT: readonly Silent[] = [
  { options: ['dtype'], why: 'there is one dtype to compute in' },
  { options: ['name'], why: 'it is the name of the object in messages and files' },
  {
    options: ['sparse', 'relativeStep', 'ragged', 'synchronized'],
    why: 'they change nothing, and values of Keras that do are refused',
  },
  { options: ['reverseDtype'], why: 'there is one dtype to compute in' },
  { options: ['logitSoftCap'], why: 'it changes calls with reverse: tests/layers/embedding.test.ts' },
  { options: ['inputDim'], why: 'it is an abbreviation of inputShape' },
  { options: ['trainable'], only: ({ name }) => name === 'InputLayer', why: 'it has no weights' },
  {
    options: ['inputShape'],
    only: named('StackedRNNCells', 'LSTMCell', 'GRUCell', 'SimpleRNNCell', 'InputLayer'),
    why: 'it is refused: the layer that calls a cell, and the option shape of an input, determine the shape',
  },
  {
    options: ['dataFormat'],
    only: named(
      'MixUp',
      'RandomBrightness',
      'RandomInvert',
      'Solarization',
      'RandomPosterization',
      'MaxNumBoundingBoxes',
    ),
    why: 'they change whole pictures or single numbers, wherever the channels are',
  },
  {
    options: ['fillMode'],
    only: named('Resizing'),
    why: 'they change nothing, and values of Keras that do are refused',
  },
  { options: ['epsilon'], only: named('Discretization'), why: 'adapt reads it' },
  {
    options: ['oovToken'],
    only: named('StringLookup'),
    why: 'it affects only the result of invert, which takes numbers in place of strings',
  },
  {
    options: [
      'learningRate',
      'weightDecay',
      'clipnorm',
      'clipvalue',
      'globalClipnorm',
      'useEma',
      'emaMomentum',
      'emaOverwriteFrequency',
      'lossScaleFactor',
      'gradientAccumulationSteps',
      'groups',
      'noWeightDecay',
    ],
    only: named('MultiOptimizer', 'LossScaleOptimizer'),
    why: 'they are set in the inner optimizers, and refused here',
  },
  { options: ['unroll'], why: 'a loop is one instruction; setting it prints a warning' },
  {
    options: ['pue', 'perJoule'],
    why: 'joules depend on the machine: tests/thrift/emissions.test.ts and budget.test.ts',
  },
  {
    options: ['intensity'],
    only: named('Budget'),
    why: 'it matters for gCO2e only, which depends on the machine: tests/thrift/budget.test.ts',
  },
  {
    options: ['country'],
    why: 'it takes the code of a country only, and gCO2e depends on the machine: tests/thrift/emissions.test.ts',
  },
  {
    options: ['verbose'],
    only: named('Homeostat'),
    why: 'it acts after hundreds of steps: tests/balance/homeostat.test.ts',
  },
  { options: ['implementation'], why: 'both give the same numbers' },
  { options: ['raiseError'], why: 'it acts when training fails: tests/training/callbacks.test.ts' },
]

beforeAll(() => void vi.spyOn(console, 'warn').mockImplementation(() => undefined))
afterAll(() => void vi.restoreAllMocks())

const seen = async (subject: Subject, other: object): Promise<string | null> => {
  clearSession()
  try {
    return JSON.stringify(await tried(subject, other))
  } catch {
    return null
  }
}

/** Whether two legal values of an option differ in what the object does. */
async function hasEffect(rows: readonly Subject[], option: string): Promise<boolean> {
  for (const row of rows) {
    const beside = BESIDE[`${row.name} ${option}`] ?? BESIDE[`${row.kind} ${option}`] ?? {}
    const usual = new Set<string>()
    const first = await seen(row, beside)
    if (first !== null) usual.add(first)
    for (const value of legalValues()) {
      const found = await seen(row, { ...beside, [option]: value })
      if (found !== null) usual.add(found)
      if (usual.size > 1) return true
    }
  }
  return false
}

const all = subjects()
const classes = [...new Set(all.map(({ kind, name }) => `${kind} ${name}`))]

const tests = classes.flatMap((title) => {
  const rows = all.filter(({ kind, name }) => `${kind} ${name}` === title)
  const isSilent = (option: string): boolean =>
    SILENT.some(({ options, only = () => true }) => options.includes(option) && only(rows[0]!))
  const options = Object.entries<AnyOption>(optionsOf(rows[0]!.of))
    .filter(([option, { unread }]) => !isSilent(option) && unread !== true)
    .map(([option]) => option)

  return options.map((option) => ({ title: `${title}: ${option}`, rows, option }))
})

it.each(tests)('$title', async ({ rows, option }) => {
  expect(await hasEffect(rows, option)).toBe(true)
})

const unread = new Map(
  all.flatMap(({ name, of }) =>
    Object.entries<AnyOption>(optionsOf(of))
      .filter(([, kind]) => kind.unread === true)
      .map(([option, kind]) => [`${name}: ${option}`, kind] as const),
  ),
)

it.each([...unread])('%s, which is only checked, has one meaning without a warning', (_title, kind) => {
  const warned = vi.spyOn(console, 'warn').mockImplementation(() => undefined)
  const meanings = [...legalValues(), true, false, null].flatMap((value) => {
    forgetWarnings()
    warned.mockClear()
    try {
      const meaning = kind.read(value, '') ?? false
      return warned.mock.calls.length === 0 ? [meaning] : []
    } catch {
      return []
    }
  })
  // 'auto' decides for what there is.
  expect(new Set(meanings.filter((each) => each !== 'auto')).size).toBeLessThanOrEqual(1)
})

it('every listed option exists', () => {
  const known = new Set(all.flatMap(({ of }) => Object.keys(optionsOf(of))))
  for (const { options } of SILENT) for (const option of options) expect(known, option).toContain(option)
  for (const key of Object.keys(BESIDE)) expect(known, key).toContain(key.split(' ')[1])
})
