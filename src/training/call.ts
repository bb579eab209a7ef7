// Reads the arguments of a method that trains or tests: parses the data, and reads the options.

import { ArgumentError } from '../core/errors'
import type { SampleWeights } from '../data/samples/data-types'
import { isNamedData } from '../data/samples/layout'
import { parseBatches, parseSamples } from '../data/samples/parse'
import type { Data, Samples } from '../data/samples/samples'
import { isElements, type Source } from '../data/samples/source'
import type { StepKind } from './batch'
import type { Method } from './options'
import type { Prepared } from './prepared'

/** The arguments. The second may be the options if the data contain the targets, or if no targets are needed. */
export type CallArguments = readonly [x: unknown, y: unknown, options: object | undefined]

interface Common {
  readonly sampleWeight: SampleWeights | null
  readonly signal?: AbortSignal | null
  readonly shuffle?: boolean
}

/** Batches whose order can change, such as a PyDataset. */
interface Shuffled {
  shuffled(): Source
}

const canShuffle = (batches: object): batches is Shuffled =>
  'shuffled' in batches && typeof batches.shuffled === 'function'

export interface ParsedCall<Options, Read extends Data = Data> {
  readonly data: Read
  readonly options: Options
}

/** Reads a call with samples in arrays, or with batches. */
export function readCall<Options extends Common>(
  method: Method<Options, StepKind>,
  prepared: Prepared,
  args: CallArguments,
): ParsedCall<Options> {
  const [x, y, last] = args
  if (!isElements(x)) return readArrayCall(method, prepared, args)
  const inPlace = last === undefined && isNamedData(y) ? y : null
  const record = inPlace ?? last
  const options = readOptions(method, record)
  if (inPlace === null && y != null)
    throw new ArgumentError(`${method.name}: targets come with the batches: [x, y]. Leave out the second argument.`)
  method.checkForBatches(record)
  // Batches that are made by their index come in a new order, as in Keras.
  const batches = options.shuffle === true && canShuffle(x) ? x.shuffled() : x
  return { data: parseBatches(batches, method.name), options }
}

/** Reads a call with samples in arrays. */
export function readArrayCall<Options extends Common>(
  method: Method<Options, StepKind>,
  prepared: Prepared,
  [x, y, last]: CallArguments,
): ParsedCall<Options, Samples> {
  const inPlace = last === undefined && isNamedData(y) && areOptions(y, method, prepared.outputNames) ? y : null
  if (inPlace !== null && prepared.needsTargets)
    throw new ArgumentError(
      `${method.name}: received options, { ${Object.keys(inPlace).join(', ')} }, in place of targets, but the model needs targets: ${method.name}(x, y, options)`,
    )
  const options = readOptions(method, inPlace ?? last)
  const { sampleWeight } = options
  return { data: parseSamples(prepared, { x, y: inPlace === null ? y : null, sampleWeight }), options }
}

function readOptions<Options extends Common>(method: Method<Options, StepKind>, record: object | undefined): Options {
  const options = method.read(record)
  options.signal?.throwIfAborted()
  return options
}

/** Whether a record has only names of options, none of which is the name of an output. */
function areOptions(record: object, method: Method<unknown, StepKind>, outputNames: readonly string[]): boolean {
  return Object.keys(record).every((key) => method.nameOf(key) !== undefined && !outputNames.includes(key))
}
