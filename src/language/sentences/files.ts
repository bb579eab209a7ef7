// The files of sentence-transformers in a preset: the inverse of modules.ts and settings.ts.

import { encodeContainer } from '../../files/containers/safetensors'
import type { Json } from '../../core/registry'
import { jsonFile } from '../preset-files'
import { denseTensors, type SentenceModules } from './modules'
import { TEXTS_FILE, type SentenceSettings } from './settings'

const PACKAGE = 'sentence_transformers.models'

/** What a folder without modules says in words: the mean over the tokens. */
function defaults(width: number, maxLength: number): Readonly<Record<string, Json>> {
  return {
    'modules.json': [
      { idx: 0, name: '0', path: '', type: `${PACKAGE}.Transformer` },
      { idx: 1, name: '1', path: '1_Pooling', type: `${PACKAGE}.Pooling` },
    ],
    '1_Pooling/config.json': { word_embedding_dimension: width, pooling_mode_mean_tokens: true },
    [TEXTS_FILE]: { max_seq_length: maxLength, do_lower_case: false },
  }
}

/** The files by name, with the weights of dense layers as they are now. */
export function* sentenceFiles(
  { files, after }: SentenceModules,
  settings: SentenceSettings,
  width: number,
): Generator<readonly [name: string, bytes: Uint8Array]> {
  const missing = files.size === 0 ? defaults(width, settings.maxLength) : {}
  for (const [name, content] of Object.entries({ ...missing, ...Object.fromEntries([...files, ...settings.files]) }))
    yield [name, jsonFile(content)]
  for (const { dense } of after)
    if (dense !== null)
      yield [`${dense.path}/model.safetensors`, encodeContainer(denseTensors(dense.layer), { format: 'pt' })]
}
