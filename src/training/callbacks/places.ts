// What callbacks that save have in common: how often, and where to.

import { ArgumentError, StateError, quoted } from '../../core/errors'
import { choice, count, custom, either, nullable } from '../../core/options'
import { nodeProcess } from '../../runtime/platform'
import type { ByteStore } from '../../runtime/store'

/** 'epoch', or a number of batches. */
export const saveFreq = either(choice('epoch'), count, (value) => typeof value === 'string')

const STORE_METHODS = ['read', 'write', 'remove'] as const

/** Where bytes are kept by name; null: in files. */
export const storeKind = nullable(custom<ByteStore>((value, where) => {
  const isStore = typeof value === 'object' && value !== null && STORE_METHODS.every((name) => typeof Reflect.get(value, name) === 'function')
  if (isStore) return value as ByteStore
  throw new ArgumentError(`${where} must be an object with ${STORE_METHODS.join(', ')}, such as new BrowserStore(), received ${quoted(value)}`)
}, () => null))

/** @throws StateError where nothing is said of where to keep bytes, and there are no files */
export function requirePlace(owner: string, isSaid: boolean): void {
  if (!isSaid && nodeProcess() === null) throw new StateError(`${owner}: there are no files in a browser. Give it a store, for example new BrowserStore()`)
}
