// Typed arrays that grow.

/** A copy with more elements; those that are new are 0. */
export function enlarged(numbers: Int32Array, length: number): Int32Array<ArrayBuffer>
export function enlarged(numbers: Uint16Array, length: number): Uint16Array<ArrayBuffer>
export function enlarged(numbers: Int32Array | Uint16Array, length: number): Int32Array | Uint16Array {
  const larger = numbers instanceof Int32Array ? new Int32Array(length) : new Uint16Array(length)
  larger.set(numbers)
  return larger
}
