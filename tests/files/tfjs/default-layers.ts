// Layers that TensorFlow.js has, made with few options.

import { layers, type Tensor } from '../../../src'

/** Layers by the shapes of their inputs. */
export function defaultLayers(): readonly {
  readonly shape: number[]
  readonly layers: readonly layers.Layer<Tensor>[]
}[] {
  return [
    {
      shape: [4],
      layers: [
        new layers.Dense({ units: 3, activation: 'silu' }),
        new layers.Activation({ activation: 'mish' }),
        new layers.ELU(),
        new layers.LeakyReLU(),
        new layers.PReLU(),
        new layers.ReLU(),
        new layers.ReLU({ threshold: 0.3 }),
        new layers.Softmax(),
        new layers.Reshape({ targetShape: [2, 2] }),
        new layers.RepeatVector({ n: 2 }),
        new layers.Dropout({ rate: 0.5 }),
        new layers.GaussianDropout({ rate: 0.5 }),
        new layers.GaussianNoise({ stddev: 0.5 }),
        new layers.AlphaDropout({ rate: 0.5 }),
        new layers.Masking(),
        new layers.Rescaling({ scale: 2 }),
        new layers.Embedding({ inputDim: 3, outputDim: 2 }),
      ],
    },
    {
      shape: [5, 4],
      layers: [
        new layers.Conv1D({ filters: 2, kernelSize: 3 }),
        new layers.MaxPooling1D(),
        new layers.AveragePooling1D(),
        new layers.GlobalAveragePooling1D(),
        new layers.GlobalMaxPooling1D(),
        new layers.BatchNormalization(),
        new layers.LayerNormalization(),
        new layers.SpatialDropout1D({ rate: 0.5 }),
        new layers.Permute({ dims: [2, 1] }),
        new layers.Flatten(),
        new layers.SimpleRNN({ units: 2 }),
        new layers.LSTM({ units: 2 }),
        new layers.GRU({ units: 2, resetAfter: false }),
        new layers.RNN({
          cell: [
            new layers.LSTMCell({ units: 2 }),
            new layers.GRUCell({ units: 2, resetAfter: false }),
            new layers.SimpleRNNCell({ units: 3 }),
          ],
        }),
        new layers.Bidirectional({ layer: new layers.LSTM({ units: 2, returnSequences: true }) }),
        new layers.TimeDistributed({ layer: new layers.Dense({ units: 2 }) }),
      ],
    },
    {
      shape: [6, 6, 2],
      layers: [
        new layers.Conv2D({ filters: 2, kernelSize: 3 }),
        new layers.Conv2DTranspose({ filters: 2, kernelSize: 3 }),
        new layers.DepthwiseConv2D({ kernelSize: 3 }),
        new layers.SeparableConv2D({ filters: 3, kernelSize: 2, depthMultiplier: 2 }),
        new layers.MaxPooling2D(),
        new layers.AveragePooling2D(),
        new layers.GlobalAveragePooling2D(),
        new layers.GlobalMaxPooling2D(),
        new layers.Cropping2D({ cropping: 1 }),
        new layers.ZeroPadding2D(),
        new layers.UpSampling2D(),
      ],
    },
    {
      shape: [4, 4, 4, 1],
      layers: [
        new layers.Conv3D({ filters: 2, kernelSize: 2 }),
        new layers.Conv3DTranspose({ filters: 2, kernelSize: 2 }),
        new layers.MaxPooling3D(),
        new layers.AveragePooling3D(),
        new layers.ConvLSTM2D({ filters: 2, kernelSize: 2 }),
      ],
    },
  ]
}
