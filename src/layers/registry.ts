// Layers by the name that they are saved under. Only what reads saved models needs it, so that a page that does not carries
// only the layers that it names.

import { Registry } from '../core/registry'
import { LayerBase } from './base'
import { Operation } from './core/operation'
import {
  Activation, ActivityRegularization, Add, Average, Bidirectional, Concatenate, Dense, Dot, Dropout, ELU, EinsumDense,
  Embedding, Flatten, GRU, GRUCell, Identity, InputLayer, LSTM, LSTMCell, Lambda, LeakyReLU, Masking, Maximum,
  Minimum, Multiply, PReLU, Permute, RNN, ReLU, RepeatVector, Reshape, SimpleRNN, SimpleRNNCell, Softmax,
  StackedRNNCells, Subtract, TimeDistributed,
} from './index'

const isLayer = (value: unknown): value is LayerBase => value instanceof LayerBase

export const layers = /* @__PURE__ */ new Registry<LayerBase>('layer', isLayer, () => ({
  Activation, ActivityRegularization, Add, Average, Bidirectional, Concatenate, Dense, Dot, Dropout, ELU, EinsumDense,
  Embedding, Flatten, GRU, GRUCell, Identity, InputLayer, LSTM, LSTMCell, Lambda, LeakyReLU, Masking, Maximum,
  Minimum, Multiply, Operation, PReLU, Permute, RNN, ReLU, RepeatVector, Reshape, SimpleRNN, SimpleRNNCell, Softmax,
  StackedRNNCells, Subtract, TimeDistributed,
}))
