// The milliseconds of a run of a program on the CPU and on the device, before a run of the user decides between them. Both run on
// copies of the cells: nothing that they compute is kept.

import { clock } from '../../core/globals'
import { sizeOf } from '../../core/shapes'
import type { Cell, CellStorage, Graph } from '../ir/graph'
import type { Program } from '../runtime/program'
import { Storage } from '../runtime/runtime'
import { workOf } from '../tape/work'
import type { Gpu } from './device'
import type { DeviceMemory } from './memory'
import { GpuProgram, type Homes } from './program'

/** Measured milliseconds of one run. */
export interface Measured {
  readonly wasm: number
  readonly gpu: number
}

/** Runs that are measured together on the device, because one is shorter than the time until the CPU hears of its end. */
const RUNS = 4

/** The milliseconds that one thread of the CPU is expected to need. */
export function expectedOnCpu({ instructions }: Program): number {
  return (instructions ?? []).reduce((sum, each) => sum + workOf(each).nanoseconds, 0) / 1e6
}

function cellsOf({ cells, updates }: Graph): Set<Cell> {
  return new Set([...cells.keys(), ...updates.map(({ cell }) => cell)])
}

function bytesOf(storage: CellStorage): Uint8Array {
  if (!(storage instanceof Storage)) return new Uint8Array(0)
  return new Uint8Array(storage.runtime.memory.buffer, storage.address, storage.byteLength)
}

/** Any legal parameters: numbers between 0 and 1, and the class 0. */
function fill(program: Program): void {
  program.graph.parameters.forEach(({ dtype, shape }, i) => {
    const target = program.parameter(i)
    if (dtype !== 'float32') target.fill(0)
    else for (let j = 0; j < sizeOf(shape); j++) target[j] = ((j * 7919) % 1024) / 1024
  })
}

function onCpu(program: Program): number {
  const storages = new Set([...cellsOf(program.graph)].map(({ storage }) => storage))
  const kept = [...storages].map((storage) => [storage, bytesOf(storage).slice()] as const)
  const best = [0, 1, 2].map(() => {
    fill(program)
    const start = clock()
    program.run()
    return clock() - start
  })
  for (const [storage, content] of kept) bytesOf(storage).set(content)
  return Math.min(...best)
}

/** Copies of cells on the device, and a flag for guards. */
class Copies implements Homes {
  readonly flag: number
  private readonly places = new Map<CellStorage, number>()

  constructor(private readonly memory: DeviceMemory) {
    this.flag = memory.allocate(4)
    memory.write(this.flag, new Int32Array(1))
  }

  missing(storage: CellStorage): number {
    return this.places.has(storage) ? 0 : storage.byteLength
  }

  home(storage: CellStorage): number {
    const { memory, places } = this
    let at = places.get(storage)
    if (at === undefined) {
      at = memory.allocate(storage.byteLength)
      memory.write(at, bytesOf(storage))
      places.set(storage, at)
    }
    return at
  }

  release(): void {
    for (const at of [this.flag, ...this.places.values()]) this.memory.release(at)
  }
}

async function onGpu(gpu: Gpu, program: Program): Promise<number> {
  const copies = new Copies(gpu.memory)
  try {
    const made = await GpuProgram.create(gpu, program.graph, copies, copies.flag)
    try {
      await made.compile()
      fill(program)
      program.graph.parameters.forEach((_, i) => made.writeParameter(i, program.parameter(i).slice()))
      await timed(gpu, made, 1)
      return Math.min(await timed(gpu, made, RUNS), await timed(gpu, made, RUNS))
    } finally {
      made.dispose()
    }
  } finally {
    copies.release()
  }
}

/** The milliseconds of one of so many runs. */
async function timed({ device }: Gpu, program: GpuProgram, runs: number): Promise<number> {
  const start = clock()
  program.submit(runs)
  await device.queue.onSubmittedWorkDone()
  return (clock() - start) / runs
}

/** Measures a program on both. */
export async function measure(program: Program, gpu: Gpu): Promise<Measured> {
  return { wasm: onCpu(program), gpu: await onGpu(gpu, program) }
}
