// The base of layers that compute their state from data before training, with adapt. Subclasses define what they
// compute.

import { merged } from '../../core/merged'
import { ArgumentError, DataError, StateError, quoted } from '../../core/errors'
import { count, nullable, option, readOptions, type OptionInputs, type ValuesOf } from '../../core/options'
import { isBranch } from '../../core/tree'
import { abortable, signalOption } from '../../data/samples/abort'
import { END, isElements, sourceOf, type ElementsOrMaker } from '../../data/samples/source'
import { toTensor, type TensorLike } from '../../ops/convert'
import { Tensor } from '../../ops/tensor'
import { isInferring } from '../context'
import { TENSOR } from '../forms'
import { Layer } from '../layer'
import type { LayerTraits } from '../traits'

const adaptOptions = () =>
  merged(signalOption(), {
    /** The maximum number of batches to read; null for all. Default null. */
    steps: option(nullable(count), null),
  })
export type AdaptOptions = OptionInputs<ReturnType<typeof adaptOptions>>

/** Options of `adapt`, checked. */
export function readAdaptOptions(layer: object, options: AdaptOptions): ValuesOf<ReturnType<typeof adaptOptions>> {
  return readOptions(`${String(layer)}: adapt`, adaptOptions(), options)
}

/** One batch in the layer's form, or a sequence of batches; of pairs [x, y] and records { x, y }, only x is used. */
export type AdaptData<Batch = TensorLike> = Batch | ElementsOrMaker<unknown> | readonly Tensor[]

/**
 * A layer that reads data before it is used. `adapt` reads them once: `begin`, `update` for each batch, `finish`. The
 * layer keeps its old state until `finish`, so that a failed `adapt` changes nothing.
 */
export abstract class AdaptedLayer<Batch = Tensor> extends Layer<Tensor> {
  /** @internal */
  static override readonly traits: LayerTraits<AdaptedLayer> = {
    form: TENSOR,
  }
  /** Whether the layer has its state: from `adapt`, from its options, or from a file. */
  protected abstract get isAdapted(): boolean
  /** Starts a new computation of the state. */
  protected abstract begin(): void
  /** Adds a batch to it. */
  protected abstract update(batch: Batch): void
  /** Stores the computed state. */
  protected abstract finish(): void

  /** Converts a batch of the data to a tensor. A layer that computes its state from another `Batch` overrides it. */
  protected readBatch(batch: unknown): Batch
  protected readBatch(batch: unknown): unknown {
    return toTensor(batch, `${this}: adapt`)
  }

  /**
   * Computes the layer's state from data, and replaces its former state.
   * @param data one batch, or batches one after the other: a Dataset, an (async) iterable, a list of tensors
   * @throws DataError if there is no batch, or if the layer cannot read one; the reason of the signal
   * @example await normalization.adapt(rows.batch(256))
   */
  async adapt(data: AdaptData, options: AdaptOptions = {}): Promise<void> {
    const settings = readAdaptOptions(this, options)
    this.requireAdaptable()
    this.begin()
    await eachBatch(data, `${this}: adapt`, (batch) => this.update(this.readBatch(batch)), settings)
    this.finish()
  }

  /** Refuses `adapt` if options already give the state. */
  protected requireAdaptable(): void {}

  /** @throws StateError if the layer has no state yet, except while only shapes are inferred */
  protected requireAdapted(): void {
    if (this.isAdapted || isInferring()) return
    throw new StateError(`${this} has not seen data yet. Call await layer.adapt(data) before the model is used`)
  }
}

/**
 * Calls a function with the data, or with the inputs of each of their batches.
 * @throws DataError if there is no batch, ArgumentError for infinite data
 */
export async function eachBatch(
  data: AdaptData<unknown>,
  where: string,
  visit: (batch: unknown) => void,
  { steps, signal }: ReturnType<typeof readAdaptOptions>,
): Promise<void> {
  signal?.throwIfAborted()
  if (!isElements(data) && !isBatches(data)) return visit(data)
  const most = steps ?? Infinity
  const source = sourceOf(data, where)
  if (source.size === Infinity && most === Infinity)
    throw new ArgumentError(`${where}: the data are endless. Use take.`)
  const cursor = abortable(source.open(0), signal)
  try {
    let read = 0
    for (; read < most; read++) {
      const batch = await cursor.next()
      if (batch === END) break
      visit(inputOf(batch, where))
    }
    if (read === 0) throw new DataError(`${where}: the data have no batch`)
  } finally {
    await cursor.close()
  }
}

/** A list of tensors is a sequence of batches; a list of numbers or typed arrays is the rows of one batch. */
function isBatches(data: unknown): data is readonly Tensor[] {
  return Array.isArray(data) && data.length > 0 && data.every((each) => each instanceof Tensor)
}

/** The input of a model in a batch: x of [x, y] and of { x, y }. */
function inputOf(batch: unknown, where: string): unknown {
  if (Array.isArray(batch) && (batch[0] instanceof Tensor || (Array.isArray(batch[0]) && batch[1] instanceof Tensor)))
    return batch[0]
  if (!isBranch(batch) || Array.isArray(batch) || 'data' in batch) return batch
  if ('x' in batch) return batch['x']
  throw new DataError(`${where}: a batch must be x, [x, y] or { x, y }, received ${quoted(batch)}`)
}
