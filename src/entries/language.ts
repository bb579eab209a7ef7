// myelin/language: language models and their tokenizers.

export { CausalLM } from '../language/causal-lm'
export type {
  GenerateTextOptions,
  GenerateTextsOptions,
  LanguageFitOptions,
  NewModelOptions,
  SequenceScore,
  TrainingTexts,
} from '../language/causal-lm'
export type { AdapterOptions, LoraTarget } from '../language/adapters'
export type { GenerationConfig } from '../language/generation-config'
export { FeedForward } from '../language/layers/feed-forward'
export { PackedReversibleEmbedding } from '../language/layers/packed-reversible-embedding'
export type { WeightKind } from '../language/layers/packed-weight'
export { languageLayers } from '../language/language-layers'
export { Projection } from '../language/layers/projection'
export { SelfAttention } from '../language/layers/self-attention'
export { TransformerBlock } from '../language/layers/transformer-block'
export { Perplexity } from '../language/perplexity'
export type { PresetOptions } from '../language/preset'
export { presetInfo } from '../language/preset-info'
export type { PresetInfo } from '../language/preset-info'
export { TextEmbedder } from '../language/text-embedder'
export type {
  EmbedOptions,
  EmbedderCompileOptions,
  EmbedderFitOptions,
  TextPair,
  TextPairs,
} from '../language/text-embedder'
export type { TextOptions } from '../language/text-generation'
export type { PromptAndResponse, TrainingText } from '../language/token-rows'
export { Tokenizer, trainTokenizer } from '../language/tokens'
export type {
  ChatMessage,
  ChatTemplateOptions,
  DecodeOptions,
  EncodeBatchOptions,
  EncodeOptions,
  EncodedBatch,
  NamedTokenizerFiles,
  StreamDecoder,
  TokenizerFiles,
  TrainTokenizerOptions,
} from '../language/tokens'
