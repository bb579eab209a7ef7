// Planned memory: by simulating the owner of each word over time, and compared with the lower bound.
// random-runs.test.ts runs the kernels.
// modes: simd

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { GraphBuilder } from '../../../src/engine/transforms/builder'
import { ruleOf } from '../../../src/engine/primitives'
import type { Graph, Value } from '../../../src/engine/ir/graph'
import { sizeOf } from '../../../src/core/shapes'
import { fuse } from '../../../src/engine/plan/fuse'
import type { Kernel } from '../../../src/engine/plan/kernel'
import { legalize } from '../../../src/engine/plan/legalize'
import { tapeTarget } from '../../../src/engine/tape/target'
import { planMemory, type MemoryPlan } from '../../../src/engine/plan/memory'
import { align, assignOffsets, inOrderOfTime, largestFirst } from '../../../src/engine/plan/offsets'
import { simplify } from '../../../src/engine/plan/simplify'
import { SLAB_ELEMENTS, drawGraph, recipes, slabCells } from './random-graph'
import { denseStep, recurrentStep } from './training-graphs'

const storage = { address: 0, byteLength: 4 * SLAB_ELEMENTS }

function planned(graph: Graph, enabled: boolean) {
  const { graph: legal, locations } = legalize(simplify(graph), tapeTarget)
  const kernels = fuse(legal, locations, { fuse: enabled })
  return { legal, locations, kernels, memory: planMemory(legal, kernels, locations) }
}

type Planned = ReturnType<typeof planned>

const OLD = 'what the cells held before the run'
type Owner = Value | typeof OLD

/** The owner of each word of the workspace and of the cells, kernel by kernel. */
class Simulation {
  private readonly owners = new Map<string, Set<Owner>>()

  constructor(private readonly plan: Planned) {
    for (const value of plan.legal.parameters) this.own(value, this.wordsOf(value))
    for (let i = 0; i < SLAB_ELEMENTS; i++) this.owners.set(`cell ${i}`, new Set([OLD]))
  }

  private get memory(): MemoryPlan {
    return this.plan.memory
  }

  /** The words of a value; empty for constants, which nothing can overwrite. */
  wordsOf(value: Value): string[] {
    const { buffer, offset } = this.memory.places[value.id]!
    const { home } = buffer
    if (home.kind === 'constants') return []
    const [space, start] =
      home.kind === 'cell'
        ? ['cell', home.cell.byteOffset + offset]
        : ['work', home.kind === 'workspace' ? home.offset + offset : NaN]
    return Array.from({ length: sizeOf(value.shape) }, (_, i) => `${space} ${start / 4 + i}`)
  }

  private own(owner: Owner, words: readonly string[], beside: ReadonlySet<Value> = new Set()): void {
    for (const word of words) {
      const kept = [...(this.owners.get(word) ?? [])].filter((other) => other !== OLD && beside.has(other))
      this.owners.set(word, new Set([owner, ...kept]))
    }
  }

  private expectOwned(value: Value, when: string): void {
    const owner = [...this.plan.legal.cells.values()].includes(value) ? OLD : value
    const lost = this.wordsOf(value).filter((word) => this.owners.get(word)?.has(owner) !== true)
    expect(lost, `%${value.id} ${when}: words that hold something else`).toEqual([])
  }

  step(kernel: Kernel, index: number): void {
    for (const read of kernel.reads) this.expectOwned(read, `read by kernel ${index}`)
    const written = kernel.writes.map((value) => new Set(this.wordsOf(value)))
    // Values of a carry before and after each iteration share a block on purpose.
    const blocks = (kernel.blocks ?? []).map(({ parts }) => new Set(parts.keys()))
    const blockOf = (write: Value): ReadonlySet<Value> => blocks.find((block) => block.has(write)) ?? new Set([write])
    const all = kernel.writes.flatMap((write, i) => (blocks.some((block) => block.has(write)) ? [] : [...written[i]!]))
    expect(new Set(all).size, `kernel ${index} writes two results to one word`).toBe(all.length)
    kernel.writes.forEach((write, i) => {
      const parts = new Set<Value>(blockOf(write))
      for (const read of kernel.reads) {
        if (!this.wordsOf(read).some((word) => written[i]!.has(word))) continue
        const inPlace = kernel.mayShare(write, read)
        if (!inPlace) parts.add(read)
        expect(inPlace || isJoin(kernel), `kernel ${index} overwrites its operand %${read.id}`).toBe(true)
      }
      this.own(write, [...written[i]!], parts)
    })
  }

  finish(): void {
    for (const { cell, value } of this.memory.copies) {
      const { base } = this.plan.locations.of(value)
      this.expectOwned(base, `copied to ${cell.name}`)
      this.own(base, this.wordsOfCell(cell.byteOffset, sizeOf(cell.shape)))
    }
    for (const value of this.plan.legal.outputs) this.expectOwned(this.plan.locations.of(value).base, 'returned')
    for (const { cell, value } of this.plan.legal.updates) {
      const { base } = this.plan.locations.of(value)
      const lost = this.wordsOfCell(cell.byteOffset, sizeOf(cell.shape)).filter(
        (word) => this.owners.get(word)?.has(base) !== true,
      )
      expect(lost, `words of ${cell.name} without its new content`).toEqual([])
    }
  }

  /** Words of cells that still have their content from before the run. */
  unchangedCellWords(): number {
    return [...this.owners.values()].filter((owners) => owners.has(OLD)).length
  }

  private wordsOfCell(byteOffset: number, count: number): string[] {
    return Array.from({ length: count }, (_, i) => `cell ${byteOffset / 4 + i}`)
  }
}

/** Joins find some operands already in place. */
function isJoin(kernel: Kernel): boolean {
  return kernel.nodes.some((node) => {
    return ruleOf(node.name).kind === 'kernel' && tapeTarget.kernelOf(node.name).places !== undefined
  })
}

function expectDisjoint({ buffers }: MemoryPlan): void {
  const placed = buffers.flatMap(({ home, ...rest }) =>
    home.kind === 'workspace' ? [{ ...rest, offset: home.offset }] : [],
  )
  const clashes = placed.flatMap((a, i) =>
    placed.slice(0, i).flatMap((b) => {
      const together = a.start <= b.end && b.start <= a.end
      const overlap = a.offset < b.offset + b.byteLength && b.offset < a.offset + a.byteLength
      return together && overlap ? [`${a.id} and ${b.id}`] : []
    }),
  )
  expect(clashes, 'simultaneously live buffers in the same bytes').toEqual([])
}

function simulate(plan: Planned): void {
  const { kernels, legal, memory } = plan
  expectDisjoint(memory)
  const simulation = new Simulation(plan)
  kernels.forEach((kernel, i) => simulation.step(kernel, i))
  simulation.finish()
  const updated = legal.updates.reduce((sum, { cell }) => sum + sizeOf(cell.shape), 0)
  expect(simulation.unchangedCellWords()).toBe(SLAB_ELEMENTS - updated)
  expect(memory.workspaceBytes).toBeGreaterThanOrEqual(memory.lowerBound)
  const guard = kernels.findLastIndex(({ nodes }) => nodes.some(({ name }) => name === 'guard'))
  const early = kernels
    .slice(0, guard + 1)
    .flatMap(({ writes }) => writes.filter((value) => memory.places[value.id]!.buffer.home.kind === 'cell'))
  expect(
    early.map(({ id }) => id),
    'written to a cell before the last guard',
  ).toEqual([])
}

describe.each([
  { name: 'fused', enabled: true },
  { name: 'unfused', enabled: false },
])('random graphs, $name', ({ enabled }) => {
  it('every value is complete when it is read, and every update arrives', () => {
    fc.assert(
      fc.property(recipes, (recipe) => {
        simulate(planned(drawGraph(recipe, storage), enabled))
      }),
      { numRuns: 60 },
    )
  })
})

/** Updates that must wait: built by hand, because random graphs rarely contain them. */
describe('updates of cells', () => {
  const cells = slabCells(storage)
  const row = { shape: [12], dtype: 'float32' } as const
  const draw = (body: (b: GraphBuilder, x: Value) => readonly Value[]): Graph => {
    const builder = new GraphBuilder()
    return builder.finish(body(builder, builder.parameter(row)))
  }
  const graphs = {
    'made before the cell is read for the last time': draw((b, x) => {
      b.update(cells.right, b.e.exp(x))
      const y = b.e.sum(x, [0])
      return [b.e.multiply(b.e.matmul(b.e.reshape(b.read(cells.whole), [24, 1]), b.e.reshape(y, [1, 1])), 2)]
    }),
    'joined from parts made while the cell is still read': draw((b, x) => {
      const old = b.read(cells.whole)
      const first = b.e.exp(x)
      const total = b.e.sum(first, [0])
      const scaled = b.e.multiply(old, total)
      b.update(cells.whole, b.emitOne('concat', [first, b.e.sin(first)], { axis: 0 }))
      return [scaled]
    }),
    'joined from parts made before a guard': draw((b, x) => {
      const first = b.e.exp(x)
      b.emit('guard', [b.e.sum(first, [0])], {})
      b.update(cells.whole, b.emitOne('concat', [first, b.e.sin(first)], { axis: 0 }))
      return []
    }),
    'joined from a part that reads the cell': draw((b, x) => {
      const first = b.e.exp(b.e.add(b.read(cells.right), x))
      b.update(cells.whole, b.emitOne('concat', [first, b.e.sin(first)], { axis: 0 }))
      return []
    }),
    'joined from parts that are joined': draw((b, x) => {
      const quarter = b.e.matmul(b.e.reshape(b.read(cells.right), [4, 3]), b.e.reshape(b.e.slice(x, [0], [3]), [3, 1]))
      const first = b.emitOne('concat', [b.e.reshape(quarter, [4]), b.e.slice(b.e.exp(x), [0], [8])], { axis: 0 })
      b.update(cells.whole, b.emitOne('concat', [b.e.sin(first), first], { axis: 0 }))
      return [b.e.sum(first, [0])]
    }),
    swapped: draw((b) => {
      const left = b.e.reshape(b.read(cells.left), [12])
      const right = b.e.reshape(b.read(cells.right), [3, 4])
      b.update(cells.left, right)
      b.update(cells.right, left)
      return []
    }),
    'computed from each other': draw((b, x) => {
      const left = b.e.reshape(b.read(cells.left), [12])
      const right = b.read(cells.right)
      b.update(cells.left, b.e.reshape(b.e.add(right, x), [3, 4]))
      b.update(cells.right, b.e.subtract(left, x))
      return []
    }),
    'one value for two cells': draw((b, x) => {
      const y = b.e.exp(x)
      b.update(cells.right, y)
      b.update(cells.left, b.e.reshape(y, [3, 4]))
      return [y]
    }),
    'made before a guard': draw((b, x) => {
      b.update(cells.right, b.e.add(b.read(cells.right), x))
      b.emit('guard', [b.e.sum(x, [0])], {})
      return []
    }),
  }
  const names = Object.keys(graphs) as (keyof typeof graphs)[]

  it.each(names)('%s', (name) => {
    for (const enabled of [true, false]) simulate(planned(graphs[name], enabled))
  })
})

it('parts that are joined in a cell are computed there, if nothing reads its old content later', () => {
  const cells = slabCells(storage)
  const builder = new GraphBuilder()
  const first = builder.e.exp(builder.parameter({ shape: [12], dtype: 'float32' }))
  builder.update(cells.whole, builder.emitOne('concat', [first, builder.e.sin(first)], { axis: 0 }))
  const { kernels, memory } = planned(builder.finish([]), false)
  const written = kernels.flatMap(({ writes }) => writes.map(({ id }) => memory.places[id]!))
  expect(written.map(({ buffer, offset }) => [buffer.home.kind, offset])).toEqual([
    ['cell', 0],
    ['cell', 48],
    ['cell', 0],
  ])
})

describe('training steps', () => {
  const slab = { address: 0, byteLength: 0 }
  const graphs = {
    'small dense': denseStep(32, [8, 10, 8, 1], 'relu', slab),
    'wide dense': denseStep(128, [784, 128, 10], 'relu', slab),
    'deep dense': denseStep(64, [32, 48, 64, 80, 96, 80, 64, 48, 10], 'tanh', slab),
    recurrent: recurrentStep(32, 24, 16, 64, slab),
  }

  const names = Object.keys(graphs) as (keyof typeof graphs)[]

  it.each(names)('%s: at most a tenth above the lower bound', (name) => {
    const graph = graphs[name]
    for (const enabled of [true, false]) {
      const { memory } = planned(graph, enabled)
      expect(memory.workspaceBytes).toBeGreaterThanOrEqual(memory.lowerBound)
      expect(memory.workspaceBytes / memory.lowerBound).toBeLessThanOrEqual(1.1)
      expectDisjoint(memory)
    }
  })

  it.each(names)('%s: every update is written in place', (name) => {
    expect(planned(graphs[name], true).memory.copies.map(({ cell }) => cell.name)).toEqual([])
  })
})

describe('assignOffsets', () => {
  const blocks = fc.array(
    fc
      .record({ bytes: fc.nat({ max: 1000 }), start: fc.nat({ max: 20 }), length: fc.nat({ max: 8 }) })
      .map(({ bytes, start, length }) => ({ bytes, start, end: start + length })),
    { maxLength: 30 },
  )

  it.each([
    ['largest first', largestFirst],
    ['in order of time', inOrderOfTime],
  ] as const)('keeps simultaneously live blocks separate, aligned, and inside the size: %s', (_name, assign) => {
    fc.assert(
      fc.property(blocks, (intervals) => {
        const { offsets, size } = assign(intervals)
        const placed = [...offsets]
        const clash = placed.find(([a, at]) =>
          placed.some(
            ([b, other]) =>
              a !== b && a.start <= b.end && b.start <= a.end && at < other + b.bytes && other < at + a.bytes,
          ),
        )
        expect(clash).toBeUndefined()
        expect(placed.filter(([{ bytes }, at]) => at % 64 !== 0 || at + bytes > size)).toEqual([])
        expect(size).toBeLessThanOrEqual(intervals.reduce((sum, { bytes }) => sum + align(bytes, 64), 0))
      }),
    )
  })

  it('stays near the lower bound with thousands of blocks', () => {
    const graph = denseStep(8, new Array<number>(300).fill(4), 'tanh', { address: 0, byteLength: 0 })
    const { buffers, lowerBound } = planned(graph, true).memory
    const intervals = buffers.flatMap(({ home, byteLength, start, end }) =>
      home.kind === 'workspace' ? [{ bytes: byteLength, start, end }] : [],
    )
    expect(intervals.length).toBeGreaterThan(512)
    expect(assignOffsets(intervals).size / lowerBound).toBeLessThanOrEqual(1.1)
  })
})
