// A model and its tokenizer from a preset: the folder of a model as Hugging Face has it.

import { FormatError } from '../core/errors'
import { withFile } from '../core/file-scope'
import { isRecord, type JsonRecord } from '../files/containers/json'
import { ModelConfig } from './families/config'
import { familyOf, type Kind } from './families'
import type { Family } from './families/description'
import { buildTransformer, type Transformer } from './families/transformer'
import { fillWeight, placedWeights, prefixIn, requireWeights } from './families/weights'
import { readGenerationConfig, type GenerationConfig } from './generation-config'
import { openPreset, type OpenPresetOptions, type PresetSource } from './presets/open-preset'
import { openWeights } from './presets/open-weights'
import type { PresetFolder } from './presets/preset-folder'
import { RandomNormal } from '../parts/initializers'
import { Tokenizer } from './tokens'

export interface PresetOptions extends OpenPresetOptions {
  /** Is called while weights are read: with the numbers of tensors that were read, and of all. */
  readonly onLoad?: (read: number, all: number) => void
}

/** Everything that a preset contains. */
export interface Preset {
  readonly transformer: Transformer
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
export async function readPreset(
  source: PresetSource,
  kind: Kind,
  where: string,
  options: PresetOptions,
): Promise<Preset> {
  const { onLoad, ...opening } = options
  const folder = await openPreset(source, where, opening)
  const config = await recordIn(folder, 'config.json')
  const [transformer, family] = transformerOf(config, kind, folder.name)
  const tokenizer = await tokenizerIn(folder)
  if (tokenizer.vocabularySize > transformer.description.vocabularySize)
    throw new FormatError(
      `${folder.name}: tokenizer.json has ${tokenizer.vocabularySize} tokens, the model has vectors for ${transformer.description.vocabularySize}`,
    )
  const generationFile = await optionalIn(folder, 'generation_config.json')
  const generation = readGenerationConfig(generationFile, config, tokenizer)
  await fillFrom(folder, transformer, family, onLoad, opening.signal ?? null)
  return { transformer, family, config, tokenizer, generation, generationFile, folder }
}

/** A new model for a configuration. @param isFilled whether a file fills its weights, so that nothing initializes them */
export function transformerOf(config: JsonRecord, kind: Kind, name: string, isFilled = true): [Transformer, Family] {
  const read = ModelConfig.of(config, 'config.json')
  const family = familyOf(read.text('model_type'), kind)
  const description = family.describe(read)
  return [withFile({ fillsWeights: isFilled }, () => buildTransformer(description, nameOf(name))), family]
}

/** A new model: matrices begin with normal numbers of the config's `initializer_range`, 0.02 unless it has one. */
export function newTransformer(config: JsonRecord, kind: Kind, seed: number): [Transformer, Family] {
  const [transformer, family] = transformerOf(config, kind, 'model', false)
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

async function recordIn(folder: PresetFolder, name: string): Promise<JsonRecord> {
  const content = await optionalIn(folder, name)
  if (content === null) throw new FormatError(`${folder.name} has no ${name}, so it is not the folder of a model`)
  return content
}

async function optionalIn(folder: PresetFolder, name: string): Promise<JsonRecord | null> {
  const content = await folder.json(name)
  if (content === null || isRecord(content)) return content
  throw new FormatError(`${folder.name}: ${name} must be a record`)
}

async function tokenizerIn(folder: PresetFolder): Promise<Tokenizer> {
  const tokenizer = await optionalIn(folder, 'tokenizer.json')
  if (tokenizer === null)
    throw new FormatError(
      `${folder.name} has no tokenizer.json. Save the model again with a fast tokenizer: tokenizer.save_pretrained(folder)`,
    )
  const config = await optionalIn(folder, 'tokenizer_config.json')
  const chatTemplate = await folder.text('chat_template.jinja')
  return Tokenizer.fromFiles({ tokenizer, config, chatTemplate, name: folder.name })
}

async function fillFrom(
  folder: PresetFolder,
  transformer: Transformer,
  { places }: Family,
  onLoad: PresetOptions['onLoad'],
  signal: AbortSignal | null,
): Promise<void> {
  const tensors = await openWeights(folder)
  const weights = placedWeights(transformer, places)
  const prefix = prefixIn(tensors, weights, places)
  requireWeights(tensors, weights, prefix, folder.name)
  let read = 0
  for (const weight of weights) {
    signal?.throwIfAborted()
    await fillWeight(weight, tensors.get(weight.isWhole ? weight.name : prefix + weight.name)!)
    onLoad?.(++read, weights.length)
  }
}
