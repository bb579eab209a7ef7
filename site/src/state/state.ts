// The state of the page: one value that can be serialised. The URL carries it (url.ts); everything else follows from it.

import type { Point } from '../data/points'
import { layerOf, type LayerSpec } from '../model/layers'

export const DATA_KINDS = {
  moons: 'Moons',
  circles: 'Circles',
  spirals: 'Spirals',
  xor: 'XOR',
  wave: 'Wave (regression)',
  drawn: 'Drawn by hand',
  penguins: 'Penguins',
  digits: 'Digits',
  table: 'A CSV file',
  images: 'Your images',
} as const
export type DataKind = keyof typeof DATA_KINDS

export interface DataSpec {
  readonly kind: DataKind
  /** Of generated data. */
  readonly rows: number
  /** The standard deviation of the noise of generated data. */
  readonly noise: number
  /** Of data drawn by hand. */
  readonly points: readonly Point[]
}

export const OPTIMIZERS = ['adam', 'sgd', 'momentum', 'rmsprop', 'adamw', 'lion'] as const
export const SCHEDULES = ['constant', 'cosine', 'exponential'] as const
export const LOSSES = ['crossentropy', 'focal', 'squared', 'absolute', 'huber'] as const

/** Where training runs. */
export const DEVICES = ['cpu', 'gpu'] as const

export interface TrainingSpec {
  readonly optimizer: (typeof OPTIMIZERS)[number]
  readonly rate: number
  readonly schedule: (typeof SCHEDULES)[number]
  readonly loss: (typeof LOSSES)[number]
  readonly batch: number
  /** The factor of the L2 penalty on kernels; 0 for none. */
  readonly l2: number
  readonly seed: number
  /** On `gpu`, each program runs where it is measured to be faster. */
  readonly device: (typeof DEVICES)[number]
}

export const TABS = {
  learn: 'Learn',
  units: 'Units',
  weights: 'Weights',
  balance: 'Balance',
  explain: 'Explain',
  code: 'Code',
  files: 'Files',
} as const
export type Tab = keyof typeof TABS

export interface State {
  readonly data: DataSpec
  readonly layers: readonly LayerSpec[]
  readonly training: TrainingSpec
  readonly tab: Tab
}

export const INITIAL: State = {
  data: { kind: 'moons', rows: 300, noise: 0.15, points: [] },
  layers: [layerOf('dense', { units: 10, activation: 'relu' }), layerOf('dense', { units: 8, activation: 'relu' })],
  training: {
    optimizer: 'adam',
    rate: 0.01,
    schedule: 'constant',
    loss: 'crossentropy',
    batch: 32,
    l2: 0,
    seed: 1,
    device: 'cpu',
  },
  tab: 'learn',
}

/** What a data set needs so that a first run succeeds. */
export function suited(state: State, kind: DataKind): State {
  const isImage = kind === 'digits' || kind === 'images'
  const isNumber = kind === 'wave'
  const wasImage = state.layers.some((layer) => layer.kind === 'conv')
  const dense = INITIAL.layers
  const layers = isImage
    ? [layerOf('conv', { filters: 8 }), layerOf('pool', {}), layerOf('dense', { units: 32, activation: 'relu' })]
    : wasImage
      ? dense
      : state.layers
  const isClassLoss = state.training.loss === 'crossentropy' || state.training.loss === 'focal'
  const loss = isNumber === isClassLoss ? (isNumber ? 'squared' : 'crossentropy') : state.training.loss
  return { ...state, data: { ...state.data, kind }, layers, training: { ...state.training, loss } }
}
