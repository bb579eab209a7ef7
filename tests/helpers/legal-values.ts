// Values to try for an option. One list serves all options, because each kind refuses invalid values.

import { Dense, GRU, LSTMCell, ops, type LambdaContext, type Tensor } from '../../src'

const half = (x: Tensor): Tensor => ops.multiply(x, 0.5)
const halfOf = (x: Tensor, _context: LambdaContext): Tensor => ops.multiply(x, 0.5)

/** Keeps nothing, and prints what it receives. */
export const store = {
  read: () => null,
  write: (name: string, bytes: Uint8Array) => console.log(name, bytes.length),
  remove: (name: string) => console.log(name),
}

/** New objects each time: a layer belongs to one other layer. */
const objects = (): unknown[] => [
  half,
  halfOf,
  new Dense(4),
  new GRU(2),
  new LSTMCell(3),
  [new LSTMCell(3)],
  [new Dense(4)],
  store,
]

const NUMBERS = [0.25, 0.6, 2, 3, 0, 1, -1, 5, 4, 1.5, 0.01, 0.001, 0.99, 10, 100, 1000, -2, 7, 0.5, 1e-9, 30]

const WORDS =
  `PR PRGAIN ROC add all auto ave bartlett bicubic bilinear blackman boxcar causal channelsFirst channelsLast
  columns complete concat constant cosine count dot edge epoch fanAvg fanIn fanOut hamming hann heNormal horizontal int
  int32 float32 interpolation l1 l2 lanczos3 lanczos5 linear lower macro majoring max mean micro min minoring mul
  multiHot nearest nonNeg none oneHot ones rows real imag reflect same sigmoid softmax softplus spectrum sum symmetric
  tanh tfIdf true uniformAverage unitNorm untruncatedNormal uniform valid varianceWeightedAverage vertical weighted wrap
  zeros character whitespace lower stripPunctuation predicted true b a q mae loss val_mae valMae batch subtract
  ab,bc->ac ab,cb->ac sgd adam elsewhere xyxy xywh relXyxy farmhash`.split(/\s+/)

const LISTS: readonly unknown[] = [
  [2],
  [2, 1],
  [1, 2],
  [0.2, 0.8],
  [0, 1],
  [1, 1],
  [1],
  [0],
  [-1],
  [0.1, 0.5],
  [-3, 3],
  [0, 255],
  [2, 2, 2],
  [1, 1, 2],
  [0.5, 0.25, 2],
  [3, 2, 1],
  [0.1],
  [0.2, 0.3, 0.4],
  [null, 1],
  [0.5, 1, 2, 3],
  [null, 4],
  [null, 3, 1],
  [4, 1],
  [0, 2],
  [1, 1, 1, 1],
  ['a', 'c'],
  [2, 1, 3],
  [null, 2, 2],
  ['bias'],
  ['dense'],
  [0, 1, 0],
  { rmax: 1.01 },
  [1, 0, 0],
  [5, 2],
  [1, 3, 2],
  [
    [1, 2],
    [0, 1],
  ],
  [
    [0, 1],
    [0, 0],
    [1, 0],
  ],
  [[0], [1]],
  [
    [2, 1],
    [1, 1],
  ],
  [['sgd']],
  [{ match: 'bias', learningRate: 0.5 }],
  { a: 1 },
  { by: [1, 1] },
  [10, 20],
  [1.5, -0.5, 2],
  [0.3, 0.1],
  [1, 0.5],
  [1, 2, 3],
  [0.9, 0.5, 0.2],
  [2, 5],
]

/** All values, in the order in which they are tried. */
export const legalValues = (): readonly unknown[] => [...NUMBERS, true, false, null, ...WORDS, ...LISTS, ...objects()]
