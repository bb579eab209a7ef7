// Reads the settings of a model's config.json, each with its kind.

import { FormatError, quoted } from '../../core/errors'
import type { Json } from '../../core/registry'
import { MAX_ELEMENTS } from '../../core/shapes'
import { isRecord, type JsonRecord } from '../../files/containers/json'

/** More than any model has: Llama 3.1 405B has 126. */
const MOST_BLOCKS = 1000

/** A record of JSON, with the name of its file for errors. */
export class ModelConfig {
  private constructor(
    /** The name of the file, and within it that of the record. */
    readonly where: string,
    private readonly values: JsonRecord,
  ) {}

  /** @throws FormatError unless the value is a record */
  static of(value: Json, where: string): ModelConfig {
    if (isRecord(value)) return new ModelConfig(where, value)
    throw new FormatError(`${where} must be a record, it is ${quoted(value)}`)
  }

  /** The same with values for keys that are missing; null in the file counts as a value. */
  withDefaults(defaults: JsonRecord): ModelConfig {
    return new ModelConfig(this.where, { ...defaults, ...this.values })
  }

  /** The content as it is. */
  get content(): JsonRecord {
    return this.values
  }

  /** The first of several keys that has a value. */
  private find(keys: readonly string[]): [key: string, value: Json] | null {
    for (const key of keys) if (this.values[key] != null) return [key, this.values[key]]
    return null
  }

  private read<Value, Default>(
    keys: readonly string[],
    kind: string,
    is: (value: unknown) => value is Value,
    otherwise: Default | undefined,
  ): Value | Default {
    const found = this.find(keys)
    if (found === null) {
      if (otherwise !== undefined) return otherwise
      throw new FormatError(`${this.where} has no ${quoted(keys[0])}, which must be ${kind}`)
    }
    const [key, value] = found
    if (is(value)) return value
    throw new FormatError(`${this.where}: ${quoted(key)} must be ${kind}, it is ${quoted(value)}`)
  }

  has(key: string): boolean {
    return this.values[key] != null
  }

  /** An integer ≥ 1. @param otherwise if there is none; without it, that is an error */
  count<Default = never>(key: string | readonly string[], otherwise?: Default): number | Default {
    return this.read(listOf(key), 'an integer from 1 to 2²⁸', isCount, otherwise)
  }

  /** A number of blocks. Each costs time before the weights are read, so that it has a limit. */
  blocks(key: string | readonly string[]): number {
    return this.read<number, never>(listOf(key), `an integer from 1 to ${MOST_BLOCKS}`, isBlocks, undefined)
  }

  /** An integer ≥ 0. */
  index<Default = never>(key: string | readonly string[], otherwise?: Default): number | Default {
    return this.read(listOf(key), 'an integer from 0 to 2²⁸', isIndex, otherwise)
  }

  number<Default = never>(key: string | readonly string[], otherwise?: Default): number | Default {
    return this.read(listOf(key), 'a finite number', isNumber, otherwise)
  }

  flag(key: string | readonly string[], otherwise: boolean): boolean {
    return this.read(listOf(key), 'true or false', isBoolean, otherwise)
  }

  text<Default = never>(key: string | readonly string[], otherwise?: Default): string | Default {
    return this.read(listOf(key), 'text', isText, otherwise)
  }

  /** A list of finite numbers; null if there is none. */
  numbers(key: string): readonly number[] | null {
    return this.read([key], 'a list of finite numbers', isNumbers, null)
  }

  /** A list of texts; null if there is none. */
  texts(key: string): readonly string[] | null {
    return this.read([key], 'a list of texts', isTexts, null)
  }

  /** An inner record; null if there is none. */
  record(key: string | readonly string[]): ModelConfig | null {
    const found = this.find(listOf(key))
    return found && ModelConfig.of(found[1], `${this.where}: ${quoted(found[0])}`)
  }

  /** @throws FormatError unless a setting has one of the values that are supported; the first is the default */
  require(key: string, supported: readonly unknown[]): void {
    const value = this.values[key] ?? supported[0]
    if (!supported.includes(value))
      throw new FormatError(
        `${this.where}: ${quoted(key)} is ${quoted(value)}; supported: ${supported.map((each) => quoted(each)).join(', ')}`,
      )
  }

  /** One of the names of a table, as the value for it. */
  choice<Value>(key: string | readonly string[], table: Readonly<Record<string, Value>>, otherwise: string): Value {
    const name = this.text(key, otherwise)
    if (Object.hasOwn(table, name)) return table[name]!
    throw new FormatError(
      `${this.where}: ${quoted(listOf(key)[0])} is ${quoted(name)}; supported: ${Object.keys(table).join(', ')}`,
    )
  }
}

const listOf = (keys: string | readonly string[]): readonly string[] => (typeof keys === 'string' ? [keys] : keys)
const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value)
const isIndex = (value: unknown): value is number =>
  isNumber(value) && Number.isInteger(value) && value >= 0 && value <= MAX_ELEMENTS
const isCount = (value: unknown): value is number => isIndex(value) && value > 0
const isBlocks = (value: unknown): value is number => isCount(value) && value <= MOST_BLOCKS
const isBoolean = (value: unknown): value is boolean => typeof value === 'boolean'
const isText = (value: unknown): value is string => typeof value === 'string'
const isNumbers = (value: unknown): value is readonly number[] => Array.isArray(value) && value.every(isNumber)
const isTexts = (value: unknown): value is readonly string[] => Array.isArray(value) && value.every(isText)
