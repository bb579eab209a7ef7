// All layers.

export { ELU, LeakyReLU, PReLU, ReLU } from './activations/relu'
export { Softmax } from './activations/softmax'
export { AdditiveAttention, Attention } from './attention/attention'
export { GroupedQueryAttention, MultiHeadAttention } from './attention/multi-head-attention'
export { RotaryEmbedding } from './attention/rotary-embedding'
export { Conv1D, Conv2D, Conv3D } from './convolutional/convolution'
export { DepthwiseConv1D, DepthwiseConv2D, SeparableConv1D, SeparableConv2D } from './convolutional/depthwise'
export { Conv1DTranspose, Conv2DTranspose, Conv3DTranspose } from './convolutional/transposed'
export { Activation } from './core/activation'
export { Dense } from './core/dense'
export type { DenseOptions } from './core/dense'
export { EinsumDense } from './core/einsum-dense'
export { Embedding } from './core/embedding'
export { enableLora } from './core/lora'
export type { Lora, LoraLayer, LoraOptions, WithLora } from './core/lora'
export { PositionEmbedding } from './core/position-embedding'
export { ReversibleEmbedding } from './core/reversible-embedding'
export { Identity } from './core/identity'
export { Input, InputLayer } from './core/input-layer'
export type { InputOptions } from './core/input-layer'
export { Lambda } from './core/lambda'
export type { LambdaContext } from './core/lambda'
export { Masking } from './core/masking'
export { SpatialLayer } from './core/spatial-layer'
export { Wrapper } from './core/wrapper'
export { Concatenate } from './merging/concatenate'
export { Dot } from './merging/dot'
export { Add, Average, Maximum, Merge, Minimum, Multiply, Subtract } from './merging/merge'
export { BatchNormalization } from './normalization/batch-normalization'
export { GroupNormalization } from './normalization/group-normalization'
export { LayerNormalization, RMSNormalization, UnitNormalization } from './normalization/layer-normalization'
export { SpectralNormalization } from './normalization/spectral-normalization'
export {
  AdaptiveAveragePooling1D,
  AdaptiveAveragePooling2D,
  AdaptiveAveragePooling3D,
  AdaptiveMaxPooling1D,
  AdaptiveMaxPooling2D,
  AdaptiveMaxPooling3D,
} from './pooling/adaptive-pooling'
export {
  GlobalAveragePooling1D,
  GlobalAveragePooling2D,
  GlobalAveragePooling3D,
  GlobalMaxPooling1D,
  GlobalMaxPooling2D,
  GlobalMaxPooling3D,
} from './pooling/global-pooling'
export {
  AveragePooling1D,
  AveragePooling2D,
  AveragePooling3D,
  MaxPooling1D,
  MaxPooling2D,
  MaxPooling3D,
} from './pooling/pooling'
export { AdaptedLayer } from './preprocessing/adapted'
export type { AdaptData, AdaptOptions } from './preprocessing/adapted'
export {
  AutoContrast,
  Equalization,
  RandomBrightness,
  RandomContrast,
  RandomGrayscale,
  RandomInvert,
  Solarization,
} from './preprocessing/colours'
export { Discretization } from './preprocessing/discretization'
export { CategoryEncoding } from './preprocessing/encoding'
export { ImageLayer, RandomImageLayer } from './preprocessing/image-layer'
export type { ImageRecord, Interval, Transformation } from './preprocessing/image-layer'
export { CutMix, MixUp, RandomErasing, RandomGaussianBlur } from './preprocessing/mixing'
export { MelSpectrogram } from './preprocessing/mel-spectrogram'
export { Normalization } from './preprocessing/normalization'
export { MaxNumBoundingBoxes } from './preprocessing/boxes'
export { ContrastLimitedAdaptiveHistogramEqualization } from './preprocessing/clahe'
export {
  RandomColorDegeneration,
  RandomColorJitter,
  RandomHue,
  RandomPosterization,
  RandomSaturation,
  RandomSharpness,
} from './preprocessing/colour-factors'
export { RandomElasticTransform, RandomPerspective } from './preprocessing/distortions'
export { Pipeline } from './preprocessing/pipeline'
export { AugMix, RandAugment } from './preprocessing/policies'
export { RandomFlip, RandomRotation, RandomShear, RandomTranslation, RandomZoom } from './preprocessing/placing'
export { Rescaling } from './preprocessing/rescaling'
export { STFTSpectrogram } from './preprocessing/stft-spectrogram'
export { CenterCrop, RandomCrop, Resizing } from './preprocessing/sizes'
export { Bidirectional } from './recurrent/bidirectional'
export { Cell } from './recurrent/cell'
export type { CellInput, CellOutput, DropoutMasks } from './recurrent/cell'
export { ConvLSTM1D, ConvLSTM2D, ConvLSTM3D } from './recurrent/conv-lstm'
export { GRU, GRUCell } from './recurrent/gru'
export { LSTM, LSTMCell } from './recurrent/lstm'
export { RNN, RecurrentLayer } from './recurrent/rnn'
export { SimpleRNN, SimpleRNNCell } from './recurrent/simple-rnn'
export { StackedRNNCells } from './recurrent/stacked-cells'
export { TimeDistributed } from './recurrent/time-distributed'
export { ActivityRegularization } from './regularization/activity-regularization'
export { Dropout, SpatialDropout1D, SpatialDropout2D, SpatialDropout3D } from './regularization/dropout'
export { AlphaDropout, GaussianDropout, GaussianNoise } from './regularization/noise'
export { DateEncoding } from './preprocessing/date-encoding'
export { HashedCrossing } from './preprocessing/hashed-crossing'
export { Hashing } from './preprocessing/hashing'
export { IntegerLookup, StringLookup } from './preprocessing/string-lookup'
export { TextVectorization } from './preprocessing/text-vectorization'
export { Flatten } from './reshaping/flatten'
export { Permute } from './reshaping/permute'
export { RepeatVector } from './reshaping/repeat-vector'
export { Reshape } from './reshaping/reshape'
export { Cropping1D, Cropping2D, Cropping3D, ZeroPadding1D, ZeroPadding2D, ZeroPadding3D } from './reshaping/sides'
export { UpSampling1D, UpSampling2D, UpSampling3D } from './reshaping/up-sampling'
export { CallContext } from './context'
export type { ApplyOptions, InputsOf, LayerBase, LayerOptions, WeightOptions } from './layer'
export type { SeparateInputs } from './call-options'
export type { DTypePolicy, OwnVariables, StatelessOptions } from './members'
export { Layer } from './layer'
export { maskOf, setMask } from './masks'
export type { InputSpec } from './spec'
export { TensorSpec } from './spec'
export type { BatchShape, ShapesOf, SpecsOf } from './spec'

// Keras's second names.
export {
  AveragePooling1D as AvgPool1D,
  AveragePooling2D as AvgPool2D,
  AveragePooling3D as AvgPool3D,
  MaxPooling1D as MaxPool1D,
  MaxPooling2D as MaxPool2D,
  MaxPooling3D as MaxPool3D,
} from './pooling/pooling'
export {
  GlobalAveragePooling1D as GlobalAvgPool1D,
  GlobalAveragePooling2D as GlobalAvgPool2D,
  GlobalAveragePooling3D as GlobalAvgPool3D,
  GlobalMaxPooling1D as GlobalMaxPool1D,
  GlobalMaxPooling2D as GlobalMaxPool2D,
  GlobalMaxPooling3D as GlobalMaxPool3D,
} from './pooling/global-pooling'
export { Conv1D as Convolution1D, Conv2D as Convolution2D, Conv3D as Convolution3D } from './convolutional/convolution'
export {
  Conv1DTranspose as Convolution1DTranspose,
  Conv2DTranspose as Convolution2DTranspose,
  Conv3DTranspose as Convolution3DTranspose,
} from './convolutional/transposed'
export {
  SeparableConv1D as SeparableConvolution1D,
  SeparableConv2D as SeparableConvolution2D,
} from './convolutional/depthwise'
export { GroupedQueryAttention as GroupQueryAttention } from './attention/multi-head-attention'
