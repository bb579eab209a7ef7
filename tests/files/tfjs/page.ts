// The storage of a page, as far as models use it. Requests are answered in later tasks, transactions write all or nothing.

/** localStorage with room for a given number of characters. */
export class FakeStorage implements Storage {
  readonly items = new Map<string, string>();
  [name: string]: unknown

  constructor(private readonly room = Infinity) {}

  get length(): number {
    return this.items.size
  }
  key(index: number): string | null {
    return [...this.items.keys()][index] ?? null
  }
  getItem(key: string): string | null {
    return this.items.get(key) ?? null
  }
  setItem(key: string, value: string): void {
    const others = [...this.items].filter(([name]) => name !== key)
    const used = others.reduce((sum, [name, text]) => sum + name.length + text.length, 0)
    if (used + key.length + value.length > this.room) throw new DOMException('full', 'QuotaExceededError')
    this.items.set(key, value)
  }
  removeItem(key: string): void {
    this.items.delete(key)
  }
  clear(): void {
    this.items.clear()
  }
}

interface Request {
  result: unknown
  onsuccess?: () => void
  onupgradeneeded?: () => void
}

/** IndexedDB with one database. */
export class FakeDatabase {
  readonly stores = new Map<string, Map<string, unknown>>()
  private version = 0

  open(_name: string, version: number): Request {
    const request: Request = { result: this }
    setTimeout(() => {
      if (this.version < version) request.onupgradeneeded?.()
      this.version = version
      request.onsuccess?.()
    })
    return request
  }

  createObjectStore(name: string): void {
    if (!this.stores.has(name)) this.stores.set(name, new Map())
  }

  transaction(names: readonly string[]): object {
    const changes: (() => void)[] = []
    const objectStore = (name: string): object => {
      if (!names.includes(name)) throw new DOMException(name, 'NotFoundError')
      return {
        get: (key: string) => ({ result: this.stores.get(name)!.get(key) }),
        put: (value: { readonly modelPath: string }) => {
          const copy = structuredClone(value)
          changes.push(() => this.stores.get(name)!.set(value.modelPath, copy))
          return { result: value.modelPath }
        },
      }
    }
    const made: { objectStore: typeof objectStore; oncomplete?: () => void } = { objectStore }
    setTimeout(() => {
      for (const change of changes) change()
      made.oncomplete?.()
    })
    return made
  }

  close(): void {}
}
