// The layers that one can add: their names, their options and how they are called in the library. A layer of the page is
// data: a kind and values.

export interface NumberField {
  readonly type: 'number'
  readonly name: string
  readonly label: string
  readonly min: number
  readonly max: number
  readonly step: number
  readonly usual: number
}
export interface ChoiceField {
  readonly type: 'choice'
  readonly name: string
  readonly label: string
  readonly choices: readonly string[]
  readonly usual: string
}
export type Field = NumberField | ChoiceField

export const ACTIVATIONS = [
  'relu',
  'tanh',
  'sigmoid',
  'gelu',
  'silu',
  'elu',
  'leakyRelu',
  'softplus',
  'linear',
] as const

const activation: ChoiceField = {
  type: 'choice',
  name: 'activation',
  label: 'activation',
  choices: ACTIVATIONS,
  usual: 'relu',
}
const number = (name: string, label: string, usual: number, min: number, max: number, step = 1): NumberField => ({
  type: 'number',
  name,
  label,
  usual,
  min,
  max,
  step,
})

interface LayerKind {
  readonly label: string
  /** Its effect, in one sentence. */
  readonly title: string
  readonly className: string
  readonly fields: readonly Field[]
  /** Whether it needs rows, columns and channels. */
  readonly isSpatial: boolean
}

export const KINDS = {
  dense: {
    label: 'Dense',
    title: 'Each unit weighs all inputs, adds a bias and applies the activation.',
    className: 'Dense',
    fields: [number('units', 'units', 8, 1, 256), activation],
    isSpatial: false,
  },
  dropout: {
    label: 'Dropout',
    title: 'Sets some inputs to zero while training, which reduces overfitting.',
    className: 'Dropout',
    fields: [number('rate', 'rate', 0.2, 0, 0.9, 0.05)],
    isSpatial: false,
  },
  batchnorm: {
    label: 'Batch normalization',
    title: 'Scales each unit to mean 0 and variance 1 within a batch.',
    className: 'BatchNormalization',
    fields: [],
    isSpatial: false,
  },
  layernorm: {
    label: 'Layer normalization',
    title: 'Scales all units of a row to mean 0 and variance 1.',
    className: 'LayerNormalization',
    fields: [],
    isSpatial: false,
  },
  noise: {
    label: 'Gaussian noise',
    title: 'Adds noise while training, which reduces overfitting.',
    className: 'GaussianNoise',
    fields: [number('stddev', 'deviation', 0.1, 0, 1, 0.05)],
    isSpatial: false,
  },
  conv: {
    label: 'Convolution',
    title: 'Slides small filters over the image.',
    className: 'Conv2D',
    fields: [number('filters', 'filters', 8, 1, 64), number('kernelSize', 'size', 3, 1, 7), activation],
    isSpatial: true,
  },
  pool: {
    label: 'Max pooling',
    title: 'Keeps the largest value of each small window.',
    className: 'MaxPooling2D',
    fields: [number('poolSize', 'size', 2, 2, 4)],
    isSpatial: true,
  },
} as const satisfies Record<string, LayerKind>
export type Kind = keyof typeof KINDS

export type Values = Readonly<Record<string, number | string>>
export interface LayerSpec {
  readonly kind: Kind
  readonly values: Values
}

export const isKind = (text: string): text is Kind => Object.hasOwn(KINDS, text)

/** A layer with these values. Values that do not fit are replaced by the usual ones. */
export function layerOf(kind: Kind, values: Readonly<Record<string, unknown>>): LayerSpec {
  return {
    kind,
    values: Object.fromEntries(KINDS[kind].fields.map((field) => [field.name, read(field, values[field.name])])),
  }
}

function read(field: Field, value: unknown): number | string {
  if (field.type === 'choice') return field.choices.find((each) => each === value) ?? field.usual
  const number = value === undefined || value === '' ? Number.NaN : Number(value)
  if (!Number.isFinite(number)) return field.usual
  const rounded = field.step === 1 ? Math.round(number) : number
  return Math.min(field.max, Math.max(field.min, rounded))
}
