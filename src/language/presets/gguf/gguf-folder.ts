// The folder that Hugging Face has for a model, made of the content of a GGUF file. What reads the file is in open-gguf.ts, which is
// imported when such a file is opened.

import type { Json } from '../../../core/registry'
import type { TokenizerContent } from '../../tokens/tokenizer-content'
import { PresetFolder } from '../preset-folder'
import type { StoredTensor } from '../stored-tensor'

export class GgufFolder extends PresetFolder {
  constructor(
    name: string,
    private readonly files: Readonly<Record<string, Json>>,
    /** The tensors by the names that Hugging Face has. */
    readonly tensors: ReadonlyMap<string, StoredTensor>,
  ) {
    super({ name, open: () => Promise.resolve(null), list: () => Promise.resolve(Object.keys(files)) })
  }

  override json(name: string): Promise<Json> {
    return Promise.resolve(Object.hasOwn(this.files, name) ? this.files[name]! : null)
  }

  override async tokenizer(): Promise<TokenizerContent> {
    return { value: await this.json('tokenizer.json'), tables: null }
  }
}
