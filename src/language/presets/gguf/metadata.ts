// The values of a GGUF file by their keys, read with their kinds.

import { FormatError, quoted } from '../../../core/errors'

export type GgufValue = number | boolean | string | GgufList
export type GgufList =
  | readonly GgufValue[]
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array

const isListOf = (value: GgufValue): value is GgufList => typeof value === 'object'

export class GgufMetadata {
  constructor(
    /** The file, for errors. */
    readonly file: string,
    private readonly values: ReadonlyMap<string, GgufValue>,
  ) {}

  private get<Value, Default>(
    key: string,
    kind: string,
    read: (value: GgufValue) => Value | null,
    otherwise: Default | undefined,
  ): Value | Default {
    const value = this.values.get(key)
    if (value === undefined) {
      if (otherwise !== undefined) return otherwise
      throw new FormatError(`${this.file} has no ${quoted(key)}, which must be ${kind}`)
    }
    const found = read(value)
    if (found !== null) return found
    throw new FormatError(
      `${this.file}: ${quoted(key)} must be ${kind}, it is ${isListOf(value) ? `a list of ${value.length}` : quoted(value)}`,
    )
  }

  /** @param otherwise if there is none; without it, that is an error */
  text<Default = never>(key: string, otherwise?: Default): string | Default {
    return this.get(key, 'text', (value) => (typeof value === 'string' ? value : null), otherwise)
  }

  flag<Default = never>(key: string, otherwise?: Default): boolean | Default {
    return this.get(key, 'true or false', (value) => (typeof value === 'boolean' ? value : null), otherwise)
  }

  number<Default = never>(key: string, otherwise?: Default): number | Default {
    return this.get(key, 'a finite number', (value) => (Number.isFinite(value) ? Number(value) : null), otherwise)
  }

  /** An integer ≥ 1, or a list of one for each layer, which are all equal. */
  count<Default = never>(key: string, otherwise?: Default): number | Default {
    return this.get(key, 'an integer from 1 to 10⁹, the same for all layers', countIn, otherwise)
  }

  numbers<Default = never>(key: string, otherwise?: Default): ArrayLike<number> | Default {
    return this.get(
      key,
      'a list of numbers',
      (value) => (isListOf(value) && !Array.isArray(value) ? numbersIn(value) : null),
      otherwise,
    )
  }

  /** The numbers of a list, also of one of true and false; null for another value, and if there is none. */
  listed(key: string): ArrayLike<number> | null {
    const value = this.values.get(key)
    return value !== undefined && isListOf(value) ? numbersIn(value) : null
  }

  texts<Default = never>(key: string, otherwise?: Default): readonly string[] | Default {
    return this.get(key, 'a list of texts', (value) => (Array.isArray(value) ? textsIn(value) : null), otherwise)
  }
}

const isText = (value: unknown): value is string => typeof value === 'string'
const textsIn = (list: readonly unknown[]): readonly string[] | null => (list.every(isText) ? list : null)
const numbersIn = (list: GgufList): ArrayLike<number> | null => (ArrayBuffer.isView(list) ? list : null)

function countIn(value: GgufValue): number | null {
  const [first, ...others] = isListOf(value) ? value : [value]
  const isCount = typeof first === 'number' && Number.isInteger(first) && first > 0 && first <= 1e9
  return isCount && others.every((each) => each === first) ? first : null
}
