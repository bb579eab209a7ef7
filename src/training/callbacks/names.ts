// Names of logs, and what files are called after them.

import { ArgumentError, camelKey } from '../../core/errors'

/** What a log of validation begins with: `valLoss`. */
const VALIDATION = /^val(?=[A-Z])/

/** Whether a log is one of validation. */
export function isValName(log: string): boolean {
  return VALIDATION.test(log)
}

/** `loss` → `valLoss` */
export function valName(log: string): string {
  return `val${log.charAt(0).toUpperCase()}${log.slice(1)}`
}

/** `valLoss` → `loss` */
export function withoutVal(log: string): string {
  const rest = log.replace(VALIDATION, '')
  return rest.charAt(0).toLowerCase() + rest.slice(1)
}

/** A piece of a name: text as it is, or a number and how it is written. */
type Piece = string | { readonly name: string; readonly format: string; readonly write: (value: number) => string }

/** Python's format of a number, as far as names of files use it: [0][width][.precision][type]. */
const FORMAT = /^(0?)(\d*)(?:\.(\d+))?([dfeg%]?)$/

function writerOf(format: string, where: string): (value: number) => string {
  const parts = FORMAT.exec(format)
  if (parts === null)
    throw new ArgumentError(
      `${where}: ':${format}' is no format of a number. Possible are such as :02d, :.2f, :.1e, :g and :.0%`,
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
 * A name with numbers in it, as Keras writes them: `{epoch:02d}-{val_loss:.2f}` is `03-0.25`. Names in either spelling; `{{` and
 * `}}` are braces.
 */
export class NameTemplate {
  private readonly pieces: readonly Piece[]

  /**
   * @param where names the option in errors
   * @throws ArgumentError for braces without their other half, and for formats that are none
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
      return { name: camelKey(name), format, write: writerOf(format, `${where}: '{${inner}}'`) }
    })
  }

  /** @throws ArgumentError for a name that has no value */
  with(values: Readonly<Record<string, number>>): string {
    return this.pieces
      .map((piece) => {
        if (typeof piece === 'string') return piece
        const value = values[piece.name]
        if (value !== undefined) return piece.write(value)
        throw new ArgumentError(
          `${this.where}: there is no '${piece.name}' for '${this.text}'. There are: ${Object.keys(values).join(', ')}`,
        )
      })
      .join('')
  }
}
