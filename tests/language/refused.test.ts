// Presets that are refused: the error names the file and the reason.
// modes: simd

import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import type { Shape } from '../../src/core/shapes'
import { CausalLM, TextEmbedder } from '../../src/entries/language'
import { encodeContainer } from '../../src/files/containers/safetensors'
import { drawnTensors, folderOf } from '../helpers/language'

type Config = Readonly<Record<string, unknown>>
interface Model {
  readonly config: Config
  readonly shapes: Readonly<Record<string, Shape>>
}
const { decoders, encoders }: Readonly<Record<'decoders' | 'encoders', Readonly<Record<string, Model>>>> = JSON.parse(
  gunzipSync(readFileSync(new URL('../golden/language/families.json.gz', import.meta.url))).toString('utf8'),
)

/** A tokenizer of whole words. */
function tokenizer(size: number): Config {
  const vocab = Object.fromEntries(Array.from({ length: size }, (_, id) => [`w${id}`, id]))
  return { model: { type: 'WordLevel', vocab, unk_token: 'w0' }, pre_tokenizer: { type: 'Whitespace' } }
}

type Tensors = ReturnType<typeof drawnTensors>
interface Changes {
  readonly config?: Config
  readonly tensors?: (tensors: Tensors) => Tensors
  readonly files?: Readonly<Record<string, unknown>>
}

function folderFor({ config, shapes }: Model, { config: others, tensors = (all) => all, files }: Changes): string {
  return folderOf({
    'config.json': { ...config, ...others },
    'model.safetensors': encodeContainer(tensors(drawnTensors(shapes)), { format: 'pt' }),
    'tokenizer.json': tokenizer(61),
    ...files,
  })
}

const refusal = (message: RegExp) =>
  expect.objectContaining({ name: 'FormatError', message: expect.stringMatching(message) })
const refuses = async (family: string, changes: Changes, message: RegExp): Promise<void> => {
  const made =
    family in decoders
      ? CausalLM.fromPreset(folderFor(decoders[family]!, changes))
      : TextEmbedder.fromPreset(folderFor(encoders[family]!, changes))
  await expect(made).rejects.toThrow(refusal(message))
}
const configs = (family: string, cases: readonly (readonly [Config, RegExp])[]): Promise<unknown> =>
  Promise.all(cases.map(([config, message]) => refuses(family, { config }, message)))

it('the folders without changes are read', async () => {
  const lm = await CausalLM.fromPreset(folderFor(decoders['llama']!, {}))
  expect(await lm.generate('w5 w6', { maxTokens: 2, stopTokens: [] })).toContain('w5 w6')
  await lm.dispose()
  const embedder = await TextEmbedder.fromPreset(folderFor(encoders['bert']!, {}))
  expect((await embedder.embed('w5 w6')).length).toBe(32)
  embedder.dispose()
})

describe('config.json', () => {
  it('of a family that is not there', async () => {
    await refuses('llama', { config: { model_type: 'mamba' } }, /'mamba' is not supported\. Supported: llama, mistral/)
    await refuses(
      'bert',
      { config: { model_type: 'deberta' } },
      /'deberta' is not supported\. Supported: bert, roberta/,
    )
    await refuses('llama', { config: { model_type: null } }, /config\.json has no 'model_type', which must be text/)
    await refuses('llama', { config: { model_type: 3 } }, /'model_type' must be text, it is 3/)
  })

  it('with settings of the wrong kind, or that are missing', async () => {
    await configs('llama', [
      [{ hidden_size: '32' }, /config\.json: 'hidden_size' must be an integer from 1 to 2²⁸, it is '32'/],
      [{ hidden_size: null }, /config\.json has no 'hidden_size'/],
      [{ num_hidden_layers: 0 }, /'num_hidden_layers' must be an integer/],
      [{ num_hidden_layers: 2.5 }, /'num_hidden_layers' must be an integer/],
      [{ num_hidden_layers: 1e6 }, /'num_hidden_layers' must be an integer from 1 to 1000/],
      [{ vocab_size: 1e12 }, /'vocab_size' must be an integer from 1 to 2²⁸/],

      [{ rms_norm_eps: 'small' }, /'rms_norm_eps' must be a finite number/],
      [{ tie_word_embeddings: 'yes' }, /'tie_word_embeddings' must be true or false/],
      [{ hidden_act: 'wave' }, /'wave'; supported: gelu, /],
      [{ layer_types: ['full_attention'] }, /'layer_types' must have a kind for each of the 3 layers, it has 1/],
      [{ rope_parameters: [] }, /'rope_parameters'.* must be a record/],
      [{ rope_parameters: { rope_type: 'spiral' } }, /'spiral'/],
      [{ head_dim: null, num_attention_heads: 5 }, /'num_attention_heads' must divide 'hidden_size'/],
    ])
    await configs('bert', [
      [{ num_attention_heads: 5 }, /'num_attention_heads' must divide 'hidden_size', they are 5 and 32/],
      [
        { position_embedding_type: 'relative_key' },
        /'position_embedding_type' is 'relative_key'; supported: 'absolute'/,
      ],
      [{ is_decoder: true }, /'is_decoder' is true/],
      [{ type_vocab_size: -1 }, /'type_vocab_size' must be an integer/],
    ])
    await configs('roberta', [
      [{ pad_token_id: -1 }, /'pad_token_id' must be an integer from 0/],
      [{ max_position_embeddings: 2 }, /'max_position_embeddings' must be more than 2, it is 2/],
    ])
    await configs('mpnet', [[{ relative_attention_num_buckets: 64 }, /'relative_attention_num_buckets' is 64/]])
  })

  it('of a model that is too large', async () => {
    const message = /^config\.json describes a model that cannot be built: .* the limit of one tensor/
    for (const key of ['vocab_size', 'hidden_size'])
      for (const [family, open] of [
        [decoders['llama']!, CausalLM],
        [encoders['bert']!, TextEmbedder],
      ] as const)
        await expect(open.fromPreset(folderFor(family, { config: { [key]: 2 ** 28 } }))).rejects.toThrow(message)
  })

  it('that is no record, or missing', async () => {
    await refuses('llama', { files: { 'config.json': [] } }, /config\.json must be a record/)
    await refuses('llama', { files: { 'config.json': new TextEncoder().encode('{"a": ') } }, /config\.json is damaged/)
    await expect(CausalLM.fromPreset(folderOf({}))).rejects.toThrow(refusal(/has no config\.json/))
  })
})

describe('weights', () => {
  const QUERY = 'model.layers.1.self_attn.q_proj.weight'

  it('that the config contradicts', async () => {
    await refuses(
      'llama',
      { config: { intermediate_size: 40 } },
      /mlp\.\w+_proj\.weight' has the shape \[\d+, \d+\], the config needs \[\d+, \d+\]/,
    )
    await refuses(
      'gpt2',
      { config: { n_positions: 90 } },
      /wpe\.weight' has the shape \[96, 32\], the config needs \[90, 32\]/,
    )
    await refuses('roberta', { config: { max_position_embeddings: 90 } }, /\[96, 32\], the config needs \[90, 32\]/)
    await refuses('bert', { config: { type_vocab_size: 3 } }, /token_type_embeddings\.weight' has the shape \[2, 32\]/)
  })

  it('that are missing', async () => {
    const without = (name: string) => (tensors: Tensors) => tensors.filter((each) => each.name !== name)
    await refuses(
      'llama',
      { tensors: without(QUERY) },
      /has no tensor 'model\.layers\.1\.self_attn\.q_proj\.weight', which the config needs/,
    )
    await refuses('llama', { tensors: without('lm_head.weight') }, /has no tensor 'lm_head\.weight'/)
    await refuses('llama', { config: { num_hidden_layers: 4 } }, /has no tensor 'model\.layers\.3\./)
    await refuses(
      'mpnet',
      { tensors: without('encoder.relative_attention_bias.weight') },
      /'encoder\.relative_attention_bias\.weight'/,
    )
    await refuses('bert', { tensors: () => [] }, /has no tensor/)
  })

  it.each([NaN, Infinity, -Infinity])('that are %d', async (value) => {
    const broken = (name: string) => (tensors: Tensors) => {
      tensors.find((each) => each.name === name)!.data[7] = value
      return tensors
    }
    const reason = `has the number ${value}, weights must be finite`
    await refuses('llama', { tensors: broken(QUERY) }, new RegExp(`q_proj\\.weight' ${reason}`))
    await refuses('gpt2', { tensors: broken('transformer.h.0.attn.c_attn.weight') }, new RegExp(reason))
    await refuses('bert', { tensors: broken('embeddings.LayerNorm.bias') }, new RegExp(reason))
  })
})

describe('tokenizer.json', () => {
  it('with more tokens than the model has vectors', async () => {
    const files = { 'tokenizer.json': tokenizer(62) }
    await refuses('llama', { files }, /tokenizer\.json has 62 tokens, the model has vectors for 61/)
    await refuses('bert', { files }, /tokenizer\.json has 62 tokens, the model has vectors for 61/)
  })

  it('that is no record, or of another kind', async () => {
    await refuses('bert', { files: { 'tokenizer.json': [] } }, /tokenizer\.json must be a record/)
    await refuses('bert', { files: { 'tokenizer.json': { model: { type: 'Magic' } } } }, /'Magic'/)
  })
})
