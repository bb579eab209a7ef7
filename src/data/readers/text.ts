// readJsonLines and readText: lines of text files as elements of a Dataset.

import { merged } from '../../core/merged'
import { requireArguments } from '../../core/arguments'
import { ArgumentError, RowError, quoted } from '../../core/errors'
import { choice, option, readOptions, text, type OptionInputs } from '../../core/options'
import { abortable, abortableSource, signalOption } from '../samples/abort'
import { Dataset } from '../dataset'
import { Decoder, blocks, lineDecoder, type Lines } from './blocks'
import { allBytes, bytesOf, nameOf, requireData, type ByteSource, type NamedBytes } from './bytes'
import { DROPPED, Faults, onError } from './faults'

const jsonOptions = () =>
  merged(signalOption(), {
    /** Whether a line that is not JSON ends the pass, or is skipped and collected in `errors`. Default 'throw'. */
    onError,
  })
/** Options of `readJsonLines`. */
export type JsonLinesOptions = OptionInputs<ReturnType<typeof jsonOptions>>

/** The values of a file of JSON lines. */
export class JsonLinesDataset<T> extends Dataset<T> {
  private readonly faults: Faults

  /** @internal */
  constructor(bytes: NamedBytes, faults: Faults, signal: AbortSignal | null) {
    const values = linesOf(bytes, 'utf-8', function* (lines) {
      for (const line of lines) {
        if (line.text.trim() === '') continue
        const value = faults.guard(() => parsed<T>(line.text, bytes.name, line.line))
        if (value !== DROPPED) yield value
      }
    })
    super(null, (pass) => {
      faults.clear()
      return abortable(values.open(pass), signal)
    })
    this.faults = faults
  }

  /** The invalid lines of the last pass, with `onError: 'collect'`: the first thousand. */
  get errors(): readonly RowError[] {
    return this.faults.errors
  }
}

/**
 * The values of a file with one JSON value per line (JSON Lines, NDJSON). Empty lines are skipped.
 *
 *   const reviews = readJsonLines<{ text: string; stars: number }>('reviews.jsonl')
 *
 * @param source a path, a URL, a File or Blob, `{ text }`, bytes, a stream, or a function that makes one: see
 * ByteSource
 * @throws RowError, during a pass, for a line that is not JSON; the reason of the signal
 */
export function readJsonLines<T = unknown>(source: ByteSource, options: JsonLinesOptions = {}): JsonLinesDataset<T> {
  requireArguments('readJsonLines', arguments, 2)
  const { onError: policy, signal } = readOptions('readJsonLines', jsonOptions(), options)
  return new JsonLinesDataset<T>(bytesOf(source, 'readJsonLines', signal, 'refused'), new Faults(policy), signal)
}

/** A file that is read as one text. */
type FileSource = string | URL | Blob

function isList(source: ByteSource | readonly FileSource[]): source is readonly FileSource[] {
  return Array.isArray(source)
}

function parsed<T>(line: string, file: string, number: number): T {
  try {
    const value: T = JSON.parse(line)
    return value
  } catch (error) {
    throw new RowError(
      `this is not JSON: ${error instanceof Error ? error.message : String(error)}`,
      file,
      number,
      null,
      line,
    )
  }
}

const textOptions = () =>
  merged(signalOption(), {
    /** Whether an element is a line, without its line end, or a whole file. Default 'line'. */
    by: option(choice('line', 'file'), 'line'),
    /** The encoding of the bytes. Default 'utf-8'. */
    encoding: option(text, 'utf-8'),
  })
/** Options of `readText`. */
export type ReadTextOptions = OptionInputs<ReturnType<typeof textOptions>>

/**
 * The lines of a text, or the whole text; for a list of sources, one after the other.
 *
 *   readText('moby-dick.txt')                                   // a line each
 *   readText(['letter-1.txt', 'letter-2.txt'], { by: 'file' })  // a letter each
 *
 * @throws RowError if the bytes are not valid in the encoding; the reason of the signal
 */
export function readText(source: ByteSource | readonly FileSource[], options: ReadTextOptions = {}): Dataset<string> {
  requireArguments('readText', arguments, 2)
  const { by, encoding, signal } = readOptions('readText', textOptions(), options)
  const sources = isList(source) ? source : [source]
  if (sources.length === 0)
    throw new ArgumentError(`readText: expected a source or a list of them, received ${quoted(source)}`)
  if (by === 'file') {
    const texts = Dataset.from(sources).map(async (each) => {
      const bytes = await allBytes(each, 'readText', signal)
      requireData(bytes, nameOf(each), 'allowed')
      return new Decoder(nameOf(each), encoding).decode(withoutMark(bytes), 1)
    })
    return Dataset.of(abortableSource(texts, signal))
  }
  const [first, ...others] = sources.map((each) =>
    linesOf(bytesOf(each, 'readText', signal), encoding, function* (lines) {
      for (const line of lines) yield line.text
    }),
  )
  return Dataset.of(abortableSource(first!.concatenate(...others), signal))
}

/** Maps the lines of each block with a function. */
function linesOf<T>(
  bytes: NamedBytes,
  encoding: string,
  make: (lines: ReturnType<Decoder['lines']>) => Iterable<T>,
): Dataset<T> {
  const decoder = lineDecoder(bytes.name, encoding)
  return Dataset.of<Lines>({ size: null, open: (pass) => blocks(bytes, pass, null) }).flatMap((block) =>
    make(decoder.lines(block)),
  )
}

function withoutMark(bytes: Uint8Array): Uint8Array {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes
}
