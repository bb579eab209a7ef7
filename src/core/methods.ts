// Methods that are added to a class by a module that the class must not import.

/** Adds methods to a prototype in the form that a class has them: not enumerable, and replaceable. */
export function addMethods(prototype: object, methods: Readonly<Record<string, (...inputs: never) => unknown>>): void {
  for (const [name, value] of Object.entries(methods))
    Object.defineProperty(prototype, name, { value, writable: true, configurable: true, enumerable: false })
}
