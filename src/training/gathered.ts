// Gathers all rows of what evaluate takes, for functions that read them several times and not as a method of the model does.

import { ArgumentError, DataError, ShapeError, formatShape } from '../core/errors'
import { sameShape } from '../core/shapes'
import { mapTree, unflatten, type Tree } from '../core/tree'
import type { Layout } from '../data/samples/layout'
import { Pace, releaseAll } from '../data/samples/pace'
import { parseSamples, type DataForm, type Inputs } from '../data/samples/parse'
import type { Samples } from '../data/samples/samples'
import { joinRows, takeRows } from '../data/samples/rows'
import { END, isElements, sourceOf } from '../data/samples/source'
import { StringTensor } from '../ops/strings'
import { Tensor } from '../ops/tensor'
import { Prepared } from './prepared'
import { readBatch } from './runners'
import type { TrainingState } from './state'

/** Rows in memory, as the methods of the model take them. */
export interface GatheredRows {
  readonly x: Tree<Tensor>
  /** A list for several outputs; null without targets. */
  readonly y: Tensor | readonly (Tensor | null)[] | null
  readonly size: number
}

export interface GatherOptions {
  /** The function that reads the rows, for errors. */
  readonly where: string
  /** Whether targets are required. */
  readonly needsTargets: boolean
  readonly signal: AbortSignal | null
}

/** The form of the data of a model that may not be compiled. */
class PlainForm implements DataForm {
  readonly takesAny = false

  constructor(
    private readonly state: TrainingState,
    readonly needsTargets: boolean,
  ) {}

  get inputs(): Layout {
    return this.state.layouts.x
  }

  get targets(): Layout | null {
    return this.state.model.built ? this.state.layouts.y : null
  }

  learnTargets(inputs: Inputs): Layout {
    const { state } = this
    state.buildFor(inputs, 'predict')
    state.renewPrograms()
    state.learnOutputs(inputs)
    return state.layouts.y
  }
}

/**
 * All rows of arrays, or of batches with their targets, which are read once.
 * @param x arrays, or what `evaluate` takes in their place: a Dataset, a PyDataset, an (async) iterable, a stream, or a function
 * that makes one
 * @param y null if x has the targets
 * @throws ArgumentError for endless data, for weights of samples, and for targets beside batches; DataError for data without rows
 */
export async function gatherRows(
  state: TrainingState,
  x: unknown,
  y: unknown,
  { where, needsTargets, signal }: GatherOptions,
): Promise<GatheredRows> {
  const form =
    needsTargets && state.compiled !== null ? new Prepared(state, 'test', where) : new PlainForm(state, needsTargets)
  signal?.throwIfAborted()
  if (!isElements(x)) {
    const names = { x: `${where}: x`, y: `${where}: y`, sampleWeight: `${where}: sampleWeight` }
    return joined(where, [parseSamples(form, { x, y }, names)])
  }
  if (y != null) throw new ArgumentError(`${where}: targets come with the batches: [x, y]. Leave out y.`)
  const source = sourceOf(x, `${where}: x`)
  if (source.size === Infinity) throw new ArgumentError(`${where}: the data are endless. Use take.`)
  const pace = new Pace(signal)
  const cursor = source.open(0)
  const parts: Samples[] = []
  try {
    for (;;) {
      const batch = await pace.wait(Promise.resolve(cursor.next()))
      if (batch === END) break
      const samples = readBatch(form, batch, `${where}, batch ${parts.length}`, copied)
      if (samples.weights.some((weight) => weight !== null))
        throw new ArgumentError(`${where}: all rows count the same. Leave the weights of samples out of the batches.`)
      parts.push(samples)
      if (pace.isDue()) await pace.yield()
    }
  } finally {
    await releaseAll(signal, [() => cursor.close()])
  }
  if (parts.length === 0) throw new DataError(`${where}: the data have no batches`)
  return joined(where, parts)
}

/** Some of the rows, in the order of a list of their numbers. */
export function takeGathered({ x, y }: GatheredRows, rows: ArrayLike<number>): GatheredRows {
  const take = (part: Tensor | null): Tensor | null => part && takeRows(part, rows)
  return {
    x: mapTree(x, (part) => takeRows(part, rows)),
    y: y === null || y instanceof Tensor ? take(y) : y.map(take),
    size: rows.length,
  }
}

/** The maker of batches may reuse their memory. */
function copied(samples: Samples): Samples {
  const copy = (tensor: Tensor): Tensor =>
    tensor instanceof StringTensor ? tensor : new Tensor(tensor.data.slice(), tensor.shape, tensor.dtype)
  return {
    ...samples,
    inputs: samples.inputs.map(copy),
    targets: samples.targets.map((target) => target && copy(target)),
  }
}

function joined(where: string, parts: readonly Samples[]): GatheredRows {
  const first = parts[0]!
  const all = (place: string, of: (samples: Samples) => Tensor | null | undefined): Tensor =>
    joinedTensors(`${where}: ${place}`, parts.map(of))
  const inputs = first.inputs.map((_, i) => all('x', ({ inputs: each }) => each[i]))
  const targets = first.targets.map((target, i) => (target === null ? null : all('y', ({ targets: each }) => each[i])))
  return {
    x: unflatten<Tensor>(first.x, inputs),
    y: targets.length === 1 ? targets[0]! : targets,
    size: inputs[0]!.shape[0]!,
  }
}

/** @throws ShapeError for rows of several shapes */
function joinedTensors(where: string, parts: readonly (Tensor | null | undefined)[]): Tensor {
  const first = parts[0]!
  if (parts.length === 1) return first
  const row = first.shape.slice(1)
  const tensors = parts.map((part, batch) => {
    if (part == null) throw new ArgumentError(`${where} is missing in batch ${batch}`)
    if (sameShape(part.shape.slice(1), row) && part.dtype === first.dtype) return part
    throw new ShapeError(
      `${where}: rows must have one shape and type, received ${formatShape(part.shape.slice(1))} ${part.dtype} in batch ${batch} after ${formatShape(row)} ${first.dtype}. Pad sequences to one length.`,
    )
  })
  return joinRows(tensors)
}
