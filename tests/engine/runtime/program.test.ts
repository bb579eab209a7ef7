// Compiled programs over time: thousands of runs, growing memory, several programs that share a workspace,
// guards, and the search for the first NaN.

import { describe, expect, it } from 'vitest'
import { GraphBuilder } from '../../../src/engine/transforms/builder'
import { looped } from '../../helpers/loops'
import type { Cell, Graph } from '../../../src/engine/ir/graph'
import { sizeOf, type Shape } from '../../../src/core/shapes'
import { cellView, compile, type Runtime } from '../../../src/engine/runtime/runtime'
import { programText } from '../../../src/engine/runtime/program-text'
import { infoOf, makeRuntime } from '../../../src/engine/runtime/configure'
import { currentRuntime } from '../../../src/engine/runtime/current'
import { collectGarbage } from '../../helpers/gc'

const { settings } = currentRuntime()

function cellIn(runtime: Runtime, name: string, shape: Shape, content: readonly number[]): Cell {
  const cell: Cell = { name, shape, dtype: 'float32', storage: runtime.createStorage(4 * sizeOf(shape)), byteOffset: 0 }
  cellView(runtime, cell).set(content)
  return cell
}

/** y = x · W + 1;  W ← W − 0.001 · Σ rows of xᵀ·y */
function learningGraph(weights: Cell, batch: number): Graph {
  const builder = new GraphBuilder()
  const { e } = builder
  const x = builder.parameter({ shape: [batch, weights.shape[0]!], dtype: 'float32' })
  const w = builder.read(weights)
  const y = e.add(e.matmul(x, w), 1)
  builder.update(weights, e.subtract(w, e.multiply(e.matmul(e.transposeMatrix(x), y), 0.001)))
  return builder.finish([y])
}

/** y = Σ over rows of tanh(x) · factor: `rows` determines the size of the workspace. */
function sumGraph(rows: number, factor: number): Graph {
  const builder = new GraphBuilder()
  const { e } = builder
  const x = builder.parameter({ shape: [rows, 4], dtype: 'float32' })
  const large = builder.emitOne('constant', [], {
    data: Float32Array.of(factor, factor, factor, factor, factor),
    shape: [5, 1, 1],
    dtype: 'float32',
  })
  const many = e.multiply(large, x)
  return builder.finish([e.sum(e.add(many, e.reverse(many, [0])), [0, 1])])
}

describe('ten thousand runs', () => {
  it('allocate no memory: neither linear nor on the heap', async () => {
    const runtime = makeRuntime(settings)
    const weights = cellIn(runtime, 'weights', [3, 2], [1, 2, 3, 4, 5, 6])
    const program = compile(runtime, learningGraph(weights, 4))
    const run = (times: number): void => {
      for (let i = 0; i < times; i++) {
        program.parameter(0).fill(0.25)
        program.run()
      }
    }
    run(1000)
    await collectGarbage()
    const before = infoOf(runtime).memory
    const heapBefore = process.memoryUsage().heapUsed
    run(10_000)
    await collectGarbage()
    expect(infoOf(runtime).memory).toEqual(before)
    expect(process.memoryUsage().heapUsed - heapBefore).toBeLessThan(500_000)
    // W converges to where y = 0, which takes all the runs.
    expect(Math.max(...Array.from(program.output(0), Math.abs))).toBeLessThan(0.01)
  })
})

describe('programs that share a workspace', () => {
  it('a program still works when a larger one has moved the workspace and grown the memory', () => {
    const runtime = makeRuntime(settings)
    const weights = cellIn(runtime, 'weights', [2, 1], [3, -1])
    const small = compile(runtime, learningGraph(weights, 1))
    const runSmall = (): number => {
      cellView(runtime, weights).set([3, -1])
      small.parameter(0).set([2, 5])
      small.run()
      return small.output(0)[0]!
    }
    expect(runSmall()).toBe(2)
    const updated = Array.from(cellView(runtime, weights))
    expect(updated[0]).toBeCloseTo(2.996, 5)
    const reserved = infoOf(runtime).memory.reservedBytes
    const large = compile(runtime, sumGraph(40_000, 2))
    runtime.createStorage(2 * reserved)
    for (let i = 0; i < 3; i++) {
      large.parameter(0).fill(1)
      large.run()
      expect(Array.from(large.output(0))).toEqual([800_000, 800_000, 800_000, 800_000])
      expect(runSmall()).toBe(2)
      expect(Array.from(cellView(runtime, weights))).toEqual(updated)
    }
    expect(infoOf(runtime).memory.reservedBytes).toBeGreaterThan(reserved)
  })

  it('a program does not write to the old workspace after a move', () => {
    const runtime = makeRuntime(settings)
    const small = compile(runtime, sumGraph(2, 0.5))
    small.parameter(0).fill(1)
    small.run()
    const { reservedBytes } = infoOf(runtime).memory
    const large = compile(runtime, sumGraph(1000, 1))
    large.parameter(0).fill(1)
    large.run()
    const owned = Array.from({ length: 8 }, (_, i) => cellIn(runtime, `cell ${i}`, [16], new Array<number>(16).fill(7)))
    small.parameter(0).fill(1)
    small.run()
    expect(Array.from(small.output(0))).toEqual([10, 10, 10, 10])
    expect(owned.flatMap((cell) => [...cellView(runtime, cell)])).toEqual(new Array<number>(128).fill(7))
    expect(infoOf(runtime).memory.reservedBytes, 'it moved without growth').toBe(reservedBytes)
  })

  it('memory may grow between writing a parameter and running', () => {
    const runtime = makeRuntime(settings)
    const program = compile(runtime, sumGraph(2, 0.5))
    program.parameter(0).set([1, 2, 3, 4, 5, 6, 7, 8])
    runtime.createStorage(10_000_000)
    program.run()
    expect(Array.from(program.output(0))).toEqual([30, 40, 50, 60])
  })

  it('the workspace is as large as the largest program needs', () => {
    const runtime = makeRuntime(settings)
    const sizes = [10, 1000, 100].map((rows) => {
      const program = compile(runtime, sumGraph(rows, 1))
      program.parameter(0).fill(1)
      program.run()
      return infoOf(runtime).memory.workspaceBytes
    })
    expect(sizes[1]).toBeGreaterThanOrEqual(sizes[0]!)
    expect(sizes[2]).toBe(sizes[1])
  })

  it('dispose frees everything', () => {
    const runtime = makeRuntime(settings)
    const keeper = compile(runtime, sumGraph(100, 1))
    keeper.parameter(0).fill(1)
    keeper.run()
    const before = runtime.arena.usedBytes
    const program = compile(runtime, sumGraph(100, 3))
    program.parameter(0).fill(1)
    program.run()
    program.dispose()
    expect(runtime.arena.usedBytes).toBe(before)
  })
})

/** loss = Σ log(x · W) in layer dense_1; a guard on the loss; W ← 2W, count ← count + 1. */
function guardedGraph(weights: Cell, count: Cell): Graph {
  const builder = new GraphBuilder()
  const { e } = builder
  const x = builder.parameter({ shape: [2, 3], dtype: 'float32' })
  const w = builder.read(weights)
  builder.scope = 'dense_1'
  const y = e.matmul(x, w)
  builder.scope = 'activation_2'
  const logs = e.log(y)
  builder.scope = 'loss'
  const loss = e.sum(e.multiply(logs, logs), [0, 1])
  builder.scope = 'optimizer'
  builder.update(weights, e.multiply(w, 2))
  builder.update(count, e.add(builder.read(count), 1))
  // After the updates, which must wait for it nevertheless.
  builder.emit('guard', [loss], {})
  return builder.finish([loss])
}

describe('a guard', () => {
  const make = () => {
    const runtime = makeRuntime(settings)
    const weights = cellIn(runtime, 'weights', [3, 2], [1, 1, 1, 1, 1, 1])
    const count = cellIn(runtime, 'count', [], [5])
    const program = compile(runtime, guardedGraph(weights, count))
    const cells = () => [...cellView(runtime, weights), ...cellView(runtime, count)]
    return { program, cells }
  }
  const good = [1, 2, 3, 4, 5, 6]
  const bad = [1, 2, 3, -4, -5, -6]

  it('passes finite numbers', () => {
    const { program, cells } = make()
    program.parameter(0).set(good)
    expect(program.run()).toBe(true)
    expect(cells()).toEqual([2, 2, 2, 2, 2, 2, 6])
    program.parameter(0).set(good)
    expect(program.findNonFinite()).toBeNull()
  })

  it('ends the run before any update if there is a NaN, and the next run is complete again', () => {
    const { program, cells } = make()
    program.parameter(0).set(bad)
    expect(program.run()).toBe(false)
    expect(cells()).toEqual([1, 1, 1, 1, 1, 1, 5])
    program.parameter(0).set(good)
    expect(program.run()).toBe(true)
    expect(cells()).toEqual([2, 2, 2, 2, 2, 2, 6])
  })

  it('is explained by the first instruction that made the NaN, and by its layer', () => {
    const { program, cells } = make()
    program.parameter(0).set(bad)
    expect(program.run()).toBe(false)
    program.parameter(0).set(bad)
    const found = program.findNonFinite()
    expect(found).toContain('activation_2')
    expect(found).toContain('log')
    expect(cells()).toEqual([1, 1, 1, 1, 1, 1, 5])
  })
})

describe('a loop', () => {
  const turns = 6

  /** c ← log(c) + x, guarded; counts the completed iterations, and updates a cell. */
  const make = () => {
    const runtime = makeRuntime(settings)
    const cell = cellIn(runtime, 'state', [4], [1, 1, 1, 1])
    const builder = new GraphBuilder()
    builder.scope = 'rnn'
    const xs = builder.parameter({ shape: [turns, 4], dtype: 'float32' })
    const [last, all] = looped(
      builder,
      { carries: [builder.read(cell)], scanned: [xs], captures: [], length: turns, reverse: true },
      (inside, [c], [x]) => {
        inside.scope = 'rnn/cell'
        const next = inside.e.add(inside.e.log(c!), x!)
        const total = inside.e.sum(next, [0])
        inside.emit('guard', [total], {})
        return { carries: [next], stacked: [total] }
      },
    )
    builder.update(cell, last!)
    const program = compile(runtime, builder.finish([all!]))
    const run = (at: number | null): boolean => {
      const x = new Float32Array(turns * 4).fill(Math.E)
      if (at !== null) x[at * 4 + 2] = -9
      program.parameter(0).set(x)
      return program.run()
    }
    return { program, run, state: () => [...cellView(runtime, cell)] }
  }

  it('is ended by a guard in any iteration, then changes nothing, and is complete the next time', () => {
    const { run, state, program } = make()
    for (let at = 1; at < turns; at++) {
      // The logarithm of the next iteration gets a negative number; the last iteration is that of the first slice.
      expect(run(at), `slice ${at}`).toBe(false)
      expect(state()).toEqual([1, 1, 1, 1])
    }
    expect(run(null)).toBe(true)
    const first = [...program.output(0)]
    expect(state().every((x) => x > 1)).toBe(true)
    expect(first.every((x) => Number.isFinite(x))).toBe(true)
  })

  it('reports the iteration and the instruction that made the first NaN', () => {
    const { run, program } = make()
    expect(run(3)).toBe(false)
    run(3)
    const found = program.findNonFinite()
    expect(found).toContain('[t=2]')
    expect(found).toContain('rnn/cell')
    expect(found).toContain('log')
  })

  it('is printed with its body', () => {
    const text = programText(make().program)
    expect(text).toContain('rnn: loop'.slice(settings.backend === 'interpreter' ? 5 : 0))
    const line = text.split('\n').find((each) => each.includes('rnn/cell'))
    expect(line).toMatch(/^ {4}/)
    if (settings.backend === 'wasm') {
      expect(text).toMatch(/Loop +rnn: loop\n +count=6 patchCount=\d+/)
      expect(text).toMatch(/\+\d+: work\+\d+, then work\+\d+, advancing by -16/)
    }
  })
})

describe('disassemble', () => {
  it('names every layer of the graph', () => {
    const runtime = makeRuntime(settings)
    const program = compile(
      runtime,
      guardedGraph(cellIn(runtime, 'weights', [3, 2], []), cellIn(runtime, 'count', [], [])),
    )
    const text = programText(program)
    for (const scope of ['dense_1', 'activation_2', 'loss', 'optimizer']) expect(text).toContain(scope)
  })
})

describe('a value kept for later', () => {
  it('is unchanged when the program runs again', async () => {
    const runtime = makeRuntime(settings)
    const weights = cellIn(runtime, 'weights', [2, 1], [3, -1])
    const program = compile(runtime, learningGraph(weights, 1))
    program.parameter(0).set([2, 5])
    program.run()
    const [output, cell] = [program.read(0), program.readCell(weights)]
    const expected = [[...program.output(0)], [...cellView(runtime, weights)]]
    program.parameter(0).set([-7, 4])
    program.run()
    expect([[...(await output)], [...(await cell)]]).toEqual(expected)
    expect([...(await program.readCell(weights))]).toEqual([...cellView(runtime, weights)])
    expect([...(await program.readCell(weights))]).not.toEqual(expected[1])
  })
})
