// The errors that users can catch, and helpers for their messages. Every message names where it happened, what was expected
// and what was received.

/** The base of all errors that this library throws intentionally. */
export class MyelinError extends Error {
  override name = 'MyelinError'
  constructor(message?: string, options?: ErrorOptions) {
    super(message === undefined ? message : printable(message, true), options)
  }
}

/** Characters that act on a terminal or turn the direction of a text, and ends of lines. */
// oxlint-disable-next-line no-control-regex -- these are escaped
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g

/** A text of a user or a file for printing: characters that act on a terminal are escaped. @param hasLines whether ends of lines stay */
export function printable(text: string, hasLines = false): string {
  return text.replace(CONTROL, (character) => {
    if (hasLines && (character === '\n' || character === '\t')) return character
    if (character === '\n') return String.raw`\n`
    return String.raw`\u` + character.charCodeAt(0).toString(16).padStart(4, '0')
  })
}

/** A shape that does not fit: of an input, an operand, a weight or a target. */
export class ShapeError extends MyelinError {
  override name = 'ShapeError'
}

/** An argument or option with an invalid value. */
export class ArgumentError extends MyelinError {
  override name = 'ArgumentError'
}

/** Data that a model cannot learn from: ragged, empty, NaN labels, a label outside the classes. */
export class DataError extends MyelinError {
  override name = 'DataError'
}

/** An invalid row of a file. */
export class RowError extends DataError {
  override name = 'RowError'
  constructor(
    message: string,
    /** The name of the file. */
    readonly file: string,
    /** The line in which the row begins, counted from 1. */
    readonly line: number,
    /** The name of the column; null if the whole row is invalid. */
    readonly column: string | null = null,
    /** The value of the cell. */
    readonly value: string | null = null,
  ) {
    super(`${file}, line ${line}${column === null ? '' : `, column '${column}'`}: ${message}`)
  }
}

/** A call in the wrong order, such as `fit` before `compile`, or the use of a disposed object. */
export class StateError extends MyelinError {
  override name = 'StateError'
}

/** A saved model that cannot be read: truncated, in a foreign format, or with another architecture. */
export class FormatError extends MyelinError {
  override name = 'FormatError'
}

/** Training met NaN or ±Inf; the weights are those before the failing step. */
export class NonFiniteError extends MyelinError {
  override name = 'NonFiniteError'
  constructor(
    message: string,
    /** The number of the step in this run, counted from 1. */
    readonly step: number,
    /** The first instruction with a non-finite result, in the disassembler's form. */
    readonly instruction: string,
  ) {
    super(message)
  }
}

/** Changes the message of an error, also in its stack, which engines write when the error is created. */
export function restate(error: Error, text: string): void {
  const { message: old, stack } = error
  const message = printable(text, true)
  error.message = message
  if (stack !== undefined) error.stack = stack.replace(old, () => message)
}

/** Runs `body`. An error of this library that it throws gets the message that `words` makes of the old one. */
export function restating<Result>(words: (message: string) => string, body: () => Result): Result {
  try {
    return body()
  } catch (error) {
    if (error instanceof MyelinError) restate(error, words(error.message))
    throw error
  }
}

/** An error that reports a bug of this library, not of its user. */
export function internalError(message: string): Error {
  return new Error(`internal: ${message}`)
}

/** For the default branch of a switch that handles every case: tsc fails when one is missing. */
export function unreachable(value: never): never {
  throw internalError(`unexpected ${String(value)}`)
}

/** `[32, 10]`; an open extent is null. */
export function formatShape(shape: readonly (number | null)[]): string {
  return `[${shape.map((extent) => extent ?? 'null').join(', ')}]`
}

/** The first eight problems, and the number of the others. */
export function listed(problems: readonly string[], separator = '; '): string {
  const more = problems.length - 8
  return [...problems.slice(0, 8), ...(more > 0 ? [`and ${more} more`] : [])].join(separator)
}

/** A value as source code, so that a string is not mistaken for a number. */
export function quoted(value: unknown): string {
  if (typeof value === 'string') return `'${printable(value)}'`
  if (Array.isArray(value)) {
    // Inner lists are shown only if they are short. The rows of a data set are not.
    const isShort =
      value.length <= 4 &&
      value.every((each) => !Array.isArray(each) || (each.length <= 4 && !each.some(Array.isArray)))
    const shown = value.slice(0, 16).map((each: unknown) => (Array.isArray(each) && !isShort ? '[…]' : quoted(each)))
    return `[${[...shown, ...(value.length > shown.length ? ['…'] : [])].join(', ')}]`
  }
  if (typeof value === 'function') return `the function ${value.name}`
  if (typeof value !== 'object' || value === null) return String(value)
  return `an object (${typeof value.constructor === 'function' ? value.constructor.name : 'no prototype'})`
}

/** Names of options in other libraries, in small letters, with the names that they have here. */
const elsewhere: Readonly<Record<string, string>> = {
  lr: 'learningRate',
  decay: 'weightDecay',
  std: 'stddev',
  eps: 'epsilon',
  alpha: 'negativeSlope',
  dropoutrate: 'rate',
  p: 'rate',
  filters: 'units',
  units: 'filters',
  batch: 'batchSize',
  validationbatches: 'validationSteps',
  epoch: 'epochs',
  keepdim: 'keepDims',
  dim: 'axis',
  varnames: 'names',
  varlist: 'variables',
  activationfn: 'activation',
  onbatchbegin: 'onTrainBatchBegin',
  onbatchend: 'onTrainBatchEnd',
}

/** The known name nearest to a misspelt one, or undefined if none is near. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  const wanted = normalizeName(name)
  const synonym = Object.hasOwn(elsewhere, wanted) ? elsewhere[wanted] : undefined
  if (synonym !== undefined && known.includes(synonym)) return synonym
  let best: string | undefined
  let bestDistance = Math.max(2, Math.floor(name.length / 3)) + 1
  for (const candidate of known) {
    const distance = editDistance(wanted, normalizeName(candidate))
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  if (best !== undefined || wanted.length < 3) return best
  return known.find(
    (candidate) => normalizeName(candidate).startsWith(wanted) || wanted.startsWith(normalizeName(candidate)),
  )
}

/** The known name that equals a name in any spelling: `use_bias`, `usebias` and `useBias` are the same. */
export function knownName<Name extends string>(name: string, known: readonly Name[]): Name | undefined {
  const names: readonly string[] = known
  const at = names.indexOf(name)
  if (at >= 0) return known[at]
  const wanted = normalizeName(name)
  return known.find((each) => normalizeName(each) === wanted)
}

/**
 * An ArgumentError for an unknown identifier.
 * @param hint what to do if no known name is near
 */
export function unknownName(kind: string, name: string, known: readonly string[], hint = ''): ArgumentError {
  const nearest = nearestName(name, known)
  const list = known.length === 0 ? '' : ` Known: ${known.join(', ')}`
  return new ArgumentError(
    `Unknown ${kind} '${name}'.${nearest === undefined ? `${list}${hint}` : ` Did you mean '${nearest}'?`}`,
  )
}

/**
 * Refuses unknown options: a misspelt one would silently train with its default.
 * @param where names the call or the class
 */
export function checkOptions(where: string, options: unknown, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new ArgumentError(
      `${where}: expected an object of options, { ${known[0] ?? ''}: … }, received ${String(options)}`,
    )
  }
  for (const name of Object.keys(options))
    if (!known.includes(name)) throw unknownName(`option of ${where}`, name, known)
}

/** `binary_crossentropy`, `BinaryCrossentropy` and `binaryCrossentropy` are the same name. */
export function normalizeName(name: string): string {
  return name.replaceAll('_', '').toLowerCase()
}

/** `val_loss` → `valLoss`: names of logs are accepted in both spellings. */
export function camelKey(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_match, letter: string) => letter.toUpperCase())
}

// Levenshtein distance, one row at a time.
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const substitute = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, substitute))
    }
    row = next
  }
  return row[b.length]!
}
