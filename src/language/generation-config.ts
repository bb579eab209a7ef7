// The defaults of generation that a preset has: generation_config.json.

import type { JsonRecord } from '../files/containers/json'
import { ModelConfig } from './families/config'
import type { Tokenizer } from './tokens'

/** Defaults of the options of `generate`. */
export interface GenerationConfig {
  readonly maxTokens: number | null
  readonly temperature: number
  readonly topK: number | null
  readonly topP: number | null
  readonly minP: number | null
  readonly repetitionPenalty: number
  /** The tokens that end a text. */
  readonly stopTokens: readonly number[]
}

/**
 * Reads the settings that `generate` has; without `do_sample` the likeliest token is taken, as in transformers.
 * @param content generation_config.json, null if there is none
 * @param config config.json, which older presets have in its place
 */
export function readGenerationConfig(
  content: JsonRecord | null,
  config: JsonRecord,
  tokenizer: Tokenizer,
): GenerationConfig {
  const settings = ModelConfig.of(content ?? config, content === null ? 'config.json' : 'generation_config.json')
  const isDrawn = settings.flag('do_sample', false)
  return {
    maxTokens: settings.count('max_new_tokens', null),
    temperature: isDrawn ? settings.number('temperature', 1) : 0,
    topK: isDrawn ? settings.number('top_k', null) || null : null,
    topP: isDrawn ? settings.number('top_p', null) : null,
    minP: isDrawn ? settings.number('min_p', null) : null,
    repetitionPenalty: settings.number('repetition_penalty', 1),
    stopTokens: stopTokensOf(settings, tokenizer),
  }
}

function stopTokensOf(settings: ModelConfig, { eosTokenId }: Tokenizer): readonly number[] {
  const isList = Array.isArray(settings.content['eos_token_id'])
  const listed = isList ? settings.numbers('eos_token_id') : [settings.number('eos_token_id', null)]
  return [...new Set([...(listed ?? []), eosTokenId])].filter((id) => id !== null)
}
