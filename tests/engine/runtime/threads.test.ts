// Several threads: the same bits as one, in parts of about equal size, with cheap meetings; and lost or missing
// workers.
// modes: simd, relaxed, interpreter, turbo

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bundle } from '../../helpers/built'
import { afterAll, afterEach, beforeAll, describe, expect, inject, it, vi } from 'vitest'
import { END_OF_TAPE, Fill, Header } from '../../../assembly/shared/instructions'
import { Opcode } from '../../../assembly/shared/opcodes'
import { Pool } from '../../../assembly/shared/pool'
import {
  ArgumentError,
  Dense,
  Dropout,
  Sequential,
  StateError,
  configure,
  dispose,
  losses,
  ops,
  runtimeInfo,
  setRandomSeed,
  tensor,
  threadsReady,
  valueAndGrad,
} from '../../../src'
import type { Address } from '../../../src/engine/ir/operand'
import { packRows, packedBytes, packedShape } from '../../../src/engine/primitives/packed'
import { packedMatmul, packedTake } from '../../../src/ops/nn/packed'
import { Tensor } from '../../../src/ops/tensor'
import { apply } from '../../../src/ops/trace'
import { sharing } from '../../../src/engine/tape/parts'
import { planTape } from '../../../src/engine/tape'
import type { PlacedBuffer } from '../../../src/engine/plan/memory'
import { encode, instructionOffsets } from '../../../src/engine/tape/encode'
import { compile, Storage, counters, type Runtime } from '../../../src/engine/runtime/runtime'
import { infoOf, makeRuntime } from '../../../src/engine/runtime/configure'
import { tapeBackendOf } from '../../../src/engine/runtime/tape-backend'
import { ThreadedBackend } from '../../../src/engine/runtime/threads/backend'
import { currentRuntime } from '../../../src/engine/runtime/current'
import { settingsOf } from '../../helpers/modes'
import { bitsOfRun, fillInput, graphOf, threadedRuntime, poolOf, withThreads } from '../../helpers/threads'

const settings = settingsOf[inject('mode')]
const THREADS = [2, 3, 4]

interface Case {
  readonly name: string
  readonly shapes: readonly (readonly number[])[]
  readonly body: (inputs: Tensor[]) => readonly Tensor[]
}

const { add, multiply, matmul, transpose, sum } = ops

function product(m: number, k: number, n: number, left: boolean, right: boolean): Case {
  return {
    name: `[${m}, ${k}]${left ? 'ᵀ' : ''} · [${k}, ${n}]${right ? 'ᵀ' : ''}`,
    shapes: [left ? [k, m] : [m, k], right ? [n, k] : [k, n], [n]],
    body: ([a, b, bias]) => [ops.tanh(add(matmul(left ? transpose(a!) : a!, right ? transpose(b!) : b!), bias!))],
  }
}

const products = [
  [1, 301, 403],
  [2, 77, 131],
  [3, 40, 50],
  [67, 129, 1],
  [501, 300, 1],
  [5, 9, 7],
  [33, 47, 29],
  [101, 300, 65],
  [97, 257, 400],
  [259, 65, 131],
  // sums in slices
  [1, 6000, 101],
  [101, 5000, 1],
  [3, 5000, 50],
  [50, 4100, 37],
].flatMap(([m, k, n]) =>
  [false, true].flatMap((left) => [false, true].map((right) => product(m!, k!, n!, left, right))),
)

const others: Case[] = [
  {
    name: 'a batch of products',
    shapes: [
      [5, 37, 20],
      [5, 20, 33],
    ],
    body: ([a, b]) => [matmul(a!, b!)],
  },
  {
    name: 'a chain of steps with broadcasts',
    shapes: [[37, 91], [91], [37, 1], []],
    body: ([x, row, column, scalar]) => [ops.exp(multiply(add(add(x!, row!), column!), scalar!)), add(column!, row!)],
  },
  {
    name: 'a chain over a transposed operand',
    shapes: [
      [61, 45],
      [45, 61],
    ],
    body: ([x, y]) => [add(x!, transpose(y!)), ops.sigmoid(add(x!, transpose(y!)))],
  },
  {
    name: 'reductions of rows, columns and all',
    shapes: [[93, 5, 71]],
    body: ([x]) => [
      ...[2, 1, 0].flatMap((axis) => [
        sum(x!, { axis }),
        ops.mean(x!, { axis }),
        ops.max(x!, { axis }),
        ops.argmax(x!, axis),
      ]),
      sum(x!),
    ],
  },
  {
    name: 'reductions of integers',
    shapes: [[93, 5, 71]],
    body: ([x]) => {
      const whole = ops.cast(multiply(x!, 1e6), 'int32')
      return [2, 1, 0].flatMap((axis) => [
        sum(whole, axis),
        ops.max(whole, axis),
        ops.min(whole, axis),
        ops.argmax(whole, axis),
        ops.argmin(whole, axis),
      ])
    },
  },
  {
    name: 'softmax and log-softmax',
    shapes: [[37, 301]],
    body: ([x]) => [ops.softmax(x!), ops.logSoftmax(x!), ops.softmax(x!, 0)],
  },
  {
    name: 'cross-entropies and their gradients',
    shapes: [
      [67, 31],
      [67, 31],
    ],
    body: ([x, t]) => {
      const classes = ops.argmax(t!, 1)
      return [
        ...valueAndGrad((y) => sum(losses.sparseCategoricalCrossentropy(classes, y, { fromLogits: true })))(x!),
        ...valueAndGrad((y) => sum(losses.categoricalCrossentropy(t!, y, { fromLogits: true })))(x!),
      ]
    },
  },
  {
    name: 'copies',
    shapes: [
      [37, 5, 41],
      [37, 3, 41],
    ],
    body: ([x, y]) => [
      ops.concatenate([x!, y!], 1),
      ops.pad(x!, [
        [1, 2],
        [0, 3],
        [5, 0],
      ]),
      ops.concatenate([transpose(x!, [2, 1, 0]), transpose(y!, [2, 1, 0])], 1),
      ops.flip(x!, 2),
    ],
  },
  {
    name: 'gather and scatter',
    shapes: [
      [41, 37],
      [37, 9],
    ],
    body: ([x, y]) => {
      const indices = ops.cast(ops.floor(multiply(ops.abs(ops.slice(x!, [0, 0], [1, 37])), 30)), 'int32')
      const flat = ops.reshape(indices, [37])
      return [
        ops.take(x!, flat, 0),
        ops.take(x!, flat, 1),
        ops.scatterAdd(y!, flat, 31, 0),
        ops.scatterAdd(x!, flat, 31, 1),
      ]
    },
  },
]

const gradientsOf = (of: (...xs: Tensor[]) => Tensor, inputs: readonly Tensor[]): readonly Tensor[] => [
  of(...inputs),
  ...valueAndGrad((...xs: Tensor[]) => sum(ops.square(of(...xs))), { argnums: inputs.map((_, i) => i) })(
    ...inputs,
  ).flat(),
]

const windows: Case[] = [
  {
    name: 'convolutions and their gradients',
    shapes: [[3, 19, 17, 13], [3, 3, 13, 29], [29]],
    body: ([x, kernel, bias]) =>
      gradientsOf((a, k, b) => ops.relu(add(ops.conv(a!, k!, { padding: 'same' }), b!)), [x!, kernel!, bias!]),
  },
  {
    name: 'convolutions in tiles and their gradients',
    shapes: [[3, 11, 14, 40], [3, 3, 40, 72], [72]],
    body: ([x, kernel, bias]) =>
      gradientsOf((a, k, b) => ops.relu(add(ops.conv(a!, k!, { padding: 'same' }), b!)), [x!, kernel!, bias!]),
  },
  {
    name: 'convolutions with strides, dilation and groups',
    shapes: [
      [2, 23, 21, 8],
      [3, 2, 4, 10],
    ],
    body: ([x, kernel]) => [
      ...gradientsOf((a, k) => ops.conv(a!, k!, { strides: [2, 3] }), [x!, kernel!]),
      ...gradientsOf((a, k) => ops.conv(a!, k!, { dilationRate: 2 }), [x!, kernel!]),
    ],
  },
  {
    name: 'depthwise convolutions and their gradients',
    shapes: [
      [2, 17, 19, 11],
      [3, 3, 11, 1],
    ],
    body: ([x, kernel]) => gradientsOf((a, k) => ops.depthwiseConv(a!, k!), [x!, kernel!]),
  },
  {
    name: 'pooling and its gradient',
    shapes: [[3, 18, 15, 7]],
    body: ([x]) => [
      ...gradientsOf((a) => ops.maxPool(a!, 3, { strides: 2 }), [x!]),
      ...gradientsOf((a) => ops.averagePool(a!, 2, { padding: 'same' }), [x!]),
    ],
  },
  {
    name: 'sorting, factors and Fourier transforms',
    shapes: [
      [13, 37],
      [4, 6, 6],
      [5, 32],
    ],
    body: ([x, matrices, y]) => {
      const positive = add(matmul(matrices!, transpose(matrices!, [0, 2, 1])), ops.eye(6))
      const { real, imag } = ops.rfft(y!)
      return [ops.sort(x!), ops.argsort(x!, 0), ops.cholesky(positive), ops.inv(positive), real, imag]
    },
  },
]

const loops: Case[] = [
  {
    name: 'a recurrence and its gradient',
    shapes: [
      [7, 33, 20],
      [33, 47],
      [20, 47],
      [47, 47],
    ],
    body: ([xs, h, w, u]) => {
      const run = (x: Tensor, kernel: Tensor, recurrent: Tensor): Tensor => {
        const [, ys] = ops.scan(
          (state, slice) => {
            const next = ops.tanh(add(matmul(slice, kernel), matmul(state, recurrent)))
            return [next, next]
          },
          h!,
          x,
        )
        return sum(ops.square(ys))
      }
      return valueAndGrad(run, { argnums: [0, 1, 2] })(xs!, w!, u!).flat()
    },
  },
  {
    name: 'a loop in a loop, backwards, and instructions of one part among others',
    shapes: [[3, 5, 130], [130]],
    body: ([xs, c]) => {
      const [last, all] = ops.scan(
        (outer, rows) => {
          const [inner, ys] = ops.scan((state, row) => [add(multiply(state, 0.5), row), sum(state)], outer, rows, {
            reverse: true,
          })
          return [ops.sin(inner), ys]
        },
        c!,
        xs!,
      )
      return [last, all]
    },
  },
  {
    name: 'branches: the chosen one, the other one, and one in a loop, with gradients',
    shapes: [[40, 300], [300], [9, 300]],
    body: ([x, c, xs]) => {
      const decided = (y: Tensor, limit: number): Tensor =>
        ops.cond(
          ops.less(sum(y), limit),
          () => ops.tanh(add(y, c!)),
          () => multiply(ops.exp(y), c!),
        )
      const run = (y: Tensor, rows: Tensor): Tensor => {
        const [last] = ops.scan((state, row) => [decided(add(state, row), 0), null], y, rows)
        return add(decided(last, -1e9), decided(y, 1e9))
      }
      return gradientsOf(run, [x!, xs!])
    },
  },
  {
    name: 'a loop that ends by its condition, in a loop, with gradients',
    shapes: [
      [5, 30, 30],
      [30, 30],
    ],
    body: ([xs, w]) => {
      const run = (all: Tensor, weight: Tensor): Tensor =>
        ops.scan(
          (state, x) => {
            const [n, y] = ops.whileLoop(
              (_, z) => ops.less(sum(ops.square(z)), 2000),
              (i, z) => [add(i, 1), add(multiply(matmul(z, weight), 0.4), add(z, x))] as const,
              [0, multiply(state, 0.1)] as const,
              12,
            )
            return [y, multiply(n, y)]
          },
          all,
          xs!,
        )[1]
      return gradientsOf((weight) => run(ops.slice(xs!, [0, 0, 0], [1, 30, 30]), weight), [w!])
    },
  },
  {
    name: 'loops without a maximum, of no, one and many iterations',
    shapes: [[64, 130], [130]],
    body: ([x, c]) =>
      [0, 1, 37].flatMap((turns) =>
        ops.whileLoop(
          (i) => ops.less(i, turns),
          (i, y) => [add(i, 1), ops.sin(add(y, c!))] as const,
          [0, multiply(x!, turns + 1)] as const,
        ),
      ),
  },
  {
    name: 'a small branch between shared instructions',
    shapes: [[64, 130], [130]],
    body: ([x, c]) => {
      const scale = ops.switch(
        ops.cast(ops.mod(ops.floor(sum(x!)), 3), 'int32'),
        [(y: Tensor) => y, (y: Tensor) => ops.sin(y), (y: Tensor) => ops.negative(y)],
        c!,
      )
      return [multiply(ops.exp(x!), scale), sum(scale)]
    },
  },
]

const attentions = [
  {
    name: 'attention of several blocks, causal',
    shapes: [
      [2, 150, 3, 8],
      [2, 150, 3, 8],
      [2, 150, 3, 5],
    ],
    options: { isCausal: true },
  },
  {
    name: 'attention of one sample and one head',
    shapes: [
      [1, 200, 1, 16],
      [1, 70, 1, 16],
      [1, 70, 1, 16],
    ],
    options: {},
  },
  {
    name: 'attention with shared keys',
    shapes: [
      [3, 20, 4, 8],
      [3, 30, 2, 8],
      [3, 30, 2, 8],
    ],
    options: { scale: 0.7 },
  },
].map(({ options, ...rest }) => ({
  ...rest,
  body: (inputs: Tensor[]): readonly Tensor[] =>
    valueAndGrad((q: Tensor, k: Tensor, v: Tensor) => sum(ops.square(ops.dotProductAttention(q, k, v, options))), {
      argnums: [0, 1, 2],
    })(...(inputs as [Tensor, Tensor, Tensor])).flat(),
}))

const normalizations = [
  { name: 'normalization of several blocks of rows', shape: [700, 50], axis: -1 },
  { name: 'normalization of two axes', shape: [90, 6, 11], axis: [1, 2] },
  { name: 'normalization of few rows', shape: [3, 2000], axis: -1 },
].map(({ name, shape, axis }) => {
  const weights = shape.slice(typeof axis === 'number' ? axis : 1)
  return {
    name,
    shapes: [shape, weights, weights, shape],
    body: (inputs: Tensor[]): readonly Tensor[] =>
      valueAndGrad(
        (x: Tensor, scale: Tensor, shift: Tensor, y: Tensor) =>
          sum(ops.multiply(ops.layerNorm(x, scale, shift, axis), y)),
        { argnums: [0, 1, 2] },
      )(...(inputs as [Tensor, Tensor, Tensor, Tensor])).flat(),
  }
})

const packedProducts = ([8, 4] as const).flatMap((bits) =>
  [1, 3, 50].map((rows) => ({
    name: `packed weights of ${bits} bits, ${rows} rows`,
    shapes: [[rows, 200]],
    body: ([x]: Tensor[]): readonly Tensor[] => {
      const format = { outputs: 150, inputs: 200, bits }
      const bytes = new Int8Array(packedBytes(150, 200, bits))
      packRows(
        bytes,
        format,
        0,
        Float32Array.from({ length: 150 * 200 }, (_, i) => Math.sin(i * i)),
      )
      const packed = new Tensor(bytes, packedShape(format), 'int8')
      const ids = tensor(
        Int32Array.from({ length: 9 }, (_, i) => 16 * i),
        [9],
        'int32',
      )
      const square = (activations: 'int8' | 'float32') => (each: Tensor) =>
        sum(ops.square(packedMatmul(each, packed, format, activations)))
      return [
        valueAndGrad(square('int8'))(x!),
        valueAndGrad(square('float32'))(x!),
        packedTake(packed, ids, format),
      ].flat()
    },
  })),
)

describe.skipIf(settings.backend === 'interpreter')('the same bits on any number of threads', () => {
  // Parts of one nanosecond: all work that can be divided is divided.
  const runtimes: Runtime[] = []
  const one = makeRuntime(settings)

  beforeAll(async () => {
    for (const threads of THREADS) runtimes.push(await threadedRuntime(threads, 1))
  })
  afterAll(() => dispose())

  it.each([...products, ...others, ...windows, ...loops, ...attentions, ...normalizations, ...packedProducts])(
    '$name',
    ({ shapes, body }) => {
      const graph = graphOf(shapes, body)
      const expected = bitsOfRun(one, graph)
      for (const runtime of runtimes) {
        const before = counters.threadedRuns
        expect(bitsOfRun(runtime, graph), `${poolOf(runtime).threads} threads`).toEqual(expected)
        expect(counters.threadedRuns, 'ran on several threads').toBe(before + 1)
      }
    },
  )

  it.each(['sgd', 'rmsprop', 'adam'] as const)(
    'a training run with dropout and %s',
    async (optimizer) => {
      const results = []
      for (const threads of [1, ...THREADS]) {
        const run = await withThreads(threads, async () => {
          const before = counters.threadedRuns
          setRandomSeed(7)
          const model = new Sequential([
            new Dense({ units: 301, activation: 'relu', inputShape: [203] }),
            new Dropout({ rate: 0.3 }),
            new Dense({ units: 17, activation: 'softmax' }),
          ])
          model.compile({ optimizer, loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] })
          const x = new Float32Array(150 * 203)
          fillInput(x, 3)
          const y = Int32Array.from({ length: 150 }, (_, i) => (i * 7) % 17)
          const { history } = await model.fit({ data: x, shape: [150, 203] }, y, {
            epochs: 3,
            batchSize: 64,
            verbose: 0,
          })
          expect(counters.threadedRuns > before, 'ran on several threads').toBe(threads > 1)
          const weights = model.getWeights().map(({ data }) => [...data])
          model.dispose()
          return { history, weights }
        })
        results.push(run)
      }
      for (const run of results.slice(1)) expect(run).toEqual(results[0])
    },
    30_000,
  )

  it('a guard that ends the tape', async () => {
    const runtime = runtimes[1]!
    const poisoned = graphOf([[64, 64]], ([x]) => [matmul(ops.log(multiply(x!, 0)), x!)])
    const runs = compile(runtime, poisoned)
    for (let i = 0; i < 200; i++) expect(runs.run()).toBe(true)
    await withThreads(3, () => {
      const model = new Sequential([new Dense({ units: 128, inputShape: [256] }), new Dense({ units: 256 })])
      model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' })
      const good = { data: new Float32Array(64 * 256).fill(0.01), shape: [64, 256] }
      const bad = { data: new Float32Array(64 * 256).fill(3e38), shape: [64, 256] }
      const weights = () => model.getWeights().map(({ data }) => Buffer.from(data.buffer.slice(0)))
      model.trainOnBatch(good, good)
      for (let i = 0; i < 30; i++) {
        const before = weights()
        expect(() => model.trainOnBatch(bad, bad)).toThrow('not finite')
        expect(weights().every((bytes, at) => bytes.equals(before[at]!))).toBe(true)
        model.trainOnBatch(good, good)
      }
      expect(runtimeInfo().threads).toBe(3)
    })
  })

  it('guards in a loop, in any iteration', () => {
    const runtime = runtimes[1]!
    const graph = graphOf(
      [
        [5, 64, 33],
        [64, 33],
      ],
      ([xs, c]) => {
        const [last] = ops.scan(
          (state, x) => {
            const next = add(multiply(state, 0.5), x)
            apply('guard', [next], {})
            return [next, null]
          },
          c!,
          xs!,
        )
        return [last]
      },
    )
    const program = compile(runtime, graph)
    const results = new Set<string>()
    for (let i = 0; i < 300; i++) {
      fillInput(program.parameter(0), 1)
      fillInput(program.parameter(1), 2)
      const poisoned = i % 3 === 1
      if (poisoned) program.parameter(0)[(i % 5) * 64 * 33 + 7] = NaN
      expect(program.run()).toBe(!poisoned)
      if (!poisoned) results.add(program.output(0).join())
    }
    expect(results.size).toBe(1)
  })

  it('after any number of guards, at any meeting', () => {
    const runtime = runtimes[2]!
    const body = ([x]: Tensor[], steps: number) => {
      let y = x!
      for (let i = 0; i < steps; i++) y = matmul(y, x!)
      apply('guard', [x!], {})
      return [matmul(y, y)]
    }
    const programs = [0, 1, 2].map((steps) =>
      compile(
        runtime,
        graphOf([[24, 24]], (inputs) => body(inputs, steps)),
      ),
    )
    const results = programs.map(() => new Set<string>())
    for (let i = 0; i < 600; i++) {
      const at = ((i * 7) % 5) % 3
      const program = programs[at]!
      fillInput(program.parameter(0), 1)
      const poisoned = i % 4 === 1
      if (poisoned) program.parameter(0)[575] = NaN
      expect(program.run()).toBe(!poisoned)
      if (!poisoned) results[at]!.add(program.output(0).join())
    }
    expect(results.map(({ size }) => size)).toEqual([1, 1, 1])
  })
})

describe.skipIf(settings.backend === 'interpreter')('parts', () => {
  afterEach(() => dispose())

  const large: Case[] = [
    product(512, 256, 384, false, false),
    product(301, 784, 128, true, false),
    product(131, 256, 500, false, true),
    // swept: few rows of a large matrix, and a short k
    product(23, 260, 519, false, false),
    product(600, 4, 519, false, false),
    product(8, 200, 400, true, false),
    { name: 'a chain', shapes: [[300, 257], [257]], body: ([x, y]) => [ops.exp(add(x!, y!))] },
    { name: 'sums of rows', shapes: [[1001, 300]], body: ([x]) => [sum(x!, { axis: 1 })] },
    { name: 'sums of columns', shapes: [[300, 1001]], body: ([x]) => [sum(x!, { axis: 0 })] },
    { name: 'softmax', shapes: [[301, 500]], body: ([x]) => [ops.softmax(x!)] },
    { name: 'a copy', shapes: [[301, 511]], body: ([x]) => [ops.concatenate([transpose(x!), transpose(x!)], 0)] },
  ]

  // Runs part after part on this thread and counts the words that each writes.
  it.each(large)('of $name are equal within 10 per cent, disjoint, and cover the whole', ({ shapes, body }) => {
    // Every part has its own scratch; the workers are not used.
    const runtime = makeRuntime({ ...settings, threads: 4 })
    const graph = graphOf(shapes, body)
    const { memory, instructions, parameters } = planTape(graph, settings)
    const workspace = runtime.workspaceFor(memory.workspaceBytes)
    const constants = new Storage(runtime, memory.constantBytes)
    const resolve = ({ buffer, offset }: Address): number => {
      const { home } = buffer as PlacedBuffer
      if (home.kind === 'scratch') return runtime.arena.scratch + offset
      if (home.kind === 'constants') return constants.address + home.offset + offset
      if (home.kind === 'workspace') return workspace + home.offset + offset
      throw new Error('no cells were expected')
    }
    const words = encode(instructions, resolve)
    const tape = new Storage(runtime, words.byteLength)
    runtime.view('int32', tape.address, words.length).set(words)
    parameters.forEach((address, i) =>
      fillInput(
        runtime.view(
          'float32',
          resolve(address),
          graph.parameters[i]!.shape.reduce((a, b) => a * b, 1),
        ),
        i,
      ),
    )
    const all = (): Int32Array => runtime.view('int32', workspace, memory.workspaceBytes / 4).slice() as Int32Array
    for (const offset of instructionOffsets(instructions)) {
      const before = all()
      tapeBackendOf(runtime).kernels.runOne(tape.address + offset)
      const after = all()
      const written = Array.from(after.keys()).filter((at) => after[at] !== before[at])
      expect(written.length).toBeGreaterThan(0)
      for (const parts of THREADS) {
        const counts = []
        const view = runtime.view('int32', workspace, memory.workspaceBytes / 4)
        for (let part = 0; part < parts; part++) {
          view.set(before)
          tapeBackendOf(runtime).kernels.runPart(tape.address + offset, part, parts)
          const changed = written.filter((at) => view[at] !== before[at])
          expect(changed.every((at) => view[at] === after[at])).toBe(true)
          counts.push(changed.length)
        }
        expect(
          counts.reduce((a, b) => a + b),
          `${parts} parts`,
        ).toBe(written.length)
        for (const count of counts)
          expect(Math.abs(count / (written.length / parts) - 1), counts.join(' ')).toBeLessThan(0.1)
      }
      runtime.view('int32', workspace, after.length).set(after)
    }
  })

  it('are single for a small model, which never wakes a worker', async () => {
    await withThreads(4, async () => {
      const model = new Sequential([
        new Dense({ units: 10, activation: 'relu', inputShape: [8] }),
        new Dense({ units: 8, activation: 'relu' }),
        new Dense({ units: 1, activation: 'sigmoid' }),
      ])
      model.compile({ optimizer: 'adam', loss: 'binaryCrossentropy', metrics: ['accuracy'] })
      const x = { data: new Float32Array(320).fill(0.5), shape: [40, 8] }
      const { threadedRuns, wasmRuns } = counters
      await model.fit(x, new Float32Array(40), { epochs: 2, verbose: 0 })
      void model.predict(x)
      expect(runtimeInfo()).toMatchObject({ threads: 4, threadsNote: null })
      expect(counters.threadedRuns).toBe(threadedRuns)
      expect(counters.wasmRuns).toBeGreaterThan(wasmRuns)
    })
    const graph = graphOf(
      [
        [32, 8],
        [8, 10],
      ],
      ([a, b]) => [ops.relu(matmul(a!, b!))],
    )
    const small = planTape(graph, { fuse: true, share: sharing(4) })
    expect(small.isShared).toBe(false)
    expect(small.instructions.map(({ parts, meets }) => [parts, meets])).toEqual([[1, false]])
  })
})

describe.skipIf(settings.backend === 'interpreter')('a pool', () => {
  afterEach(async () => {
    vi.unstubAllGlobals()
    configure({ threads: 1 })
    await dispose()
  })

  it('has cheap meetings', async () => {
    const runtime = await threadedRuntime(2)
    const meetings = 2000
    const target = new Storage(runtime, 128)
    const words = new Int32Array((meetings * Fill.size) / 4 + 1).fill(END_OF_TAPE)
    for (let at = 0; at < meetings * Fill.size; at += Fill.size) {
      words[at / 4] = Opcode.Fill | (1 << (8 * Header.moreParts)) | (1 << (8 * Header.meet))
      words[(at + Header.byteLength) / 4] = Fill.size
      words[(at + Fill.out) / 4] = target.address
      words[(at + Fill.count) / 4] = 32
      words[(at + Fill.value) / 4] = 1
    }
    const tape = new Storage(runtime, words.byteLength)
    runtime.view('int32', tape.address, words.length).set(words)
    const time = (action: () => void): number => {
      let best = Infinity
      for (let i = 0; i < 30; i++) {
        const start = performance.now()
        action()
        best = Math.min(best, performance.now() - start)
      }
      return (best * 1000) / meetings
    }
    const alone = Array.from(words, (word) =>
      word !== END_OF_TAPE && (word & 0xffff0000) === 0x01010000 ? word & 0xffff : word,
    )
    const shared = time(() => expect(poolOf(runtime).run(tape.address, 1)).toBe(0))
    runtime.view('int32', tape.address, words.length).set(alone)
    const single = time(() => expect(tapeBackendOf(runtime).kernels.run(tape.address)).toBe(0))
    console.log(`a meeting of two threads: ${(shared - single).toFixed(2)} µs`)
    // The goal is 3 µs. Printed only: the machine may have one core, and other processes on it.
  })

  it('reports why there is one thread', async () => {
    expect(runtimeInfo()).toMatchObject({ threads: 1, threadsNote: 'one thread was configured' })
    vi.stubGlobal('crossOriginIsolated', false)
    configure({ threads: 2 })
    const note = 'SharedArrayBuffer is not available: the page is not cross-origin isolated'
    expect(await threadsReady()).toMatchObject({ threads: 1, threadsNote: note })
    vi.unstubAllGlobals()
    vi.stubGlobal('SharedArrayBuffer', undefined)
    configure({ threads: 3 })
    expect(await threadsReady()).toMatchObject({ threads: 1, threadsNote: note })
    expect(currentRuntime().backend, 'plans for one').not.toBeInstanceOf(ThreadedBackend)
    expect(ops.add([1, 2], 3).toArray()).toEqual([4, 5])
  })

  it('reports that it is starting, and runs on one thread meanwhile', async () => {
    configure({ threads: 2 })
    expect(runtimeInfo()).toMatchObject({ threads: 1, threadsNote: 'the workers are starting: await threadsReady()' })
    const graph = graphOf([[200, 200]], ([x]) => [matmul(x!, x!)])
    const before = counters.threadedRuns
    const early = bitsOfRun(currentRuntime(), graph)
    expect(counters.threadedRuns).toBe(before)
    expect(await threadsReady()).toMatchObject({ threads: 2, threadsNote: null })
    expect(bitsOfRun(currentRuntime(), graph)).toEqual(early)
    expect(counters.threadedRuns).toBe(before + 1)
    await dispose()
    expect(runtimeInfo()).toMatchObject({ threads: 1, threadsNote: 'the threads were disposed' })
    expect(bitsOfRun(currentRuntime(), graph)).toEqual(early)
  })

  it('falls back when a worker does not see the memory', async () => {
    const runtime = makeRuntime({ ...settings, threads: 2 })
    // The first block of the arena; the worker answers to another challenge than it was asked.
    const words = runtime.view('int32', 0, runtime.memory.buffer.byteLength / 4)
    const pool = words.findIndex((word, at) => word === END_OF_TAPE && words[at - 1] !== 0) - Pool.empty / 4
    words[pool + Pool.challenge / 4]! ^= 1
    await poolOf(runtime).ready
    expect(infoOf(runtime)).toMatchObject({
      threads: 1,
      threadsNote: 'self-test failed: worker 1 does not see the shared memory',
    })
  })

  it('falls back when workers cannot be made', async () => {
    vi.stubGlobal('process', { ...process, versions: {} })
    configure({ threads: 2 })
    const { threads, threadsNote } = await threadsReady()
    expect(threads).toBe(1)
    expect(threadsNote).toMatch('the workers did not start')
  })

  it.each([0, 1.5, 65, -1, NaN])('refuses %d threads', (threads) => {
    expect(() => configure({ threads })).toThrow(ArgumentError)
  })

  it('ends a run with an error when a worker dies, and continues alone', async () => {
    const runtime = await threadedRuntime(3)
    poolOf(runtime).patience = 100
    const graph = graphOf([[300, 300]], ([x]) => [matmul(x!, matmul(x!, x!))])
    const expected = bitsOfRun(runtime, graph)
    const program = compile(runtime, graph)
    fillInput(program.parameter(0), 0)
    void poolOf(runtime).workers[1]!.terminate()
    const run = () => {
      for (let i = 0; i < 5000; i++) program.run()
    }
    expect(run).toThrow(StateError)
    expect(infoOf(runtime)).toMatchObject({
      threads: 1,
      threadsNote: 'a worker stopped or did not answer during a run',
    })
    expect(bitsOfRun(runtime, graph)).toEqual(expected)
  })

  it('leaves a model usable after the step that lost a worker', async () => {
    await withThreads(2, async () => {
      const model = new Sequential([new Dense({ units: 300, inputShape: [300] }), new Dense({ units: 300 })])
      model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' })
      const x = { data: new Float32Array(100 * 300).fill(0.01), shape: [100, 300] }
      const pool = poolOf(currentRuntime())
      pool.patience = 100
      await model.fit(x, x, { verbose: 0 })
      // The process learns of it in a later turn; until then the pool looks intact.
      void pool.workers[0]!.terminate()
      const train = (steps: number) => {
        for (let i = 0; i < steps; i++) model.trainOnBatch(x, x)
      }
      expect(() => train(10_000)).toThrow(StateError)
      train(3)
      await model.fit(x, x, { verbose: 0 })
      expect(runtimeInfo().threads).toBe(1)
    })
  })

  it('has changed nothing if a run ends before it writes', async () => {
    await withThreads(2, () => {
      const model = new Sequential([new Dense({ units: 300, inputShape: [300] }), new Dense({ units: 300 })])
      model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' })
      const x = { data: new Float32Array(100 * 300).fill(0.01), shape: [100, 300] }
      const weights = () => model.getWeights().map(({ data }) => Buffer.from(data.buffer.slice(0)))
      model.trainOnBatch(x, x)
      const before = weights()
      const pool = poolOf(currentRuntime())
      const { kernels } = tapeBackendOf(currentRuntime())
      // As if the worker had thrown: it tells the others to leave.
      vi.spyOn(pool, 'run').mockImplementationOnce((tape, expected) => {
        kernels.abandon(pool['shared'].address)
        vi.restoreAllMocks()
        return pool.run(tape, expected)
      })
      expect(() => model.trainOnBatch(x, x)).toThrow('are unchanged')
      const same = () => weights().every((bytes, at) => bytes.equals(before[at]!))
      expect(same()).toBe(true)
      model.trainOnBatch(x, x)
      expect(same()).toBe(false)
    })
  })

  it('lets the process end while workers wait', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'myelin-'))
    try {
      await bundle(['src/index.ts'], folder)
      const script = `
        import { readdirSync } from 'node:fs'
        const [file] = readdirSync(${JSON.stringify(folder)}).filter((name) => name.startsWith('index'))
        const { configure, ops, threadsReady } = await import(${JSON.stringify(folder)} + '/' + file)
        configure({ threads: 3, simd: 'plain' })
        const info = await threadsReady()
        ops.matmul(ops.ones([300, 300]), ops.ones([300, 300]))
        console.log(JSON.stringify([info.threads, info.threadsNote]))`
      writeFileSync(join(folder, 'main.mjs'), script)
      const child = spawnSync(process.execPath, [join(folder, 'main.mjs')], { encoding: 'utf8', timeout: 20_000 })
      expect(child.stderr).toBe('')
      expect(child.stdout.trim()).toBe('[3,null]')
      expect(child.status).toBe(0)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

describe.runIf(settings.backend === 'interpreter')('the interpreter', () => {
  it('runs on one thread and reports it', async () => {
    configure({ threads: 2 })
    expect(await threadsReady()).toMatchObject({ threads: 1, threadsNote: 'the interpreter runs on one thread' })
    configure({ threads: 1 })
  })
})
