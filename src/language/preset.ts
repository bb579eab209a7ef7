// A model and its tokenizer from a preset: the folder of a model as Hugging Face has it.

import { FormatError, restating } from '../core/errors'
import type { Json } from '../core/registry'
import { withFile } from '../core/file-scope'
import { isRecord, type JsonRecord } from '../files/containers/json'
import { ModelConfig } from './families/config'
import { familyOf, type Kind } from './families'
import { withWeights, type Description, type Family } from './families/description'
import { buildEncoder, type Encoder } from './families/encoder'
import { buildTransformer, type Network, type Transformer } from './families/transformer'
import { fillWeights } from './families/filling'
import { placedWeights, prefixIn, requireWeights, withPlainNames } from './families/weights'
import { weightKind, type WeightKind } from './layers/packed-weight'
import { readGenerationConfig, type GenerationConfig } from './generation-config'
import { openPreset, type OpenPresetOptions, type PresetSource } from './presets/open-preset'
import { openWeights, type StoredTensor } from './presets/open-weights'
import type { PresetFolder } from './presets/preset-folder'
import { RandomNormal } from '../parts/initializers'
import { Tokenizer } from './tokens'

export interface PresetOptions extends OpenPresetOptions {
  /** Is called while weights are read: with the numbers of tensors that were read, and of all. */
  readonly onLoad?: (read: number, all: number) => void
  /**
   * How matrices are stored: as float32, or as integers of 8 or 4 bits with a scale for each 32 numbers, which take 0.28 or 0.19 of the
   * memory, and of the time of a token. Default float32.
   */
  readonly weights?: WeightKind
}

/** The models of each kind of family. */
export interface Networks {
  readonly decoder: Transformer
  readonly encoder: Encoder
}

const BUILDERS: { readonly [Each in Kind]: (description: Description, name: string) => Networks[Each] } = {
  decoder: buildTransformer,
  encoder: buildEncoder,
}

/** Everything that a preset contains. */
export interface Preset<Of extends Kind = 'decoder'> {
  readonly transformer: Networks[Of]
  readonly family: Family
  /** config.json */
  readonly config: JsonRecord
  readonly tokenizer: Tokenizer
  readonly generation: GenerationConfig
  /** generation_config.json; null if there is none. */
  readonly generationFile: JsonRecord | null
  readonly folder: PresetFolder
}

/**
 * Reads a preset.
 * @throws FormatError naming the file and the reason, for a preset that is incomplete, damaged or of another kind
 */
export async function readPreset<Of extends Kind>(
  source: PresetSource,
  kind: Of,
  where: string,
  options: PresetOptions,
): Promise<Preset<Of>> {
  const { onLoad: _, weights = 'float32', ...opening } = options
  weightKind.read(weights, `${where}: weights`)
  const folder = await openPreset(source, where, opening)
  const config = await recordIn(folder, 'config.json')
  const [transformer, family] = transformerOf(config, kind, { name: folder.name, weights })
  const tokenizer = await tokenizerIn(folder)
  if (tokenizer.vocabularySize > transformer.description.vocabularySize)
    throw new FormatError(
      `${folder.name}: tokenizer.json has ${tokenizer.vocabularySize} tokens, the model has vectors for ${transformer.description.vocabularySize}`,
    )
  const generationFile = await optionalIn(folder, 'generation_config.json')
  const generation = readGenerationConfig(generationFile, config, tokenizer)
  await fillNetwork(transformer, family, await openWeights(folder), { ...options, where: folder.name })
  return { transformer, family, config, tokenizer, generation, generationFile, folder }
}

interface TransformerOptions {
  readonly name: string
  readonly weights?: WeightKind
  /** Whether a file fills its weights, so that nothing initializes them. Default true. */
  readonly isFilled?: boolean
}

/** A new model for a configuration. */
export function transformerOf<Of extends Kind>(
  config: JsonRecord,
  kind: Of,
  { name, weights = 'float32', isFilled = true }: TransformerOptions,
): [Networks[Of], Family] {
  const read = ModelConfig.of(config, 'config.json')
  const family = familyOf(read.text('model_type'), kind)
  const description = withWeights(family.describe(read), weights)
  const build = (): Networks[Of] => BUILDERS[kind](description, nameOf(name))
  // Such as that a table would be too large.
  const worded = (message: string): string => `config.json describes a model that cannot be built: ${message}`
  return [restating(worded, () => withFile({ fillsWeights: isFilled }, build)), family]
}

/** A new model: matrices begin with normal numbers of the config's `initializer_range`, 0.02 unless it has one. */
export function newTransformer<Of extends Kind>(config: JsonRecord, kind: Of, seed: number): [Networks[Of], Family] {
  const [transformer, family] = transformerOf(config, kind, { name: 'model', isFilled: false })
  const stddev = ModelConfig.of(config, 'config.json').number('initializer_range', 0.02)
  transformer.model.weights
    .filter(({ shape }) => shape.length === 2)
    .forEach((weight, i) => weight.assign(new RandomNormal({ stddev, seed: seed + i }).call(weight.shape)))
  return [transformer, family]
}

/** The last part of a path or an address, as the name of a model. */
function nameOf(folder: string): string {
  return folder.split(/[/\\]/).findLast((part) => part !== '') ?? 'model'
}

export async function recordIn(folder: PresetFolder, name: string): Promise<JsonRecord> {
  const content = await optionalIn(folder, name)
  if (content === null) throw new FormatError(`${folder.name} has no ${name}, so it is not the folder of a model`)
  return content
}

async function optionalIn(folder: PresetFolder, name: string): Promise<JsonRecord | null> {
  const content = await folder.json(name)
  return content === null ? null : requireRecord(folder, name, content)
}

function requireRecord(folder: PresetFolder, name: string, content: Json): JsonRecord {
  if (isRecord(content)) return content
  throw new FormatError(`${folder.name}: ${name} must be a record`)
}

async function tokenizerIn(folder: PresetFolder): Promise<Tokenizer> {
  const content = await folder.tokenizer()
  if (content === null || content.value === null)
    throw new FormatError(
      `${folder.name} has no tokenizer.json. Save the model again with a fast tokenizer: tokenizer.save_pretrained(folder)`,
    )
  const { value, tables } = content
  const tokenizer = requireRecord(folder, 'tokenizer.json', value)
  const config = await optionalIn(folder, 'tokenizer_config.json')
  const chatTemplate = await folder.text('chat_template.jinja')
  const files = { tokenizer, config, chatTemplate, name: folder.name }
  return tables === null ? Tokenizer.fromFiles(files) : Tokenizer.fromTables(files, tables)
}

/**
 * Fills the weights of a model from the tensors of a file.
 * @throws FormatError for tensors that are missing, have another shape, or have numbers that are not finite
 */
export async function fillNetwork(
  network: Network,
  { places }: Family,
  stored: ReadonlyMap<string, StoredTensor>,
  { where, onLoad, signal }: Pick<PresetOptions, 'onLoad' | 'signal'> & { readonly where: string },
): Promise<void> {
  const tensors = withPlainNames(stored)
  const weights = placedWeights(network, places)
  const prefix = prefixIn(tensors, weights, places)
  requireWeights(tensors, weights, prefix, where)
  const placed = weights.map((weight) => ({
    weight,
    tensor: tensors.get(weight.isWhole ? weight.name : prefix + weight.name)!,
  }))
  let read = 0
  await fillWeights(placed, {
    onBlock: () => signal?.throwIfAborted(),
    onWeight: () => onLoad?.(++read, weights.length),
  })
}
