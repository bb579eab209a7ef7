// The modules of sentence-transformers: what a folder says about the way from the features of tokens to the vector of a text.

import { FormatError, quoted } from '../../core/errors'
import type { Json } from '../../core/registry'
import { gelu, silu } from '../../ops/nn/activations'
import { divide, maximum, multiply, sigmoid, sqrt, tanh } from '../../ops/numpy/elementwise'
import { sum } from '../../ops/numpy/reduce'
import { relu } from '../../ops/numpy/whole'
import { Tensor } from '../../ops/tensor'
import type { Variable } from '../../ops/variable'
import type { NamedTensor } from '../../files/containers/safetensors'
import { TensorSpec } from '../../layers/spec'
import { ModelConfig } from '../families/config'
import { Projection } from '../layers/projection'
import { openWeights, type StoredTensor } from '../presets/open-weights'
import type { PresetFolder } from '../presets/preset-folder'
import { MEAN_POOLING, readPooling, type Pooling } from './pooling'

/** A step after pooling. */
export interface SentenceModule {
  readonly isNormalization: boolean
  /** The weights of a dense layer, and the folder that has them; null for a module without weights. */
  readonly dense: { readonly path: string; readonly layer: Projection } | null
  /** [texts, features] → [texts, other features] */
  apply(vectors: Tensor): Tensor
}

/** What follows the features of tokens. */
export interface SentenceModules {
  readonly pooling: Pooling
  readonly after: readonly SentenceModule[]
  /** The files of JSON that say so, by name. */
  readonly files: ReadonlyMap<string, Json>
}

/** x / |x| */
export const NORMALIZATION: SentenceModule = {
  isNormalization: true,
  dense: null,
  apply(vectors) {
    const length = sqrt(sum(multiply(vectors, vectors), -1, true))
    return divide(vectors, maximum(length, 1e-12))
  },
}

/** The end of the name of a class in Python → what it computes. */
const DENSE_ACTIVATIONS: Readonly<Record<string, (x: Tensor) => Tensor>> = {
  Tanh: (x) => tanh(x),
  Identity: (x) => x,
  ReLU: (x) => relu(x),
  GELU: (x) => gelu(x, false),
  SiLU: (x) => silu(x),
  Sigmoid: (x) => sigmoid(x),
}

/** The last part of the name of a class in Python. */
const lastPart = (name: string): string => name.slice(name.lastIndexOf('.') + 1)

/**
 * Reads modules.json and the folders that it names; without it, the vector of a text is the mean over its tokens.
 * @throws FormatError for modules that are not supported
 */
export async function readModules(folder: PresetFolder): Promise<SentenceModules> {
  const listed = await folder.json('modules.json')
  if (listed === null) return { pooling: MEAN_POOLING, after: [], files: new Map() }
  if (!Array.isArray(listed)) throw new FormatError(`${folder.name}: modules.json must be a list of modules`)
  const modules = listed.map((each: Json, i: number) =>
    ModelConfig.of(each, `${folder.name}: modules.json, module ${i}`),
  )
  const [first, second, ...others] = modules
  requireType(first, 'Transformer', folder)
  requireType(second, 'Pooling', folder)
  const path = first!.text('path', '')
  if (path !== '')
    throw new FormatError(
      `${first!.where} is in the folder ${quoted(path)}. Save the model again with sentence-transformers 2 or newer, which puts it in the folder itself`,
    )
  const files = new Map<string, Json>([['modules.json', listed]])
  const pooling = readPooling(await configIn(folder, folderOf(second!), files))
  const after: SentenceModule[] = []
  for (const module of others) {
    const made = await moduleOf(module, folder, files)
    if (made !== null) after.push(made)
  }
  return { pooling, after, files }
}

function requireType(module: ModelConfig | undefined, type: string, folder: PresetFolder): void {
  const found = module?.text('type')
  if (found === undefined) throw new FormatError(`${folder.name}: modules.json has no ${type}`)
  if (lastPart(found) !== type)
    throw new FormatError(`${module!.where} must be a ${type}, it is ${quoted(found)}, which is not supported here`)
}

/** The folder of a module, which is within that of the model. */
function folderOf(module: ModelConfig): string {
  const path = module.text('path')
  if (/^[\w-][\w.-]*$/.test(path)) return path
  throw new FormatError(`${module.where}: 'path' must be the name of a folder, it is ${quoted(path)}`)
}

/** The settings of a module. @param files receives them */
async function configIn(folder: PresetFolder, path: string, files: Map<string, Json>): Promise<ModelConfig> {
  const name = `${path}/config.json`
  const content = await folder.json(name)
  if (content === null) throw new FormatError(`${folder.name} has no ${name}, which modules.json names`)
  files.set(name, content)
  return ModelConfig.of(content, `${folder.name}: ${name}`)
}

/** A module after pooling; null for one that changes nothing. */
async function moduleOf(
  module: ModelConfig,
  folder: PresetFolder,
  files: Map<string, Json>,
): Promise<SentenceModule | null> {
  const type = module.text('type')
  switch (lastPart(type)) {
    case 'Normalize':
      return NORMALIZATION
    case 'Dense':
      return readDense(folder, folderOf(module), files)
    case 'Dropout':
      return null
    default:
      throw new FormatError(
        `${module.where} is ${quoted(type)}; supported after the pooling: Dense, Normalize, Dropout`,
      )
  }
}

/** A linear layer with a nonlinear function: f(x · weightᵀ + bias). */
async function readDense(folder: PresetFolder, path: string, files: Map<string, Json>): Promise<SentenceModule> {
  const config = await configIn(folder, path, files)
  config.require('use_residual', [false])
  config.require('module_input_name', ['sentence_embedding'])
  config.require('module_output_name', ['sentence_embedding'])
  const [inputs, outputs] = [config.count('in_features'), config.count('out_features')]
  const name = lastPart(config.text('activation_function', 'Tanh'))
  const activate = Object.hasOwn(DENSE_ACTIVATIONS, name) ? DENSE_ACTIVATIONS[name]! : null
  if (activate === null)
    throw new FormatError(
      `${config.where}: 'activation_function' is ${quoted(name)}; supported: ${Object.keys(DENSE_ACTIVATIONS).join(', ')}`,
    )
  const file = `${path}/model.safetensors`
  const tensors = await openWeights(folder, file)
  const where = `${folder.name}: ${file}`
  const useBias = config.flag('bias', true)
  const layer = new Projection({ units: outputs, useBias, name: path })
  layer.ensureBuilt(new TensorSpec([null, inputs], 'float32'))
  layer.kernel.assign(await tensorIn(tensors, 'linear.weight', [outputs, inputs], where))
  if (useBias) layer.bias!.assign(await tensorIn(tensors, 'linear.bias', [outputs], where))
  return { isNormalization: false, dense: { path, layer }, apply: (vectors) => activate(layer.apply(vectors)) }
}

/** The tensors of a dense layer, as its file has them. */
export function denseTensors({ kernel, bias }: Projection): NamedTensor[] {
  const named = (name: string, { shape, view }: Variable): NamedTensor => ({ name, shape, data: view })
  return [named('linear.weight', kernel), ...(bias === null ? [] : [named('linear.bias', bias)])]
}

async function tensorIn(
  tensors: ReadonlyMap<string, StoredTensor>,
  name: string,
  shape: readonly number[],
  where: string,
): Promise<Tensor> {
  const tensor = tensors.get(name)
  if (tensor === undefined) throw new FormatError(`${where} has no tensor ${quoted(name)}`)
  if (tensor.shape.join() !== shape.join())
    throw new FormatError(
      `${where}: ${quoted(name)} has the shape [${tensor.shape.join(', ')}], the config needs [${shape.join(', ')}]`,
    )
  return new Tensor(await tensor.read(), shape, 'float32')
}
