// One row or more for every registered layer: what contract.test.ts makes it with and feeds it. A layer that is not here
// fails the test.

import type { BatchShape, DType, LambdaContext, Tensor } from '../../src'
import { Dense, GRU, GRUCell, LSTM, LSTMCell, Reshape, SimpleRNN, SimpleRNNCell, Softmax, TensorSpec, ops } from '../../src'
import type { Tree } from '../../src/core/tree'

/** What an input is; the shape is that of one sample. */
export class Input {
  constructor(
    readonly shape: readonly number[],
    readonly dtype: DType = 'float32',
    /** Integers are in 0 … below − 1. */
    readonly below = 5,
  ) {}

  spec(batch: number | null): TensorSpec {
    const shape: BatchShape = [batch, ...this.shape]
    return new TensorSpec(shape, this.dtype)
  }
}

export interface Example {
  /** Default: none. A function where they hold layers: those of each object are its own. */
  readonly options?: object | (() => object)
  readonly input: Tree<Input>
  /** Other inputs that it takes as well. */
  readonly others?: readonly Tree<Input>[]
  /** How many axes the mask of an input has. Default: all but the last, at most 2. */
  readonly maskRank?: number
  /**
   * What becomes of a mask. Default: passed on by layers that support masking, dropped by the others. `drops`: although the
   * layer supports masking. `makes`: it gives its output a mask in any case.
   */
  readonly mask?: 'drops' | 'makes'
  /** Whether training changes the output. */
  readonly random?: boolean
  /** It begins a model and cannot stand within one. */
  readonly begins?: boolean
}

const vector = new Input([4])
const steps = new Input([3, 4])
const whole = new Input([3], 'int32')
const image = new Input([2, 3, 2])
const pair = [vector, vector]
const merging: readonly Example[] = [
  { input: [vector], others: [[whole]] },
  { input: [steps, steps, steps], others: [[new Input([3], 'int32'), new Input([3])]] },
  { input: [new Input([3, 1]), vector] },
]

const tripled = (x: Tensor): Tensor => ops.multiply(x, 3)
const scaled = (x: Tensor, { by }: LambdaContext): Tensor => ops.multiply(x, (by as number[])[1]!)
const sameMask = (_x: Tensor, mask: Tree<Tensor | null>): Tree<Tensor | null> => mask

/** What files name. */
export const customObjects = { tripled, scaled, sameMask }

export const examples: Readonly<Record<string, readonly Example[]>> = {
  // activations
  ELU: [{ options: { alpha: 0.7 }, input: vector, others: [whole] }],
  LeakyReLU: [{ input: vector, others: [whole] }],
  PReLU: [{ options: { alphaRegularizer: 'l2' }, input: vector, others: [whole] }, { options: { sharedAxes: [1, 2] }, input: image }],
  ReLU: [
    { input: vector, others: [whole] },
    { options: { maxValue: 1.5, negativeSlope: 0.1, threshold: 0.25 }, input: steps, others: [whole] },
  ],
  Softmax: [{ input: steps, others: [whole], maskRank: 3 }, { options: { axis: [1, 2] }, input: image, maskRank: 4 }],

  // core
  Activation: [{ options: { activation: 'tanh' }, input: vector }, { options: { activation: 'softmax' }, input: steps }],
  Dense: [
    { options: { units: 3, activation: 'gelu' }, input: vector, others: [new Input([4], 'int32')] },
    { options: { units: 2, useBias: false, kernelRegularizer: 'l2', activityRegularizer: 'l1' }, input: steps },
  ],
  EinsumDense: [
    { options: { equation: 'ab,bc->ac', outputShape: 3, biasAxes: 'c', activation: 'tanh' }, input: vector, others: [new Input([4], 'int32')] },
    { options: { equation: 'abc,cde->abde', outputShape: [null, 2, 3], biasAxes: 'de' }, input: steps },
    { options: { equation: '...x,xy->...y', outputShape: 2, kernelRegularizer: 'l2' }, input: image },
    { options: { equation: 'ab...,bc->ac...', outputShape: [3], biasAxes: 'c' }, input: image },
  ],
  Embedding: [
    { options: { inputDim: 5, outputDim: 3 }, input: whole, others: [new Input([], 'int32'), new Input([2, 2], 'int32')] },
    { options: { inputDim: 5, outputDim: 2, maskZero: true, embeddingsRegularizer: 'l2' }, input: whole, mask: 'makes' },
  ],
  Identity: [{ input: vector, others: [whole, image] }],
  InputLayer: [{ options: { shape: [4] }, input: vector, begins: true }],
  Operation: [{ options: { op: 'add' }, input: pair, mask: 'drops' }],

  Lambda: [
    { options: { function: tripled }, input: vector },
    { options: { function: scaled, arguments: { by: [2, 3] }, outputShape: [3, 4], mask: sameMask }, input: steps },
  ],
  Masking: [{ input: steps, others: [new Input([3, 2], 'int32', 2)], mask: 'makes' }, { options: { maskValue: -1.5 }, input: steps, mask: 'makes' }],

  // merging
  Add: merging,
  Average: merging,
  Concatenate: [
    { input: [vector, new Input([2])], others: [[whole, new Input([2])], [vector]] },
    { options: { axis: 1 }, input: [steps, new Input([2, 4])] },
  ],
  Dot: [
    { options: { axes: 1 }, input: pair, others: [[whole, whole]], mask: 'drops' },
    { options: { axes: [2, 1], normalize: true }, input: [steps, new Input([4, 2])], mask: 'drops' },
  ],
  Maximum: merging,
  Minimum: merging,
  Multiply: merging,
  Subtract: [{ input: [steps, vector], others: [[whole, whole]] }],

  // recurrent
  Bidirectional: [
    { options: () => ({ layer: new LSTM(2) }), input: steps, mask: 'drops' },
    { options: () => ({ layer: new GRU({ units: 2, returnSequences: true, returnState: true }), mergeMode: null }), input: steps },
    { options: () => ({ layer: new SimpleRNN({ units: 2, returnSequences: true }), mergeMode: 'mul' }), input: steps },
    { options: () => ({ layer: new LSTM({ units: 2 }), backwardLayer: new GRU({ units: 2, goBackwards: true }), mergeMode: 'ave' }), input: steps, mask: 'drops' },
  ],
  GRU: [
    { options: { units: 3 }, input: steps, mask: 'drops' },
    { options: { units: 2, resetAfter: false, returnSequences: true, goBackwards: true, recurrentRegularizer: 'l2' }, input: steps },
    { options: { units: 2, dropout: 0.5, recurrentDropout: 0.5, seed: 4, returnState: true }, input: steps, random: true, mask: 'drops' },
    { options: { units: 2, dropout: 0.5, recurrentDropout: 0.5, seed: 4, resetAfter: false, useBias: false }, input: steps, random: true, mask: 'drops' },
  ],
  GRUCell: [
    { options: { units: 3, activation: 'softsign' }, input: { input: vector, state: [new Input([3])] } },
    { options: { units: 3, resetAfter: false, recurrentActivation: 'hardSigmoid' }, input: { input: vector, state: [new Input([3])] } },
    { options: { units: 3, resetAfter: false, dropout: 0.5, seed: 1 }, input: { input: vector, state: [new Input([3])] }, random: true },
  ],
  LSTM: [
    { options: { units: 3 }, input: steps, mask: 'drops' },
    { options: { units: 2, unitForgetBias: false, returnSequences: true, goBackwards: true, kernelRegularizer: 'l2', activityRegularizer: 'l1' }, input: steps },
    { options: { units: 2, dropout: 0.5, seed: 4, returnState: true, returnSequences: true, zeroOutputForMask: true }, input: steps, random: true },
    { options: { units: 2, recurrentDropout: 0.5, seed: 4 }, input: steps, random: true, mask: 'drops' },
  ],
  LSTMCell: [
    { options: { units: 3 }, input: { input: vector, state: [new Input([3]), new Input([3])] } },
    { options: { units: 3, useBias: false, dropout: 0.5, implementation: 1, seed: 1 }, input: { input: vector, state: [new Input([3]), new Input([3])] }, random: true },
  ],
  RNN: [
    { options: () => ({ cell: new SimpleRNNCell(3), returnSequences: true, returnState: true }), input: steps },
    { options: () => ({ cell: [new SimpleRNNCell(3), new SimpleRNNCell(2)], goBackwards: true }), input: steps, mask: 'drops' },
    { options: () => ({ cell: new SimpleRNNCell({ units: 3, seed: 2, dropout: 0.4, recurrentDropout: 0.3 }), returnSequences: true, unroll: true }), input: steps, random: true },
  ],
  SimpleRNN: [
    { options: { units: 3 }, input: steps, mask: 'drops' },
    { options: { units: 2, activation: 'relu', useBias: false, returnSequences: true, goBackwards: true, recurrentRegularizer: 'l2' }, input: steps },
    { options: { units: 3, returnSequences: true, zeroOutputForMask: true, dropout: 0.5, recurrentDropout: 0.5, seed: 4 }, input: steps, random: true },
  ],
  SimpleRNNCell: [
    { options: { units: 3 }, input: { input: vector, state: [new Input([3])] } },
    { options: { units: 3, useBias: false, dropout: 0.5, seed: 1 }, input: { input: vector, state: [new Input([3])] }, random: true },
  ],
  StackedRNNCells: [
    { options: () => ({ cells: [new LSTMCell(2), new GRUCell(2)] }), input: { input: vector, state: [new Input([2]), new Input([2]), new Input([2])] } },
    { options: () => ({ cells: [new SimpleRNNCell(3), new SimpleRNNCell(2)] }), input: { input: vector, state: [new Input([3]), new Input([2])] } },
  ],

  TimeDistributed: [
    { options: () => ({ layer: new Dense({ units: 2, activation: 'tanh', activityRegularizer: 'l2' }) }), input: steps, others: [new Input([3, 2, 2])] },
    { options: () => ({ layer: new Softmax() }), input: steps, maskRank: 3 },
    { options: () => ({ layer: new LSTM(2) }), input: new Input([2, 3, 2]) },
    { options: () => ({ layer: new Reshape([2, 2]) }), input: new Input([3, 4], 'int32') },
  ],

  // regularization
  ActivityRegularization: [{ options: { l1: 0.1, l2: 0.2 }, input: vector, others: [whole] }],
  Dropout: [{ options: { rate: 0.5, seed: 3 }, input: steps, random: true }],

  // reshaping
  Flatten: [{ input: image, others: [whole, new Input([])] }, { options: { dataFormat: 'channelsFirst' }, input: image }],
  Permute: [{ options: { dims: [2, 3, 1] }, input: image }, { options: { dims: [2, 1] }, input: new Input([3, 2], 'int32') }],
  RepeatVector: [{ options: { n: 3 }, input: vector, others: [whole] }],
  Reshape: [{ options: { targetShape: [2, -1] }, input: vector, others: [new Input([4], 'int32')] }],
}
