// LoRA for language models: narrow matrices beside projections, in memory and in the files of Python's peft.

import type { Json } from '../core/registry'
import { ArgumentError, FormatError, StateError, quoted } from '../core/errors'
import { extent, listOf, nullable, number, integer, option, readOptions, text } from '../core/options'
import { Tensor } from '../ops/tensor'
import { nextSeed } from '../ops/random/seed'
import { TensorSpec } from '../layers/spec'
import { itemsOf } from '../files/containers/json'
import { encodeContainer, type NamedTensor } from '../files/containers/safetensors'
import { PROJECTIONS, type Family, type Place, type Places, type ProjectionPart } from './families/description'
import { ModelConfig } from './families/config'
import type { Variable } from '../ops/variable'
import { projectionOf, type Network } from './families/transformer'
import { rowsWithin, type Rows } from './families/weights'
import { jsonFile } from './preset-files'
import type { StoredTensor } from './presets/open-weights'
import { LoraBranch } from './layers/lora-branch'
import type { Projection } from './layers/projection'

/** The layers of a block that can have an adapter. */
export type LoraTarget = ProjectionPart

export interface AdapterOptions {
  /** The layers of each block that get an adapter. Default query and value, as in Keras Hub. */
  readonly targets?: readonly LoraTarget[]
  /** The product is multiplied by alpha / rank. Default null: rank, so that the factor is 1. */
  readonly alpha?: number | null
  /** The probability that a feature of an adapter's input becomes 0 in training. Default 0. */
  readonly dropout?: number
  /** The seed of the first numbers. Default null: derived from setRandomSeed. */
  readonly seed?: number | null
}

const table = () => ({
  targets: option(listOf(text), ['query', 'value']),
  alpha: option(nullable(number()), null),
  dropout: option(number({ min: 0, max: 1 }), 0),
  seed: option(nullable(integer()), null),
})

/** A projection with its place in the model. */
interface Target {
  readonly block: number
  readonly part: LoraTarget
  readonly layer: Projection
}

/** The blocks of a model, and all weights that adapters take the place of in training. */
export interface Adapted {
  readonly blocks: Network['blocks']
  readonly weights: readonly Variable[]
}

function targetsOf({ blocks }: Pick<Adapted, 'blocks'>, parts: readonly LoraTarget[]): Target[] {
  return blocks.flatMap((block, i) =>
    parts.flatMap((part) => {
      const layer = projectionOf(block, part)
      return layer === null ? [] : [{ block: i, part, layer }]
    }),
  )
}

function readTargets(given: readonly string[]): LoraTarget[] {
  const known: readonly string[] = PROJECTIONS
  const wrong = given.find((name) => !known.includes(name))
  if (wrong !== undefined || given.length === 0)
    throw new ArgumentError(
      `enableLora: targets must be some of ${PROJECTIONS.join(', ')}, received ${wrong === undefined ? 'none' : quoted(wrong)}`,
    )
  return PROJECTIONS.filter((target) => given.includes(target))
}

/** Freezes all weights of a model and adds adapters. */
export function enableAdapters(transformer: Adapted, rank: number, options: AdapterOptions): void {
  const { targets, alpha, dropout, seed } = readOptions('enableLora', table(), options)
  extent.read(rank, 'enableLora: rank')
  if (adaptersOf(transformer).length > 0)
    throw new StateError('enableLora: the model has adapters already. Call disableLora before')
  const chosen = targetsOf(transformer, readTargets(targets))
  if (chosen.length === 0) throw new ArgumentError(`enableLora: the model has no layer ${targets.join(', ')}`)
  freeze(transformer)
  const first = seed ?? nextSeed()
  chosen.forEach(({ layer }, i) =>
    attach(layer, { rank, scale: (alpha ?? rank) / rank, dropout, seed: first + i, sharesA: null }),
  )
}

interface BranchSettings {
  readonly rank: number
  readonly scale: number
  readonly dropout: number
  readonly seed: number | null
  /** The branch whose A this one uses. */
  readonly sharesA: LoraBranch | null
}

function attach(layer: Projection, { rank, scale, dropout, seed, sharesA }: BranchSettings): LoraBranch {
  const branch = new LoraBranch({ units: layer.units, rank, initialScale: scale, dropout, seed, name: 'lora' })
  branch.sharesA = sharesA
  branch.ensureBuilt(new TensorSpec([null, null, layer.matrix.inputs], 'float32'))
  layer.lora = branch
  return branch
}

function freeze({ weights }: Adapted): void {
  for (const weight of weights) weight.trainable = false
}

/** All adapters with their places. */
export function adaptersOf(transformer: Pick<Adapted, 'blocks'>): (Target & { readonly branch: LoraBranch })[] {
  return targetsOf(transformer, PROJECTIONS).flatMap((target) =>
    target.layer.lora === null ? [] : [{ ...target, branch: target.layer.lora }],
  )
}

/** Removes all adapters; the weights of the model are trainable again. */
export function disableAdapters(transformer: Adapted): void {
  for (const { layer } of adaptersOf(transformer)) layer.lora = null
  for (const weight of transformer.weights) weight.trainable = weight.madeTrainable
}

// ---- files of peft

/** The names that peft gives to the tensors of an adapter begin with this. */
const PREFIX = 'base_model.model.'
export const ADAPTER_WEIGHTS = 'adapter_model.safetensors'
export const ADAPTER_CONFIG = 'adapter_config.json'

/** One module of a file: several projections may share it. */
interface Module {
  readonly name: string
  readonly members: readonly (Target & { readonly rows: Rows })[]
}

/** The modules of a file and the projections of the model that they are. */
function modulesOf(transformer: Pick<Adapted, 'blocks'>, places: Places): ReadonlyMap<string, Module> {
  const modules = new Map<string, Module>()
  for (const target of targetsOf(transformer, PROJECTIONS)) {
    const place: Place | undefined = places.parts[target.part]
    if (place === undefined) continue
    const name = places.prefixes[0]! + places.block.replace('#', String(target.block)) + nameOf(place)
    const { members } = modules.get(name) ?? { members: [] }
    modules.set(name, { name, members: [...members, { ...target, rows: rowsIn(transformer, places, target, place) }] })
  }
  return modules
}

const nameOf = (place: Place): string => (typeof place === 'string' ? place : place.name)

function rowsIn(
  { blocks }: Pick<Adapted, 'blocks'>,
  places: Places,
  { block, part, layer }: Target,
  place: Place,
): Rows {
  if (typeof place !== 'string') return rowsWithin(blocks[block]!, place, part, places)
  return { total: layer.units, ranges: [[0, layer.units]] }
}

/** The files of an adapter as peft reads them, by name. */
export function adapterFiles(
  transformer: Pick<Adapted, 'blocks'>,
  { places, kind }: Family,
  baseModel: string,
): ReadonlyMap<string, Uint8Array> {
  const adapters = adaptersOf(transformer)
  if (adapters.length === 0) throw new StateError('saveLora: the model has no adapters. Call enableLora before')
  const tensors: NamedTensor[] = []
  const [ranks, alphas]: Record<string, number>[] = [{}, {}]
  const names = new Set<string>()
  for (const { name, members } of modulesOf(transformer, places).values()) {
    const used = members.filter(({ layer }) => layer.lora !== null)
    if (used.length === 0) continue
    const { a, b, scale } = joined(used.map(({ layer, rows }) => ({ branch: layer.lora!, rows })))
    tensors.push({ name: `${PREFIX}${name}.lora_A.weight`, ...a }, { name: `${PREFIX}${name}.lora_B.weight`, ...b })
    const rank = a.shape[0]!
    ranks![name] = rank
    alphas![name] = scale * rank
    names.add(name.split('.').at(-1)!)
  }
  const [rank, alpha] = [Object.values(ranks!)[0]!, Object.values(alphas!)[0]!]
  const others = (values: Record<string, number>, common: number): Record<string, number> =>
    Object.fromEntries(Object.entries(values).filter(([, value]) => value !== common))
  const config = {
    peft_type: 'LORA',
    task_type: kind === 'decoder' ? 'CAUSAL_LM' : 'FEATURE_EXTRACTION',
    base_model_name_or_path: baseModel,
    r: rank,
    lora_alpha: alpha,
    lora_dropout: adapters[0]!.branch.dropout,
    target_modules: [...names].sort(),
    rank_pattern: others(ranks!, rank),
    alpha_pattern: others(alphas!, alpha),
    fan_in_fan_out: places.isTransposed === true,
    bias: 'none',
    modules_to_save: null,
    use_rslora: false,
    use_dora: false,
    init_lora_weights: true,
    inference_mode: true,
  }
  return new Map([
    [ADAPTER_CONFIG, jsonFile(config)],
    [ADAPTER_WEIGHTS, encodeContainer(tensors, { format: 'pt' })],
  ])
}

interface PlacedBranch {
  readonly branch: LoraBranch
  readonly rows: Rows
}

/** A and B of a module. Several branches of one module become one of the sum of their ranks: A below each other, B in a diagonal. */
function joined(branches: readonly PlacedBranch[]): { a: Matrix; b: Matrix; scale: number } {
  const inputs = branches[0]!.branch.a.shape[1]!
  const isShared = branches.every(({ branch }) => branch.a === branches[0]!.branch.a)
  const rank = isShared ? branches[0]!.branch.rank : branches.reduce((sum, { branch }) => sum + branch.rank, 0)
  const outputs = branches[0]!.rows.total
  const a = new Float32Array(rank * inputs)
  const b = new Float32Array(outputs * rank)
  const scale = branches[0]!.branch.scale.value.item()
  let first = 0
  for (const { branch, rows } of branches) {
    a.set(branch.a.view, first * inputs)
    // One scale for the module: differences go into B.
    const factor = branch.scale.value.item() / scale
    const { view } = branch.b
    let row = 0
    for (const [from, to] of rows.ranges)
      for (let output = from; output < to; output++, row++)
        for (let r = 0; r < branch.rank; r++) b[output * rank + first + r] = view[row * branch.rank + r]! * factor
    if (!isShared) first += branch.rank
  }
  return { a: { shape: [rank, inputs], data: a }, b: { shape: [outputs, rank], data: b }, scale }
}

type Matrix = Pick<NamedTensor, 'shape'> & { readonly data: Float32Array }

/** What adapter_config.json says. */
class AdapterConfig {
  private readonly config: ModelConfig
  readonly dropout: number

  constructor(content: Json) {
    this.config = ModelConfig.of(content, ADAPTER_CONFIG)
    this.config.require('peft_type', ['LORA'])
    this.config.require('bias', ['none'])
    this.config.require('use_dora', [false])
    this.config.require('lora_bias', [false])
    const saved = this.config.content['modules_to_save']
    if (itemsOf(saved).length > 0)
      throw new FormatError(`${ADAPTER_CONFIG}: 'modules_to_save' is ${quoted(saved)}; whole layers are not supported`)
    this.dropout = this.config.number('lora_dropout', 0)
  }

  /** alpha / rank of a module, or alpha / √rank. */
  scaleOf(module: string, rank: number): number {
    const alpha = this.patternFor('alpha_pattern', module) ?? this.config.number('lora_alpha', rank)
    return alpha / (this.config.flag('use_rslora', false) ? Math.sqrt(rank) : rank)
  }

  /** The number for a module: a key is its name, or the end of it. */
  private patternFor(key: string, module: string): number | null {
    const pattern = this.config.record(key)
    if (pattern === null) return null
    const name = Object.keys(pattern.content).find((each) => module === each || module.endsWith(`.${each}`))
    return name === undefined ? null : pattern.number(name)
  }
}

/**
 * Fills the adapters of a model from the files of peft. Adapters of the same ranks are only assigned, so no program is compiled again.
 * @throws FormatError for an adapter of another kind or for another model
 */
export async function fillAdapters(
  transformer: Adapted,
  places: Places,
  content: Json,
  tensors: ReadonlyMap<string, StoredTensor>,
): Promise<void> {
  const config = new AdapterConfig(content)
  const modules = modulesOf(transformer, places)
  const found = pairsIn(tensors)
  const filled = new Set<Projection>()
  const parts: FilledBranch[] = []
  for (const [name, { a, b }] of found) {
    const module = modules.get(name) ?? modules.get(places.prefixes[0]! + name)
    if (module === undefined)
      throw new FormatError(`${ADAPTER_WEIGHTS}: the model has no layer ${quoted(name)} that takes an adapter`)
    const [rank, inputs] = a.shape
    const { layer, rows } = module.members[0]!
    if (inputs !== layer.matrix.inputs || b.shape[0] !== rows.total || b.shape[1] !== rank)
      throw new FormatError(
        `${ADAPTER_WEIGHTS}: the adapter of ${quoted(name)} has A [${a.shape.join(', ')}] and B [${b.shape.join(', ')}], the layer maps ${layer.matrix.inputs} to ${rows.total} features`,
      )
    const [numbersA, numbersB] = [await a.read(), await b.read()]
    const scale = config.scaleOf(name, rank!)
    for (const member of module.members) {
      const own = rowsOf(numbersB, rank!, member.rows.ranges)
      // A part of a shared module that the adapter does not change needs no branch.
      if (module.members.length > 1 && own.data.every((each) => each === 0)) continue
      filled.add(member.layer)
      parts.push({ layer: member.layer, module: name, a: { shape: [rank!, inputs!], data: numbersA }, b: own, scale })
    }
  }
  // Everything was read and checked: only now does the model change.
  if (adaptersOf(transformer).length === 0) freeze(transformer)
  for (const { layer } of adaptersOf(transformer)) if (!filled.has(layer)) layer.lora = null
  const firsts = new Map<string, LoraBranch>()
  for (const { layer, module, a, b, scale } of parts) {
    const rank = a.shape[0]!
    const sharesA = firsts.get(module) ?? null
    const fits = layer.lora?.rank === rank && layer.lora.sharesA === sharesA
    const branch = fits ? layer.lora! : attach(layer, { rank, scale, dropout: config.dropout, seed: null, sharesA })
    if (sharesA === null) firsts.set(module, branch)
    branch.a.assign(new Tensor(a.data, a.shape, 'float32'))
    branch.b.assign(new Tensor(b.data, b.shape, 'float32'))
    branch.scale.assign(scale)
  }
}

/** The numbers for one projection. */
interface FilledBranch {
  readonly layer: Projection
  readonly module: string
  readonly a: Matrix
  readonly b: Matrix
  readonly scale: number
}

function rowsOf(numbers: Float32Array, rank: number, ranges: readonly (readonly [number, number])[]): Matrix {
  const parts = ranges.map(([from, to]) => numbers.subarray(from * rank, to * rank))
  const rows = ranges.reduce((sum, [from, to]) => sum + to - from, 0)
  const data = new Float32Array(rows * rank)
  let at = 0
  for (const part of parts) {
    data.set(part, at)
    at += part.length
  }
  return { shape: [rows, rank], data }
}

/** A and B of each module in a file of peft, by the name of the module. */
function pairsIn(tensors: ReadonlyMap<string, StoredTensor>): Map<string, { a: StoredTensor; b: StoredTensor }> {
  const found = new Map<string, { a?: StoredTensor; b?: StoredTensor }>()
  for (const [name, tensor] of tensors) {
    const match = /^(?:base_model\.model\.)?(.+)\.lora_([AB])(?:\.default)?\.weight$/.exec(name)
    if (match === null || tensor.shape.length !== 2)
      throw new FormatError(`${ADAPTER_WEIGHTS}: ${quoted(name)} is not a matrix of a LoRA adapter`)
    const pair = found.get(match[1]!) ?? {}
    found.set(match[1]!, { ...pair, [match[2] === 'A' ? 'a' : 'b']: tensor })
  }
  return new Map(
    [...found].map(([name, { a, b }]) => {
      if (a === undefined || b === undefined)
        throw new FormatError(`${ADAPTER_WEIGHTS}: ${quoted(name)} has only one of its two matrices`)
      return [name, { a, b }]
    }),
  )
}
