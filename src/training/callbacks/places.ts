// What callbacks that save have in common: how often, and where to.

import { ArgumentError, MyelinError, StateError, knownName, quoted, restate } from '../../core/errors'
import type { Kind, Spelled } from '../../core/options'
import { custom, nullable } from '../../core/options'
import { nodeProcess } from '../../runtime/platform'
import type { ByteStore } from '../../runtime/store'

/** How often: one of a few words, in any spelling, or every how many batches. */
export function frequency<const Word extends string>(
  ...words: readonly Word[]
): Kind<Word | number, Spelled<Word> | number> {
  const expected = `${words.map(quoted).join(', ')} or a number of batches ≥ 1`
  return custom(
    (value, where) => {
      const word = typeof value === 'string' ? knownName(value, words) : undefined
      if (word !== undefined) return word as Word
      if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 1) return value
      throw new ArgumentError(`${where} must be ${expected}, received ${quoted(value)}`)
    },
    (value) => value,
  )
}

/** 'epoch', or a number of batches. */
export const saveFreq = /* @__PURE__ */ frequency('epoch')

const STORE_METHODS = ['read', 'write', 'remove'] as const

/** Where bytes are kept by name; null: in files. */
export const storeKind = nullable(
  custom<ByteStore>(
    (value, where) => {
      const isStore =
        typeof value === 'object' &&
        value !== null &&
        STORE_METHODS.every((name) => typeof Reflect.get(value, name) === 'function')
      if (isStore) return value as ByteStore
      throw new ArgumentError(
        `${where} must be an object with ${STORE_METHODS.join(', ')}, such as new BrowserStore(), received ${quoted(value)}`,
      )
    },
    () => null,
  ),
)

/** @throws StateError where nothing is said of where to keep bytes, and there are no files */
export function requirePlace(owner: string, isSaid: boolean): void {
  if (!isSaid && nodeProcess() === null)
    throw new StateError(`${owner}: there are no files in a browser. Give it a store, for example new BrowserStore()`)
}

/**
 * Writes something; what the file system throws is the cause of an error that names who wrote where.
 * @throws MyelinError
 */
export async function writingTo<Result>(path: string, owner: string, body: () => Promise<Result>): Promise<Result> {
  try {
    return await body()
  } catch (cause) {
    if (cause instanceof MyelinError) {
      if (cause.cause !== undefined) restate(cause, `${owner}: ${cause.message.replace(/^save: /, '')}`)
      throw cause
    }
    throw new MyelinError(
      `${owner}: '${path}' cannot be written: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    )
  }
}
