// What a preset says about the texts of sentence-transformers: their length, what goes before them, and how similar their vectors are.

import { FormatError, quoted } from '../../core/errors'
import type { Json } from '../../core/registry'
import { ModelConfig } from '../families/config'
import type { PresetFolder } from '../presets/preset-folder'
import { SIMILARITIES, type Similarity } from './similarity'

export interface SentenceSettings {
  /** The number of tokens after which a text is cut. */
  readonly maxLength: number
  readonly isLowerCase: boolean
  readonly prompts: ReadonlyMap<string, string>
  readonly defaultPrompt: string | null
  readonly similarity: Similarity
  /** The files of JSON that say so, by name, without those of the tokenizer. */
  readonly files: ReadonlyMap<string, Json>
}

export const TEXTS_FILE = 'sentence_bert_config.json'
const WHOLE_FILE = 'config_sentence_transformers.json'

/** @throws FormatError for settings that are wrong */
export async function readSettings(folder: PresetFolder, longest: number): Promise<SentenceSettings> {
  const files = new Map<string, Json>()
  const configOf = async (name: string): Promise<ModelConfig> => {
    const content = await folder.json(name)
    if (content !== null) files.set(name, content)
    return ModelConfig.of(content ?? {}, `${folder.name}: ${name}`)
  }
  const [bert, whole] = [await configOf(TEXTS_FILE), await configOf(WHOLE_FILE)]
  const tokens = ModelConfig.of(
    (await folder.json('tokenizer_config.json')) ?? {},
    `${folder.name}: tokenizer_config.json`,
  )
  // Tokenizers without a limit have a number of thirty digits.
  const wanted = bert.count('max_seq_length', null) ?? tokens.number('model_max_length', longest)
  const prompts = whole.record('prompts')
  const defaultPrompt = whole.text('default_prompt_name', null)
  const named = new Map(Object.keys(prompts?.content ?? {}).map((name) => [name, prompts!.text(name, '')]))
  if (defaultPrompt !== null && !named.has(defaultPrompt))
    throw new FormatError(`${whole.where}: 'default_prompt_name' is ${quoted(defaultPrompt)}, which 'prompts' lacks`)
  return {
    maxLength: Math.min(longest, wanted),
    isLowerCase: bert.flag('do_lower_case', false),
    prompts: named,
    defaultPrompt,
    similarity: whole.choice('similarity_fn_name', SIMILARITIES, 'cosine'),
    files,
  }
}
