// lowRank: kernels of Dense layers as products of two narrow ones.

import { ArgumentError } from '../core/errors'
import { count, nullable, number, option, readOptions } from '../core/options'
import { typed } from '../core/tree'
import type { LayerBase } from '../layers/base'
import { Dense } from '../layers/core/dense'
import type { LayerName } from '../layers/kinds'
import { isNamed, layersOption } from '../layers/kinds'
import { computesAs } from '../layers/units'
import { remade } from '../layers/remade'
import { copyableGraph } from '../models/known-graph'
import type { Model } from '../models/model'
import { divide, multiply, sqrt, square } from '../ops/elementwise'
import { eigh, qr } from '../ops/factorization'
import { matmul } from '../ops/linalg'
import { normal } from '../ops/random'
import { sum } from '../ops/reduce'
import { flip, slice, transpose } from '../ops/shape'
import type { Tensor } from '../ops/tensor'
import type { Variable } from '../ops/variable'
import { replaceLayers } from './replace-layers'

export interface LowRankOptions {
  /** How many numbers stand between the two layers. */
  readonly rank?: number
  /** Or the share of Σ σ² of each kernel that is to be kept, in (0, 1]: the least rank that keeps it. */
  readonly energy?: number
  /** Dense layers, also by name. Default: all. */
  readonly layers?: readonly LayerName[] | null
}

const options = {
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
 * A model in which Dense layers are two, without anything between them: x · W + b ≈ (x · A) · B + b, with A · B the matrix of this
 * rank that is nearest to W, U_r Σ_r V_rᵀ of the singular value decomposition; A = U_r √Σ_r, B = √Σ_r V_rᵀ. That is done where it
 * makes less to multiply: rank · (n + m) < n · m. The result is an ordinary model, compiled alike with an optimizer that begins anew; the
 * second layer has the name of the one that it stands for, and the first adds `_in` to it. A penalty that keeps something of the kernel,
 * as L2Init does, is left out of both. The given model stays as it is.
 *
 *   const thin = lowRank(model, { energy: 0.9 })
 *   await thin.fit(x, y)
 *   lowRank(model, { rank: 16, layers: ['hidden'] })
 *
 * Takes time as the cube of the rank, or of the kernel's shorter side where the rank is not small beside it: a second for 300.
 * Subclasses of Dense with a `call` of their own stay as they are, and so do kernels that are all zeros: two factors of zeros would never be
 * trained.
 * @throws ArgumentError for what is no model or one whose graph nobody knows, for layers that are no Dense layers of it, where
 *   nothing would be saved, and where all kernels are zeros
 */
export function lowRank<Kind extends LayerBase>(whole: Kind, given: LowRankOptions): Kind {
  const { rank, energy, layers } = readOptions('lowRank', options, given)
  copyableGraph('lowRank', whole)
  const model = typed<Model<never, never>>(whole)
  if ((rank === null) === (energy === null)) throw new ArgumentError('lowRank: needs rank or energy, and not both')
  const dense = model.allLayers.filter((layer): layer is Dense => computesAs(layer, Dense))
  const unknown = layers?.find((each) => !dense.some((layer) => isNamed(each, layer)))
  if (unknown !== undefined)
    throw new ArgumentError(
      `lowRank: ${String(unknown)} is no Dense layer of ${model}, or has a call of its own. There are: ${dense.map(({ name }) => name).join(', ') || 'none'}`,
    )
  const chosen = new Set<LayerBase>(
    layers === null ? dense : dense.filter((layer) => layers.some((each) => isNamed(each, layer))),
  )
  const names = new Set(model.allLayers.map(({ name }) => name))
  let replaced = 0
  const thin = replaceLayers(whole, (layer) => {
    const found = chosen.has(layer) ? factorsOf((layer as Dense).kernel, rank, energy) : null
    if (found === null) return null
    replaced++
    const { inputShape, kernelInitializer, kernelRegularizer: given, trainable, units, bias } = layer as Dense
    // What a penalty keeps of a kernel says nothing of its factors.
    const kernelRegularizer = given?.keep === undefined ? given : null
    const name = unused(`${layer.name}_in`, names)
    const first = new Dense({
      units: found.first.shape[1]!,
      useBias: false,
      kernelInitializer,
      kernelRegularizer,
      inputShape,
      trainable,
      name,
    })
    const second = remade(layer, { units, inputShape: null, kernelRegularizer }) as Dense
    const fill = (): void => {
      first.kernel.assign(found.first)
      second.kernel.assign(found.second)
      second.bias?.assign(bias!.value)
    }
    return { layers: [first, second], fill }
  })
  if (replaced === 0) {
    const empty = [...chosen].filter((layer) => (layer as Dense).kernel.view.every((weight) => weight === 0))
    if (empty.length > 0 && empty.length === chosen.size) {
      throw new ArgumentError(
        `lowRank: the kernel of ${empty.map(({ name }) => name).join(', ')} is all zeros, so there is nothing of which factors could be made. Train the model first, or give its layers another initializer.`,
      )
    }
    const shapes = [...chosen].map((layer) => `${layer.name} [${(layer as Dense).kernel.shape.join(', ')}]`)
    throw new ArgumentError(
      `lowRank: nothing would be saved by ${rank === null ? `energy ${energy}` : `rank ${rank}`}. rank · (n + m) must be below n · m for a kernel [n, m], received ${shapes.join(', ') || 'no Dense layers'}`,
    )
  }
  return thin
}

function unused(name: string, names: Set<string>): string {
  const own = names.has(name) ? unused(`${name}_in`, names) : name
  names.add(own)
  return own
}

/** null where nothing is saved. */
function factorsOf({ value, shape }: Variable, rank: number | null, energy: number | null): Factors | null {
  const [n, m] = shape as readonly [number, number]
  const most = Math.ceil((n * m) / (n + m)) - 1
  if (most < 1 || (rank !== null && rank > most)) return null
  // The vectors of the shorter side are fewer.
  const isTall = n >= m
  const found = leading(isTall ? value : transpose(value), { rank, energy, most })
  if (found === null) return null
  const { vectors, values, product } = found
  const roots = sqrt(values)
  const [scaled, other] = [multiply(vectors, roots), divide(product, roots)]
  return isTall ? { first: other, second: transpose(scaled) } : { first: scaled, second: transpose(other) }
}

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

/** How many vectors are sought beyond those that are needed. */
const SPARE = 8
const TURNS = 4

/** null where more vectors are needed than save anything. */
function leading(a: Tensor, { rank, energy, most }: Wanted): Leading | null {
  const m = a.shape[1]!
  const total = sum(square(a)).item()
  for (let size = (rank ?? 24) + SPARE; ; size *= 2) {
    // By subspace iteration where that is less work, else all: the eigenvectors of Aᵀ A.
    const basis = size < m / 3 ? subspace(a, size) : null
    const thin = basis === null ? a : matmul(a, basis)
    const [eigenvalues, eigenvectors] = eigh(matmul(transpose(thin), thin))
    const squares = [...eigenvalues.data].reverse().map((each) => Math.max(0, each))
    // What rounding leaves of nothing is no direction.
    const certain = squares.filter((each) => each > 1e-12 * squares[0]!).length
    const needed = rank ?? ranksFor(squares, energy! * total)
    if (needed === null || (basis !== null && needed > size - SPARE)) {
      if (basis !== null) continue
      return null
    }
    const count = Math.min(needed, certain)
    if (count < 1 || count > most) return null
    const own = slice(flip(eigenvectors, 1), [0, 0], [eigenvectors.shape[0]!, count])
    return {
      vectors: basis === null ? own : matmul(basis, own),
      values: sqrt(slice(flip(eigenvalues, 0), [0], [count])),
      product: matmul(thin, own),
    }
  }
}

/** The least number of the largest squares whose sum reaches a limit; null where all together do not. */
function ranksFor(squares: readonly number[], limit: number): number | null {
  let sumSoFar = 0
  for (let i = 0; i < squares.length; i++) {
    sumSoFar += squares[i]!
    // Sums of float32 are exact to six digits.
    if (sumSoFar >= limit * (1 - 1e-6)) return i + 1
  }
  return null
}

/** An orthonormal basis [m, size] of about the leading right singular vectors. Halko et al. 2011. */
function subspace(a: Tensor, size: number): Tensor {
  const [n, m] = a.shape as readonly [number, number]
  let basis = qr(matmul(transpose(a), normal([n, size], { seed: m })))[0]
  for (let turn = 0; turn < TURNS; turn++) basis = qr(matmul(transpose(a), qr(matmul(a, basis))[0]))[0]
  return basis
}
