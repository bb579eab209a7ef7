// Ops of several primitives, on data: they run as one program, and give the results of a compiled function.
import { describe, expect, it } from 'vitest'
import { ShapeError, jit, ops, runtimeInfo, tensor, type Tensor } from '../../src'

const runs = (): number => {
  const { wasmRuns, interpreterRuns } = runtimeInfo().counters
  return wasmRuns + interpreterRuns
}

const x = tensor(
  Float32Array.from({ length: 60 }, (_, i) => Math.sin(7 * i)),
  [4, 5, 3],
)
const whole = tensor(
  Int32Array.from({ length: 60 }, (_, i) => (i * 37) % 11),
  [4, 5, 3],
)
const along = tensor(
  Int32Array.from({ length: 24 }, (_, i) => (i * 5) % 5),
  [4, 2, 3],
)

const cases: readonly (readonly [string, (x: Tensor, whole: Tensor, along: Tensor) => Tensor])[] = [
  ['std', (x) => ops.std(x, 1)],
  ['std of all', (x) => ops.std(x, null, true)],
  ['variance', (x) => ops.variance(x, [0, 2], true)],
  ['prod', (x) => ops.prod(x, 1)],
  ['prod of integers', (_, whole) => ops.prod(whole, [0, 2], true)],
  ['countNonzero', (_, whole) => ops.countNonzero(whole, -1)],
  ['logSumExp', (x) => ops.logSumExp(x, [1, 2], true)],
  ['clip', (x) => ops.clip(x, -0.5, 0.25)],
  ['clip of integers', (_, whole) => ops.clip(whole, 2, 7)],
  ['i0', (x) => ops.i0(x)],
  ['erfc', (x) => ops.erfc(x)],
  ['takeAlongAxis', (x, _, along) => ops.takeAlongAxis(x, along, 1)],
  ['roll', (x) => ops.roll(x, [1, -2], [0, 2])],
  ['roll of all', (x) => ops.roll(x, 7)],
  ['diff', (x) => ops.diff(x, 2, 1)],
  ['stack', (x) => ops.stack([x, x], 1)],
  ['repeat', (x) => ops.repeat(x, 3, 1)],
  ['tile', (x) => ops.tile(x, [2, 1, 3])],
  ['every second', (x) => ops.getItem(x, [':', '1::2'])],
  ['every second from the end', (x) => ops.getItem(x, [':', '::-2'])],
  ['bitwiseXor', (_, whole) => ops.bitwiseXor(whole, ops.slice(whole, [0, 0, 0], [1, 5, 3]))],
  ['leftShift', (_, whole) => ops.leftShift(whole, whole)],
  ['rightShift', (_, whole) => ops.rightShift(ops.subtract(5, whole), whole)],
  [
    'pad by reflection',
    (x) =>
      ops.pad(
        x,
        [
          [0, 0],
          [4, 2],
          [1, 0],
        ],
        'reflect',
      ),
  ],
  [
    'pad by reflection, beyond the axis',
    (x) =>
      ops.pad(
        x,
        [
          [0, 0],
          [9, 12],
          [0, 0],
        ],
        'reflect',
      ),
  ],
  [
    'pad symmetrically',
    (x) =>
      ops.pad(
        x,
        [
          [4, 4],
          [5, 0],
          [0, 1],
        ],
        'symmetric',
      ),
  ],
  [
    'pad with the edge',
    (x) =>
      ops.pad(
        x,
        [
          [1, 2],
          [0, 0],
          [3, 0],
        ],
        'edge',
      ),
  ],
  ['oneHot', (_, whole) => ops.oneHot(whole, 11, 1, 'int32')],
  ['oneHot, last', (_, whole) => ops.oneHot(whole, 11)],
  ['segmentSum', (x, whole) => ops.segmentSum(x, ops.reshape(ops.slice(whole, [0, 0, 0], [4, 1, 1]), [4]), 6)],
  ['bincount', (_, whole) => ops.bincount(ops.reshape(whole, [60]), { minlength: 11 })],
  ['scatter', (x, whole) => ops.scatter(ops.reshape(whole, [60, 1]), ops.reshape(x, [60]), [8])],
]

/** Compiled reductions of transposed values reduce other axes of the operand. */
const permutations = [
  [0, 2, 1],
  [1, 0, 2],
  [1, 2, 0],
  [2, 0, 1],
  [2, 1, 0],
]
const reduced = permutations.flatMap((permutation) =>
  [0, 1, 2, [0, 1], [0, 2], [1, 2], [0, 1, 2]].flatMap((axes) => [
    [
      `sum of [${permutation.join()}] over ${String(axes)}`,
      (x: Tensor) => ops.sum(ops.transpose(x, permutation), axes),
    ] as const,
    [
      `max of [${permutation.join()}] over ${String(axes)}`,
      (_: Tensor, whole: Tensor) => ops.max(ops.transpose(whole, permutation), axes, true),
    ] as const,
  ]),
)

describe('ops of several primitives', () => {
  it.each([...cases, ...reduced])('%s: data and symbols give the same', (_, f) => {
    const [alone, compiled] = [f(x, whole, along), jit(f)(x, whole, along)]
    expect(alone.dtype).toBe(compiled.dtype)
    expect(alone.shape).toEqual(compiled.shape)
    const [a, b] = [[...alone.data], [...compiled.data]]
    if (alone.dtype === 'float32') a.forEach((each, i) => expect(each).toBeCloseTo(b[i]!, 5))
    else expect(a).toEqual(b)
  })

  it.each<[string, () => unknown]>([
    ['std', () => ops.std(x, 1)],
    ['takeAlongAxis', () => ops.takeAlongAxis(x, along, 1)],
    ['pad', () => ops.pad(x, 2, 'reflect')],
    ['scatter', () => ops.scatter(tensor(Int32Array.of(1, 0, 1), [3, 1]), [1, 2, 3], [4])],
  ])('%s on data is one run', (_, call) => {
    const before = runs()
    call()
    expect(runs() - before).toBe(1)
  })

  it('depend on all that they are called with', () => {
    const results = [
      ops.roll(x, 1, 0),
      ops.roll(x, 1, 1),
      ops.roll(x, 2, 1),
      ops.repeat(x, 2, 0),
      ops.repeat(x, 2, 1),
      ops.clip(x, 0, 1),
      ops.clip(x, 0, 0.5),
      ops.variance(x, 1),
      ops.variance(x, 1, true),
    ].map((result) => `${result.shape.join()} ${[...result.data].join()}`)
    expect(new Set(results).size).toBe(results.length)
  })

  it('throw the errors of their primitives, and work afterwards', () => {
    expect(() => ops.stack([x, whole])).not.toThrow()
    expect(() => ops.bitwiseXor(whole, tensor(Int32Array.of(1, 2), [2]))).toThrow(ShapeError)
    expect(ops.std([1, 1]).item()).toBe(0)
  })
})
