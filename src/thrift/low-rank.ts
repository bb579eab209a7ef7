// lowRank: factorizes kernels of Dense layers into two narrow matrices.

import { requireArguments } from '../core/arguments'
import { ArgumentError, internalError } from '../core/errors'
import { count, nullable, number, option, readOptions } from '../core/options'
import type { LayerBase } from '../layers/layer'
import { Dense } from '../layers/core/dense'
import { isNamed, layersOption, type LayerName } from '../layers/kinds'
import { computesAs } from '../layers/declared-units'
import { remade } from '../layers/remade'
import { copyableGraph } from '../models/known-graph'
import { divide, multiply, sqrt, square } from '../ops/numpy/elementwise'
import { eigh, qr } from '../ops/linalg/factorization'
import { matmul } from '../ops/linalg/linalg'
import { normal } from '../ops/random/draws'
import { sum } from '../ops/numpy/reduce'
import { flip, slice, transpose } from '../ops/numpy/shape'
import type { Tensor } from '../ops/tensor'
import type { Variable } from '../ops/variable'
import { replaceLayers, type Replacement } from './replace-layers'

export interface LowRankOptions {
  /** The number of units between the two layers. */
  readonly rank?: number
  /** Alternatively, the share of Σ σ² of each kernel to keep, in (0, 1]: the smallest rank that keeps it is used. */
  readonly energy?: number
  /** The Dense layers, or their names. Default: all. */
  readonly layers?: readonly LayerName[] | null
}

const lowRankOptions = {
  rank: option(nullable(count), null),
  energy: option(nullable(number({ above: 0, max: 1 })), null),
  layers: layersOption(),
}

/** A kernel ≈ first · second: [n, rank] · [rank, m]. */
interface Factors {
  readonly first: Tensor
  readonly second: Tensor
}

/**
 * Replaces Dense layers by two layers with no activation between them: x · W + b ≈ (x · A) · B + b, where A · B is the
 * matrix of this rank nearest to W, U_r Σ_r V_rᵀ of the singular value decomposition; A = U_r √Σ_r, B = √Σ_r V_rᵀ. A
 * layer is replaced if that reduces the multiplications: rank · (n + m) < n · m. The result is an ordinary model,
 * compiled with the same options and a fresh optimizer. The second layer keeps the name of the original; the first has
 * the suffix `_in`. Regularizers that keep state of the kernel, such as L2Init, are dropped. `model` is not
 * changed.
 *
 *   const thin = lowRank(model, { energy: 0.9 })
 *   await thin.fit(x, y)
 *   lowRank(model, { rank: 16, layers: ['hidden'] })
 *
 * The time grows with the cube of the rank, or of the kernel's shorter side unless the rank is small beside it: one
 * second for 300. Subclasses of Dense with a custom `call` are not replaced, and neither are kernels of zeros, whose
 * factors could not be trained.
 * @throws ArgumentError unless `model` is a model with a known graph, for layers that are not Dense layers of it, and
 * if no replacement reduces the cost or all kernels are zeros
 */
export function lowRank<Kind extends LayerBase>(model: Kind, options: LowRankOptions): Kind {
  requireArguments('lowRank', arguments, 2)
  const { rank, energy, layers } = readOptions('lowRank', lowRankOptions, options)
  copyableGraph('lowRank', model)
  if ((rank === null) === (energy === null)) throw new ArgumentError('lowRank: needs either rank or energy')
  const chosen = chosenIn(model, layers)
  const names = new Set(model.allLayers.map(({ name }) => name))
  let replaced = 0
  const thin = replaceLayers(model, (layer) => {
    const dense = chosen.get(layer)
    const factors = dense === undefined ? null : factorsOf(dense.kernel, rank, energy)
    if (dense === undefined || factors === null) return null
    replaced++
    return factorized(dense, factors, unused(`${layer.name}_in`, names))
  })
  if (replaced > 0) return thin
  throw nothingSaved([...chosen.values()], rank === null ? `energy ${energy}` : `rank ${rank}`)
}

/** The Dense layers to factorize. @throws ArgumentError for a layer that is not a Dense layer of the model */
function chosenIn(model: LayerBase, layers: readonly LayerName[] | null): ReadonlyMap<LayerBase, Dense> {
  const dense = model.allLayers.filter((layer): layer is Dense => computesAs(layer, Dense))
  const unknown = layers?.find((each) => !dense.some((layer) => isNamed(each, layer)))
  if (unknown !== undefined)
    throw new ArgumentError(
      `lowRank: ${String(unknown)} is not a Dense layer of ${model}, or has a custom call. The Dense layers are: ${dense.map(({ name }) => name).join(', ') || 'none'}`,
    )
  const chosen = dense.filter((layer) => layers === null || layers.some((each) => isNamed(each, layer)))
  return new Map(chosen.map((layer) => [layer, layer]))
}

/** Two layers in place of one. @param name of the first; the second has the name of the original */
function factorized(layer: Dense, factors: Factors, name: string): Replacement {
  const { inputShape, kernelInitializer, kernelRegularizer: regularizer, trainable, units, bias } = layer
  // The state that a regularizer keeps of a kernel does not apply to its factors.
  const kernelRegularizer = regularizer?.keep === undefined ? regularizer : null
  const first = new Dense({
    units: factors.first.shape[1]!,
    useBias: false,
    kernelInitializer,
    kernelRegularizer,
    inputShape,
    trainable,
    name,
  })
  const second = remade(layer, { units, inputShape: null, kernelRegularizer })
  if (!(second instanceof Dense)) throw internalError(`the copy of ${layer} is not a Dense layer`)
  const fill = (): void => {
    first.kernel.assign(factors.first)
    second.kernel.assign(factors.second)
    second.bias?.assign(bias!.value)
  }
  return { layers: [first, second], fill }
}

/** Why no layer was replaced. */
function nothingSaved(chosen: readonly Dense[], how: string): ArgumentError {
  const empty = chosen.filter(({ kernel }) => kernel.view.every((weight) => weight === 0))
  if (empty.length > 0 && empty.length === chosen.length)
    return new ArgumentError(
      `lowRank: the kernel of ${empty.map(({ name }) => name).join(', ')} is all zeros and cannot be factorized. Train the model first, or use another initializer.`,
    )
  const shapes = chosen.map(({ name, kernel }) => `${name} [${kernel.shape.join(', ')}]`)
  return new ArgumentError(
    `lowRank: no multiplications would be saved by ${how}. rank · (n + m) must be below n · m for a kernel [n, m], received ${shapes.join(', ') || 'no Dense layers'}`,
  )
}

/** A name that no layer has yet. It is then taken. */
function unused(name: string, names: Set<string>): string {
  if (names.has(name)) return unused(`${name}_in`, names)
  names.add(name)
  return name
}

/** null if the factorization does not reduce the cost. */
function factorsOf({ value, shape }: Variable, rank: number | null, energy: number | null): Factors | null {
  const [n, m] = [shape[0]!, shape[1]!]
  const most = Math.ceil((n * m) / (n + m)) - 1
  if (most < 1 || (rank !== null && rank > most)) return null
  // The shorter side has fewer vectors.
  const isTall = n >= m
  const decomposed = leading(isTall ? value : transpose(value), { rank, energy, most })
  if (decomposed === null) return null
  const { vectors, values, product } = decomposed
  const roots = sqrt(values)
  const [scaled, other] = [multiply(vectors, roots), divide(product, roots)]
  return isTall ? { first: other, second: transpose(scaled) } : { first: scaled, second: transpose(other) }
}

/** The rank, or the share of Σ σ² that determines it, and the largest rank that saves anything. */
interface Wanted {
  readonly rank: number | null
  readonly energy: number | null
  readonly most: number
}

/** For A [n, m], n ≥ m: right singular vectors V [m, r], singular values [r], and A V [n, r] = U diag(σ). */
interface Leading {
  readonly vectors: Tensor
  readonly values: Tensor
  readonly product: Tensor
}

/** Vectors computed beyond those needed. */
const SPARE = 8
const TURNS = 4

/** The leading part of the decomposition; null if it needs too many vectors to save anything. */
function leading(a: Tensor, { rank, energy, most }: Wanted): Leading | null {
  const m = a.shape[1]!
  const total = sum(square(a)).item()
  for (let size = (rank ?? 24) + SPARE; ; size *= 2) {
    // Subspace iteration where that is less work, else all eigenvectors of Aᵀ A.
    const basis = size < m / 3 ? subspace(a, size) : null
    const thin = basis === null ? a : matmul(a, basis)
    const [eigenvalues, eigenvectors] = eigh(matmul(transpose(thin), thin))
    const squares = [...eigenvalues.data].reverse().map((each) => Math.max(0, each))
    // Values at the level of rounding errors are not directions.
    const certain = squares.filter((each) => each > 1e-12 * squares[0]!).length
    const needed = rank ?? ranksFor(squares, energy! * total)
    if (needed === null || (basis !== null && needed > size - SPARE)) {
      if (basis !== null) continue
      return null
    }
    const count = Math.min(needed, certain)
    if (count < 1 || count > most) return null
    const largest = slice(flip(eigenvectors, 1), [0, 0], [eigenvectors.shape[0]!, count])
    return {
      vectors: basis === null ? largest : matmul(basis, largest),
      values: sqrt(slice(flip(eigenvalues, 0), [0], [count])),
      product: matmul(thin, largest),
    }
  }
}

/** The smallest number of leading squares whose sum reaches a limit; null if all together do not. */
function ranksFor(squares: readonly number[], limit: number): number | null {
  let sumSoFar = 0
  for (let i = 0; i < squares.length; i++) {
    sumSoFar += squares[i]!
    // float32 sums have about six correct digits.
    if (sumSoFar >= limit * (1 - 1e-6)) return i + 1
  }
  return null
}

/** An orthonormal basis [m, size] that approximates the leading right singular vectors. Halko et al. 2011. */
function subspace(a: Tensor, size: number): Tensor {
  const [n, m] = [a.shape[0]!, a.shape[1]!]
  let basis = qr(matmul(transpose(a), normal([n, size], { seed: m })))[0]
  for (let turn = 0; turn < TURNS; turn++) basis = qr(matmul(transpose(a), qr(matmul(a, basis))[0]))[0]
  return basis
}
