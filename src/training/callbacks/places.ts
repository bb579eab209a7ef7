// The parts that saving callbacks share: how often, and where to.

import { ArgumentError, MyelinError, StateError, knownName, quoted, restate } from '../../core/errors'
import { custom, nullable, type Kind, type Spelled } from '../../core/options'
import { nodeProcess } from '../../engine/runtime/platform'
import type { ByteStore } from '../../engine/runtime/store'

/** A frequency: one of several keywords, in any spelling, or a number of batches. */
export function frequency<const Word extends string>(
  ...words: readonly Word[]
): Kind<Word | number, Spelled<Word> | number> {
  const expected = `${words.map(quoted).join(', ')} or a number of batches ≥ 1`
  return custom(
    (value, where) => {
      const known = typeof value === 'string' ? knownName(value, words) : undefined
      const word = words.find((each) => each === known)
      if (word !== undefined) return word
      if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 1) return value
      throw new ArgumentError(`${where} must be ${expected}, received ${quoted(value)}`)
    },
    (value) => value,
  )
}

/** 'epoch', or a number of batches. */
export const saveFreq = /* @__PURE__ */ frequency('epoch')

const STORE_METHODS = ['read', 'write', 'remove'] as const

function isStore(value: unknown): value is ByteStore {
  if (typeof value !== 'object' || value === null) return false
  return STORE_METHODS.every((name) => typeof Reflect.get(value, name) === 'function')
}

/** A store of bytes by name; null: files. */
export const storeKind = nullable(
  custom<ByteStore>(
    (value, where) => {
      if (isStore(value)) return value
      throw new ArgumentError(
        `${where} must be an object with ${STORE_METHODS.join(', ')}, such as new BrowserStore(), received ${quoted(value)}`,
      )
    },
    () => null,
  ),
)

/** @throws StateError if there is no place for bytes and there are no files */
export function requirePlace(owner: string, isSaid: boolean): void {
  if (!isSaid && nodeProcess() === null)
    throw new StateError(`${owner}: there are no files in a browser. Give it a store, for example new BrowserStore()`)
}

/**
 * Runs a write; an error of the file system becomes the cause of an error that names the callback and the path.
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
