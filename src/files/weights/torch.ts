// A mapping from the names and layouts of PyTorch to those of this library, found by the order and the shapes of layers.

import { put } from '../../core/tree'
import { naturalOrder } from '../../core/text'
import { FormatError, formatShape, listed } from '../../core/errors'
import { sameShape, type Shape } from '../../core/shapes'
import type { NamedTensor } from '../containers/safetensors'
import { inFiles, type SavedVariable } from '../../layers/saved-weights'
import type { WeightTarget, WeightTargets } from '../containers/weight-mapping'
import { isTargets } from './mapping'
import type { LayerBase } from '../../layers/layer'
import type { Variable } from '../../ops/variable'
import { pairsOf } from './pairs'

/** The arrays of a module: their names in the module, such as `weight`. */
interface Module {
  readonly name: string
  readonly arrays: Map<string, { readonly name: string; readonly shape: Shape }>
}

/** A layer with weights: the last part of the class in its path, and its weights by their names in it. */
interface ModelLayer {
  readonly path: string
  /** The layers from the model to this one. */
  readonly trail: readonly LayerBase[]
  readonly kind: string
  readonly shapes: Map<string, Shape>
}

/** What arrays of a module become: weights of a layer, without the path of the layer. */
type Rows = Readonly<Record<string, WeightTarget | readonly WeightTarget[]>>

const plain = (rows: Readonly<Record<string, string>>): Rows =>
  Object.fromEntries(Object.entries(rows).map(([name, to]) => [name, { to }]))

const kernel = (...transpose: readonly number[]): Rows => ({
  weight: { to: 'kernel', transpose },
  bias: { to: 'bias' },
})

const scale = plain({ weight: 'gamma', bias: 'beta' })

/** Weights of a cell, and its two biases; gates are in the order of `blocks`. */
function cell(biases: readonly [WeightTarget, WeightTarget], blocks?: readonly number[]): Rows {
  const order = blocks === undefined ? {} : { blocks }
  return {
    weight_ih: { to: 'kernel', transpose: [1, 0], ...order },
    weight_hh: { to: 'recurrent_kernel', transpose: [1, 0], ...order },
    bias_ih: { ...biases[0], ...order },
    bias_hh: { ...biases[1], ...order },
  }
}

const summed: readonly [WeightTarget, WeightTarget] = [
  { to: 'bias', add: true },
  { to: 'bias', add: true },
]

/** The rows of each class of layers, by the class in paths; PyTorch has the gates of an LSTM in the same order. */
const KINDS: Readonly<Record<string, Rows>> = {
  dense: kernel(1, 0),
  conv1d: kernel(2, 1, 0),
  conv2d: kernel(2, 3, 1, 0),
  conv3d: kernel(2, 3, 4, 1, 0),
  conv1d_transpose: kernel(2, 1, 0),
  conv2d_transpose: kernel(2, 3, 1, 0),
  conv3d_transpose: kernel(2, 3, 4, 1, 0),
  depthwise_conv1d: { weight: { to: 'kernel', transpose: [2, 0, 1] }, bias: { to: 'bias' } },
  depthwise_conv2d: { weight: { to: 'kernel', transpose: [2, 3, 0, 1] }, bias: { to: 'bias' } },
  batch_normalization: { ...scale, ...plain({ running_mean: 'movingMean', running_var: 'movingVariance' }) },
  layer_normalization: scale,
  group_normalization: scale,
  rms_normalization: plain({ weight: 'scale' }),
  embedding: plain({ weight: 'embeddings' }),
  p_re_l_u: plain({ weight: 'alpha' }),
  lstm_cell: cell(summed),
  simple_rnn_cell: cell(summed),
  // r, z, n there; z, r, h here.
  gru_cell: cell(
    [
      { to: 'bias', at: 0 },
      { to: 'bias', at: 1 },
    ],
    [1, 0, 2],
  ),
}

/** Arrays that a model does not need. */
const UNUSED = ['num_batches_tracked']

/** in_proj has the rows of query, key and value; heads are adjacent. */
function attention({ shapes }: ModelLayer): Rows {
  const [size = 0, heads = 0, width = 0] = shapes.get('einsum_dense/kernel') ?? []
  const inner = heads * width
  const each = ['einsum_dense', 'einsum_dense_1', 'einsum_dense_2']
  const part = (i: number): { readonly rows: [number, number] } => ({ rows: [i * inner, (i + 1) * inner] })
  return {
    in_proj_weight: each.map((name, i) => ({
      to: `${name}/kernel`,
      ...part(i),
      transpose: [1, 0],
      reshape: [size, inner],
    })),
    in_proj_bias: each.map((name, i) => ({ to: `${name}/bias`, ...part(i), reshape: [inner] })),
    'out_proj.weight': { to: 'einsum_dense_3/kernel', transpose: [1, 0], reshape: [inner, size] },
    'out_proj.bias': { to: 'einsum_dense_3/bias' },
  }
}

/**
 * The mapping of the arrays of a PyTorch module to the weights of a model. A layer gets the only module that has its shapes; if several
 * have them, that of its name, or that of its place in the data flow: see pairs.ts.
 * @throws FormatError that names layers and modules for which nothing fits, and those of which nothing tells which is which
 */
export function mappingFor(
  model: LayerBase,
  weights: readonly SavedVariable[],
  arrays: ReadonlyMap<string, NamedTensor>,
): Record<string, WeightTargets> {
  const { pairs, left, unclear } = pairsOf(layersOf(model, weights), modulesOf(arrays), {
    fits: (module, layer) => {
      const rows = rowsOf(layer)
      return rows !== null && fits(module, rows, layer)
    },
    likeness: ({ kind, shapes }) => JSON.stringify([kind, ...shapes]),
  })
  const problems = left.layers.map(({ path, shapes }) => {
    const described = Array.from(shapes, ([name, shape]) => `${name} ${formatShape(shape)}`).join(', ')
    return `no module fits '${path}' (${described})`
  })
  if (left.modules.length > 0) problems.push(`no layer fits ${quotedNames(left.modules)}`)
  for (const { layers, modules } of unclear)
    problems.push(
      `${quotedNames(modules)} fit ${layers.length === 1 ? '' : 'each of '}${quotedNames(layers.map(({ path }) => ({ name: path })))}, and nothing tells which is which: give these layers the names of the modules, such as { name: '${modules[0]!.name}' }`,
    )
  if (problems.length > 0)
    throw new FormatError(
      `No mapping from PyTorch was found: ${listed(problems)}. Or write the mapping yourself and pass it as the option mapping: { 'fc.weight': { to: 'dense/kernel', transpose: [1, 0] } }`,
    )
  const mapping: Record<string, WeightTargets> = {}
  for (const [layer, { arrays: found }] of pairs) {
    const rows = rowsOf(layer)!
    for (const [key, { name }] of found)
      put(mapping, name, UNUSED.includes(key) ? null : located(rows[key]!, layer.path))
  }
  return mapping
}

const quotedNames = (all: readonly { readonly name: string }[]): string =>
  listed(
    all.map(({ name }) => `'${name}'`),
    ', ',
  )

function rowsOf(layer: ModelLayer): Rows | null {
  return layer.kind === 'multi_head_attention' ? attention(layer) : (KINDS[layer.kind] ?? null)
}

function located(rows: WeightTarget | readonly WeightTarget[], path: string): WeightTargets {
  const at = (target: WeightTarget): WeightTarget => ({ ...target, to: `${path}/${target.to}` })
  return isTargets(rows) ? rows.map(at) : at(rows)
}

/** Whether all arrays of a module are weights of a layer, with their shapes, and all weights are among them. */
function fits({ arrays }: Module, rows: Rows, { shapes }: ModelLayer): boolean {
  const reached = new Set<string>()
  for (const [key, { shape }] of arrays) {
    if (UNUSED.includes(key)) continue
    const targets = Object.hasOwn(rows, key) ? [rows[key]!].flat() : []
    if (targets.length === 0) return false
    for (const target of targets) {
      const weightShape = shapes.get(target.to)
      if (weightShape === undefined || !hasShape(target, shape, weightShape)) return false
      reached.add(target.to)
    }
  }
  return reached.size === shapes.size
}

function hasShape({ rows, transpose, reshape, at }: WeightTarget, shape: Shape, weightShape: Shape): boolean {
  const part = rows === undefined ? shape : [rows[1] - rows[0], ...shape.slice(1)]
  if (rows !== undefined && rows[1] > (shape[0] ?? 0)) return false
  if (transpose !== undefined && transpose.length !== part.length) return false
  const turned = transpose === undefined ? part : transpose.map((axis) => part[axis]!)
  return sameShape(turned, reshape ?? (at === undefined ? weightShape : weightShape.slice(1)))
}

/** The modules in the order of the file; if names are in alphabetical order, as safetensors writes them, numbers in them are compared as numbers. */
function modulesOf(arrays: ReadonlyMap<string, NamedTensor>): Module[] {
  const names = [...arrays.keys()]
  const isSorted = names.every((name, i) => i === 0 || names[i - 1]! < name)
  const modules = new Map<string, Module>()
  for (const name of isSorted ? [...names].sort(naturalOrder()) : names) {
    const [place, key] = partsOf(name)
    const found = modules.get(place) ?? { name: place, arrays: new Map() }
    modules.set(place, found)
    found.arrays.set(key, { name, shape: arrays.get(name)!.shape })
  }
  return [...modules.values()]
}

/** A module and the name of an array in it. Layers and directions of an RNN, and the parts of an attention, are modules. */
function partsOf(name: string): readonly [place: string, key: string] {
  const rnn = /^(.*?)\.?(weight|bias)_(ih|hh)(_l\d+(?:_reverse)?)$/.exec(name)
  if (rnn !== null) return [`${rnn[1]}${rnn[4]}`, `${rnn[2]}_${rnn[3]}`]
  const projection = /^(.*?)\.?(out_proj\.(?:weight|bias)|in_proj_(?:weight|bias))$/.exec(name)
  if (projection !== null) return [projection[1]!, projection[2]!]
  const end = name.lastIndexOf('.')
  return [name.slice(0, Math.max(0, end)), name.slice(end + 1)]
}

/** The layers of weights, in order. */
function layersOf(model: LayerBase, weights: readonly SavedVariable[]): ModelLayer[] {
  const trails = trailsOf(model)
  const layers = new Map<string, ModelLayer>()
  for (const { key, variable } of weights) {
    const steps = key.split('/')
    const isAttention = /^multi_head_attention(?:_\d+)?$/.test(steps.at(-3) ?? '')
    const end = steps.length - (isAttention ? 2 : 1)
    const path = steps.slice(0, end).join('/')
    const found = layers.get(path) ?? {
      path,
      trail: trails.get(variable)!.slice(0, end + 1),
      kind: (steps[end - 1] ?? '').replace(/_\d+$/, ''),
      shapes: new Map<string, Shape>(),
    }
    layers.set(path, found)
    found.shapes.set(steps.slice(end).join('/'), variable.shape)
  }
  return [...layers.values()]
}

/** The layers from a model to each weight, a layer for each step of its path. */
function trailsOf(model: LayerBase): ReadonlyMap<Variable, readonly LayerBase[]> {
  const trails = new Map<Variable, readonly LayerBase[]>()
  const seen = new Set<LayerBase>()
  const walk = (layer: LayerBase, outer: readonly LayerBase[]): void => {
    if (seen.has(layer)) return
    seen.add(layer)
    const trail = [...outer, layer]
    for (const variable of inFiles(layer.ownWeights)) if (!trails.has(variable)) trails.set(variable, trail)
    for (const inner of layer.sublayers) walk(inner, trail)
  }
  walk(model, [])
  return trails
}
