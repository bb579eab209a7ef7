// Tokenizers and chat templates of language models.

export type { ChatMessage, ChatTemplateOptions } from './chat-template'
export { Tokenizer, type EncodedBatch, type StreamDecoder, type TokenizerFiles } from './tokenizer'
export { trainTokenizer, type TrainTokenizerOptions } from './train'
