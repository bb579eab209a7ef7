// Keys of tables.

/** Whether a table itself has a key: every object inherits 'constructor' and similar members. */
export function isKeyOf<Key extends string>(table: Readonly<Record<Key, unknown>>, key: string): key is Key {
  return Object.hasOwn(table, key)
}

/** The keys of a table, in its order. */
export function keysOf<Key extends string>(table: Readonly<Record<Key, unknown>>): Key[] {
  return Object.keys(table).filter((key) => isKeyOf(table, key))
}
