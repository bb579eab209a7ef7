// Names of logs, and file names that contain them.

import { ArgumentError } from '../../core/errors'

/** The beginning of a validation log: `valLoss`, `val_kl_loss`. */
const VALIDATION = /^val(?:_|(?=[A-Z]))/

/** Whether a log is a validation log. */
export function isValName(log: string): boolean {
  return VALIDATION.test(log)
}

/**
 * Whether a name is words joined by underscores. A trailing number, as in `precision_0`, is not a word, and
 * `my_outLoss` is camelCase.
 */
function isSnakeCase(name: string): boolean {
  return /_[A-Za-z]/.test(name) && !/[a-z0-9][A-Z]/.test(name)
}

/** `loss` → `valLoss`, `kl_loss` → `val_kl_loss` */
export function valName(log: string): string {
  return isSnakeCase(log) ? `val_${log}` : `val${log.charAt(0).toUpperCase()}${log.slice(1)}`
}

/**
 * `valLoss` → `loss`, `val_kl_loss` → `kl_loss`
 * @param among the training logs, one of which may begin with a capital: `valKL` → `KL`
 */
export function withoutVal(log: string, among: readonly string[] = []): string {
  const rest = log.replace(VALIDATION, '')
  return among.find((name) => valName(name) === log) ?? rest.charAt(0).toLowerCase() + rest.slice(1)
}

/** A common spelling: `val_kl_loss` and `valKlLoss` → `valKlLoss`. */
function spelling(name: string): string {
  return name.replace(/_([a-z0-9])/gi, (_match, letter: string) => letter.toUpperCase())
}

/**
 * The value of a log: by its exact name, otherwise of the first log with the same name in another spelling; undefined
 * if there is none.
 */
export function logOf<Value>(logs: Readonly<Record<string, Value>>, name: string): Value | undefined {
  if (Object.hasOwn(logs, name)) return logs[name]
  const wanted = spelling(name)
  const key = Object.keys(logs).find((each) => spelling(each) === wanted)
  return key === undefined ? undefined : logs[key]
}

/** A piece of a name: literal text, or a number with its format. */
type Piece = string | { readonly name: string; readonly format: string; readonly write: (value: number) => string }

/** The part of Python's number format that file names use: [0][width][.precision][type]. */
const FORMAT = /^(0?)(\d*)(?:\.(\d+))?([dfeg%]?)$/

function writerOf(format: string, where: string): (value: number) => string {
  const parts = FORMAT.exec(format)
  if (parts === null)
    throw new ArgumentError(
      `${where}: ':${format}' is not a format of numbers. Examples are :02d, :.2f, :.1e, :g and :.0%`,
    )
  const [, zero, width = '', digits, type] = parts
  const precision = digits === undefined ? null : Number(digits)
  return (value) => {
    const plain = written(value, type!, precision, where)
    const sign = plain.startsWith('-') ? '-' : ''
    return zero === ''
      ? plain.padStart(Number(width))
      : sign + plain.slice(sign.length).padStart(Number(width) - sign.length, '0')
  }
}

function written(value: number, type: string, precision: number | null, where: string): string {
  switch (type) {
    case 'd':
      if (Number.isInteger(value)) return String(value)
      throw new ArgumentError(`${where}: 'd' is for integers, received ${value}. For other numbers: .2f`)
    case 'f':
      return value.toFixed(precision ?? 6)
    case '%':
      return `${(100 * value).toFixed(precision ?? 6)}%`
    case 'e':
      return value.toExponential(precision ?? 6).replace(/e([+-])(\d)$/, 'e$10$2')
    default:
      return precision === null ? String(value) : String(Number(value.toPrecision(Math.max(1, precision))))
  }
}

/**
 * A file name with placeholders for numbers, in Keras's form: `{epoch:02d}-{val_loss:.2f}` is `03-0.25`. Names in
 * either spelling; `{{` and `}}` are braces.
 */
export class NameTemplate {
  private readonly pieces: readonly Piece[]

  /**
   * @param where names the option in errors
   * @throws ArgumentError for unpaired braces, and for invalid formats
   */
  constructor(
    readonly text: string,
    private readonly where: string,
  ) {
    this.pieces = Array.from(text.matchAll(/\{\{|\}\}|\{([^{}]*)\}|[{}]|[^{}]+/g), ([piece, inner]) => {
      if (piece === '{{' || piece === '}}') return piece.charAt(0)
      if (inner === undefined) {
        if (piece !== '{' && piece !== '}') return piece
        throw new ArgumentError(
          `${where}: a '${piece}' in '${text}' has no other half. A brace itself is written twice.`,
        )
      }
      const [name = '', format = ''] = inner.split(/:(.*)/s)
      if (!/^\w+$/.test(name))
        throw new ArgumentError(`${where}: '{${inner}}' must begin with the name of a log, or with epoch or batch`)
      return { name, format, write: writerOf(format, `${where}: '{${inner}}'`) }
    })
  }

  /** @throws ArgumentError for a name that has no value */
  with(values: Readonly<Record<string, number>>): string {
    return this.pieces
      .map((piece) => {
        if (typeof piece === 'string') return piece
        const value = logOf(values, piece.name)
        if (value !== undefined) return piece.write(value)
        throw new ArgumentError(
          `${this.where}: there is no '${piece.name}' for '${this.text}'. There are: ${Object.keys(values).join(', ')}`,
        )
      })
      .join('')
  }
}
