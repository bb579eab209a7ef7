// The vectors of texts as a model: an encoder, the pooling of its features, and the modules after it.

import { Input } from '../../layers/core/input-layer'
import { Model } from '../../models/model'
import type { Tensor } from '../../ops/tensor'
import type { Encoder, EncoderInputs } from '../families/encoder'
import type { Projection } from '../layers/projection'
import { SentencePooling } from '../layers/sentence-pooling'
import type { SentenceModules } from './modules'

/** The inputs of an encoder, and what each token counts, [batch, modes, steps]. */
export type VectorInputs = EncoderInputs & { readonly weights: Tensor }

export class SentenceVectors {
  /** Tokens → pooled features, [batch, modes · width]. */
  readonly model: Model<VectorInputs, Tensor>
  /** The layers with weights among the modules after the pooling. */
  readonly dense: readonly Projection[]

  constructor(
    { model, description }: Encoder,
    readonly modules: SentenceModules,
  ) {
    const { modes } = modules.pooling
    const integers = (name: string): Tensor => Input({ shape: [null], dtype: 'int32', name })
    const inputs: EncoderInputs = {
      tokens: integers('tokens'),
      mask: integers('mask'),
      ...(description.tokenTypes === undefined ? {} : { tokenTypes: integers('tokenTypes') }),
    }
    const weights = Input({ shape: [modes.length, null], name: 'weights' })
    const pooling = new SentencePooling({ modes, name: 'pooling' })
    const outputs = pooling.apply([model.apply(inputs), weights])
    this.model = new Model({ inputs: { ...inputs, weights }, outputs, name: 'vectors' })
    this.dense = modules.after.flatMap(({ dense }) => (dense === null ? [] : [dense.layer]))
  }

  /** What the modules after the pooling make of vectors. */
  finished(vectors: Tensor): Tensor {
    return this.modules.after.reduce((made, module) => module.apply(made), vectors)
  }

  /** Frees the memory of the weights. */
  dispose(): void {
    this.model.dispose()
    for (const { storage } of this.dense.flatMap(({ weights }) => weights)) storage.dispose()
  }
}
