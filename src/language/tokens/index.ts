// Tokenizers and chat templates of language models.

export type { ChatMessage, ChatTemplateOptions } from './chat-template'
export {
  Tokenizer,
  type DecodeOptions,
  type EncodeBatchOptions,
  type EncodeOptions,
  type EncodedBatch,
  type NamedTokenizerFiles,
  type StreamDecoder,
  type TokenizerFiles,
} from './tokenizer'
export { trainTokenizer, type TrainTokenizerOptions } from './train'
