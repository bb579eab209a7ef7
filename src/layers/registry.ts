// Layers by the name that they are saved under. Only what reads saved models needs it, so that a page that does not carries
// only the layers that it names.

import { Registry } from '../core/registry'
import { LayerBase } from './base'
import { Operation } from './core/operation'
import {
  Activation, ActivityRegularization, Add, AdditiveAttention, AlphaDropout, Attention, AutoContrast, Average,
  AveragePooling1D, AveragePooling2D, AveragePooling3D, BatchNormalization, Bidirectional, CategoryEncoding, CenterCrop,
  Concatenate, Conv1D, Conv1DTranspose, Conv2D, Conv2DTranspose, Conv3D, Conv3DTranspose, ConvLSTM1D, ConvLSTM2D,
  ConvLSTM3D, Cropping1D, Cropping2D, Cropping3D, CutMix, Dense, DepthwiseConv1D, DepthwiseConv2D, Discretization, Dot,
  Dropout, ELU, EinsumDense, Embedding, Equalization, Flatten, GRU, GRUCell, GaussianDropout, GaussianNoise,
  GlobalAveragePooling1D, GlobalAveragePooling2D, GlobalAveragePooling3D, GlobalMaxPooling1D, GlobalMaxPooling2D,
  GlobalMaxPooling3D, GroupNormalization, GroupedQueryAttention, Hashing, Identity, InputLayer, IntegerLookup, LSTM,
  LSTMCell, Lambda,
  LayerNormalization, LeakyReLU, Masking, MaxPooling1D, MaxPooling2D, MaxPooling3D, Maximum, Minimum, MixUp,
  MultiHeadAttention, Multiply, Normalization, PReLU, Permute, PositionEmbedding, RMSNormalization, RNN,
  RandomBrightness, RandomContrast, RandomCrop, RandomErasing, RandomFlip, RandomGaussianBlur, RandomGrayscale,
  RandomInvert, RandomRotation, RandomShear, RandomTranslation, RandomZoom, ReLU, RepeatVector, Rescaling, Reshape,
  Resizing, SeparableConv1D, SeparableConv2D, SimpleRNN, SimpleRNNCell, Softmax, Solarization, SpatialDropout1D,
  SpatialDropout2D, SpatialDropout3D, SpectralNormalization, StackedRNNCells, StringLookup, Subtract,
  TextVectorization, TimeDistributed,
  UnitNormalization, UpSampling1D, UpSampling2D, UpSampling3D, ZeroPadding1D, ZeroPadding2D, ZeroPadding3D,
} from './index'

const isLayer = (value: unknown): value is LayerBase => value instanceof LayerBase

export const layers = /* @__PURE__ */ new Registry<LayerBase>('layer', isLayer, () => ({
  Activation, ActivityRegularization, Add, AdditiveAttention, AlphaDropout, Attention, AutoContrast, Average,
  AveragePooling1D, AveragePooling2D, AveragePooling3D, BatchNormalization, Bidirectional, CategoryEncoding, CenterCrop,
  Concatenate, Conv1D, Conv1DTranspose, Conv2D, Conv2DTranspose, Conv3D, Conv3DTranspose, ConvLSTM1D, ConvLSTM2D,
  ConvLSTM3D, Cropping1D, Cropping2D, Cropping3D, CutMix, Dense, DepthwiseConv1D, DepthwiseConv2D, Discretization, Dot,
  Dropout, ELU, EinsumDense, Embedding, Equalization, Flatten, GRU, GRUCell, GaussianDropout, GaussianNoise,
  GlobalAveragePooling1D, GlobalAveragePooling2D, GlobalAveragePooling3D, GlobalMaxPooling1D, GlobalMaxPooling2D,
  GlobalMaxPooling3D, GroupNormalization, GroupedQueryAttention, Hashing, Identity, InputLayer, IntegerLookup, LSTM,
  LSTMCell, Lambda,
  LayerNormalization, LeakyReLU, Masking, MaxPooling1D, MaxPooling2D, MaxPooling3D, Maximum, Minimum, MixUp,
  MultiHeadAttention, Multiply, Normalization, Operation, PReLU, Permute, PositionEmbedding, RMSNormalization, RNN,
  RandomBrightness, RandomContrast, RandomCrop, RandomErasing, RandomFlip, RandomGaussianBlur, RandomGrayscale,
  RandomInvert, RandomRotation, RandomShear, RandomTranslation, RandomZoom, ReLU, RepeatVector, Rescaling, Reshape,
  Resizing, SeparableConv1D, SeparableConv2D, SimpleRNN, SimpleRNNCell, Softmax, Solarization, SpatialDropout1D,
  SpatialDropout2D, SpatialDropout3D, SpectralNormalization, StackedRNNCells, StringLookup, Subtract,
  TextVectorization, TimeDistributed,
  UnitNormalization, UpSampling1D, UpSampling2D, UpSampling3D, ZeroPadding1D, ZeroPadding2D, ZeroPadding3D,
}))
