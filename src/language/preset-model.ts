// PresetModel: what models that continue texts and models that encode them have in common: training, adapters, and their files.

import type { JsonRecord } from '../files/containers/json'
import { requireArguments } from '../core/arguments'
import { FormatError, StateError, checkOptions } from '../core/errors'
import type { Tensor } from '../ops/tensor'
import type { Variable } from '../ops/variable'
import type { FitOptions } from '../training/options'
import { stepBytes } from '../training/step-memory'
import {
  ADAPTER_CONFIG,
  ADAPTER_WEIGHTS,
  adapterFiles,
  adaptersOf,
  disableAdapters,
  enableAdapters,
  fillAdapters,
  type Adapted,
  type AdapterOptions,
} from './adapters'
import type { Kind } from './families'
import type { Family } from './families/description'
import { requireMemory } from './fit-memory'
import type { Networks } from './preset'
import { presetFiles, writeFolder } from './preset-files'
import { openPreset, type OpenPresetOptions, type PresetSource } from './presets/open-preset'
import { openWeights } from './presets/open-weights'
import type { Tokenizer } from './tokens'
import { Training, type LanguageCompileOptions, type TrainerParts } from './trainer'

/** Options of `fit` that both kinds of models have. */
export interface PresetFitOptions extends Omit<
  FitOptions<Tensor, Tensor>,
  'validationData' | 'sampleWeight' | 'classWeight' | 'batchSize'
> {
  /** Whether blocks are computed again for the gradient, which saves memory. Default: as before, at first false. */
  readonly recompute?: boolean
}

/** What a preset has that both kinds of models need. */
export interface PresetParts<Of extends Kind> {
  readonly transformer: Networks[Of]
  readonly family: Family
  readonly config: JsonRecord
  readonly tokenizer: Tokenizer
}

/** A model of a preset with its tokenizer. */
export abstract class PresetModel<Of extends Kind, In> {
  protected readonly network: Networks[Of]
  protected readonly family: Family
  /** The content of config.json. */
  readonly config: JsonRecord
  /** Converts texts to tokens and back. */
  readonly tokenizer: Tokenizer
  protected readonly training: Training<In>

  protected constructor({ transformer, family, config, tokenizer }: PresetParts<Of>, trainer: TrainerParts<In>) {
    this.network = transformer
    this.family = family
    this.config = config
    this.tokenizer = tokenizer
    this.training = new Training(trainer)
  }

  /** All weights, without those of adapters. */
  protected abstract get weights(): readonly Variable[]

  private get adapted(): Adapted {
    return { blocks: this.network.blocks, weights: this.weights }
  }

  protected get hasAdapters(): boolean {
    return adaptersOf(this.network).length > 0
  }

  /**
   * Sets how `fit` trains. Before `fit` is called without it, the optimizer is AdamW with its defaults.
   *
   *   lm.compile({ optimizer: new AdamW({ learningRate: 1e-4, gradientAccumulationSteps: 4 }) })
   */
  compile(options: LanguageCompileOptions = {}): void {
    requireArguments('compile', arguments, 1)
    checkOptions('compile', options, ['optimizer'])
    this.training.compile(options)
  }

  /**
   * Prepares the blocks and the optimizer for `fit`.
   * @param shorter the option that makes rows shorter, for advice
   * @returns what a step takes, as a line for users
   * @throws ArgumentError if that is more than there is; StateError for matrices of integers without adapters, of which only
   * normalizations and biases would be trained
   */
  protected prepareFit(
    rows: Parameters<typeof stepBytes>[1],
    batchSize: number,
    recompute: boolean | undefined,
    shorter: string,
  ): string {
    const { blocks, description } = this.network
    if ((description.tables ?? 'float32') !== 'float32' && !this.hasAdapters)
      throw new StateError(
        `fit: the matrices are ${blocks[0]?.storage ?? description.tables}, which is not trained. Call enableLora before, or open the preset without the option weights`,
      )
    for (const block of blocks)
      if (recompute !== undefined && block.recompute !== recompute) Object.assign(block, { recompute })
    const trainer = this.training.compiled
    const step = stepBytes(trainer.training, rows, batchSize)
    const count = (weights: readonly Variable[]): number => weights.reduce((sum, { size }) => sum + size, 0)
    return requireMemory({ trained: count(trainer.trainableWeights), all: count(trainer.weights), step }, [
      `Use a smaller batchSize or ${shorter}`,
      ...(blocks.every((block) => block.recompute) ? [] : ['set recompute: true']),
      ...(this.hasAdapters ? [] : ['train adapters alone, with enableLora']),
    ])
  }

  /**
   * Adds an adapter to layers of every block and freezes everything else, so that `fit` trains a small part of the numbers. Compile after
   * it.
   *
   *   lm.enableLora(8, { targets: ['query', 'value'] })
   *
   * Hu et al., "LoRA", 2021. Keras Hub: `backbone.enable_lora`.
   * @param rank ≥ 1
   */
  enableLora(rank: number, options: AdapterOptions = {}): void {
    requireArguments('enableLora', arguments, 2)
    enableAdapters(this.adapted, rank, options)
    this.training.renew()
  }

  /** Removes the adapters. The weights of the model are as they were before `enableLora`, and are trainable again. */
  disableLora(): void {
    disableAdapters(this.adapted)
    this.training.renew()
  }

  /**
   * Writes the adapters as Python's peft does: adapter_config.json and adapter_model.safetensors.
   *
   *   await lm.saveLora('adapter/')             in Node
   *   const files = await lm.saveLora()         in a page: the bytes by name
   *
   * @param folder where to write them. Default none
   * @returns the files
   */
  async saveLora(folder?: string | URL): Promise<ReadonlyMap<string, Uint8Array>> {
    requireArguments('saveLora', arguments, 1)
    const name = this.config['_name_or_path']
    const files = adapterFiles(this.network, this.family, typeof name === 'string' ? name : '')
    if (folder !== undefined) await writeFolder(folder, files, 'saveLora')
    return files
  }

  /**
   * Reads an adapter that `saveLora` or Python's peft wrote. In place of adapters of the same ranks, no program is compiled again.
   *
   *   await lm.loadLora('adapter/')
   *
   * @throws FormatError for an adapter of another kind, or for another model; nothing has changed then
   */
  async loadLora(source: PresetSource, options: OpenPresetOptions = {}): Promise<void> {
    requireArguments('loadLora', arguments, 2)
    const folder = await openPreset(source, 'loadLora', options)
    const config = await folder.json(ADAPTER_CONFIG)
    if (config === null) throw new FormatError(`${folder.name} has no ${ADAPTER_CONFIG}, so it is not an adapter`)
    const branches = () => adaptersOf(this.network).map(({ branch }) => branch)
    const before = branches()
    await fillAdapters(this.adapted, this.family.places, config, await openWeights(folder, ADAPTER_WEIGHTS))
    const after = branches()
    if (before.length !== after.length || before.some((branch, i) => branch !== after[i])) this.training.renew()
  }

  /** The files of a preset besides config.json, the weights, and those of the tokenizer. */
  protected abstract otherFiles(): Iterable<readonly [name: string, bytes: Uint8Array]>

  /**
   * Writes the model as a preset that transformers and `fromPreset` open: config.json, model.safetensors in float32, the files of the
   * tokenizer, and for a TextEmbedder those of sentence-transformers. Adapters are files of their own: see saveLora.
   * @param folder where to write it. Default none
   * @returns the files
   */
  async saveToPreset(folder?: string | URL): Promise<ReadonlyMap<string, Uint8Array>> {
    requireArguments('saveToPreset', arguments, 1)
    const files = presetFiles(this.network, this.family, this.config, this.tokenizer)
    for (const [name, bytes] of this.otherFiles()) files.set(name, bytes)
    if (folder !== undefined) await writeFolder(folder, files, 'saveToPreset')
    return files
  }
}
