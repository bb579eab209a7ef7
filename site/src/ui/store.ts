// Values that parts of the page observe.

import { useEffect, useState } from 'preact/hooks'

export class Store<Value> {
  private readonly listeners = new Set<(value: Value) => void>()

  constructor(private current: Value) {}

  get value(): Value {
    return this.current
  }

  set(value: Value): void {
    if (value === this.current) return
    this.current = value
    for (const listener of this.listeners) listener(value)
  }

  /** Calls the listener at each change. Returns a function that ends this. */
  subscribe(listener: (value: Value) => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }
}

/** The value of a store; the component is drawn again when it changes. */
export function useStore<Value>(store: Store<Value>): Value {
  const [value, set] = useState(store.value)
  useEffect(() => {
    set(store.value)
    return store.subscribe(set)
  }, [store])
  return value
}
