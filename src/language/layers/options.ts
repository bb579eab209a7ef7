// Options that the layers of language models share.

import { boolean, choice, count, extent, listOf, nullable, number, option, required } from '../../core/options'
import { gelu, silu } from '../../ops/nn/activations'
import { relu } from '../../ops/numpy/whole'
import type { Tensor } from '../../ops/tensor'
import { weightKind } from './packed-weight'
import { LayerNormalization, RMSNormalization } from '../../layers/normalization/layer-normalization'

/** The nonlinear functions of feed-forward layers: gelu is exact, geluTanh the approximation by a tanh. */
export const ACTIVATIONS = {
  gelu: (x: Tensor): Tensor => gelu(x, false),
  geluTanh: (x: Tensor): Tensor => gelu(x, true),
  relu: (x: Tensor): Tensor => relu(x),
  silu: (x: Tensor): Tensor => silu(x),
}
export type ActivationName = keyof typeof ACTIVATIONS

const attentionRows = () => ({
  /** The number of heads of the query. */
  numHeads: required(extent),
  /** The number of heads of key and value; it must divide numHeads. Default null: numHeads. */
  numKeyValueHeads: option(nullable(extent), null),
  /** The size of a head. */
  headDim: required(extent),
  /** Whether the projections of query, key and value have biases. Default false. */
  useBias: option(boolean, false),
  /** Whether the projection of the output has a bias. Default false. */
  useOutputBias: option(boolean, false),
  /** Whether no step attends to later ones. Default true. */
  isCausal: option(boolean, true),
  /** A step attends to itself and to fewer than this many steps before it; without isCausal also after it. Default null: all. */
  slidingWindow: option(nullable(count), null),
  /** Multiplies query · key. Default null: 1 / √headDim. */
  attentionScale: option(nullable(number()), null),
  /** A limit s of the scores, s · tanh(score / s). Default null: none. */
  attentionSoftCap: option(nullable(number({ above: 0 })), null),
  /** The angle per step of each rotated pair of features: see RotaryEmbedding. Default null: nothing is rotated. */
  rotaryFrequencies: option(nullable(listOf(number())), null),
  /** Multiplies rotated features. Default 1. */
  rotaryMagnitude: option(number(), 1),
  /** The angles for sequences of more than rotaryOriginalLength steps: see RotaryEmbedding. Default null: those of rotaryFrequencies. */
  rotaryLongFrequencies: option(nullable(listOf(number())), null),
  /** The most steps for which rotaryFrequencies are used if there are rotaryLongFrequencies. Default null. */
  rotaryOriginalLength: option(nullable(count), null),
  /** The epsilon of an RMSNormalization of the heads of query and key. Default null: they are not normalized. */
  queryKeyEpsilon: option(nullable(number({ min: 0 })), null),
  /** How the kernels of projections are stored: see Projection. Default float32. */
  storage: option(weightKind, 'float32'),
})
type AttentionRows = ReturnType<typeof attentionRows>
/** The rows of a table by reference, so that editors show their documentation. */
export type AttentionTable = { [Name in keyof AttentionRows]: AttentionRows[Name] }
export const attentionOptions: () => AttentionTable = attentionRows

const feedForwardRows = () => ({
  /** The number of inner features. */
  intermediateDim: required(extent),
  /** The nonlinear function. Default gelu. */
  activation: option(choice('gelu', 'geluTanh', 'relu', 'silu'), 'gelu'),
  /** Whether the inner features are multiplied by those of a second projection. Default false. */
  isGated: option(boolean, false),
  /** Whether the projections have biases. Default false. */
  useFeedForwardBias: option(boolean, false),
  /** How the kernels of projections are stored: see Projection. Default float32. */
  storage: option(weightKind, 'float32'),
})
type FeedForwardRows = ReturnType<typeof feedForwardRows>
/** The rows of a table by reference, so that editors show their documentation. */
export type FeedForwardTable = { [Name in keyof FeedForwardRows]: FeedForwardRows[Name] }
export const feedForwardOptions: () => FeedForwardTable = feedForwardRows

const normRows = () => ({
  /** 'rms': RMSNormalization. 'layer': LayerNormalization. Default layer. */
  normalization: option(choice('rms', 'layer'), 'layer'),
  /** The epsilon of the normalizations. Default 1e-5. */
  epsilon: option(number({ min: 0 }), 1e-5),
})
type NormRows = ReturnType<typeof normRows>
/** The rows of a table by reference, so that editors show their documentation. */
export type NormTable = { [Name in keyof NormRows]: NormRows[Name] }
export const normOptions: () => NormTable = normRows

export type Normalization = LayerNormalization | RMSNormalization

/** A new normalization of the last axis. */
export function normalizationOf(kind: 'rms' | 'layer', epsilon: number, name: string): Normalization {
  return kind === 'rms' ? new RMSNormalization({ epsilon, name }) : new LayerNormalization({ epsilon, name })
}
