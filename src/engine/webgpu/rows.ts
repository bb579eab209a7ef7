// Rows of samples on the device. Before each step, one dispatch copies those of its batch to the parameters, so that many steps
// need neither the CPU nor data from it.

import { dtypes } from '../../core/dtypes'
import { ArgumentError, internalError } from '../../core/errors'
import { sizeOf } from '../../core/shapes'
import type { Rows } from '../runtime/rows'
import type { Gpu } from './device'
import { bitsOf, Emitter, type Dispatch, type Piece, type RecordFields } from './dispatch'
import { dispatchOf } from './module'
import type { GpuProgram, Loader } from './program'
import { Records } from './records'
import { MOST_STEPS, type QueueState } from './step-queue'

/** Rows may take this part of the largest buffer. */
const MOST_OF_MEMORY = 1 / 4
/** A record has room for so many. */
const MOST_PARAMETERS = 24

export class DeviceRows {
  private readonly content: readonly number[]
  private readonly drawn: number
  private readonly loaders = new Map<GpuProgram, Promise<RowLoader>>()

  /** @returns null if there is not enough memory, or if there are too many parameters */
  static async of(gpu: Gpu, rows: readonly Rows[], size: number, state: QueueState): Promise<DeviceRows | null> {
    const sizes = [dtypes.int32.bytes * size, ...rows.map(({ data }) => data.byteLength)]
    const bytes = sizes.reduce((sum, each) => sum + each)
    if (bytes > MOST_OF_MEMORY * gpu.memory.mostBytes || rows.length > MOST_PARAMETERS) return null
    try {
      return await gpu.memory.withRoom(sizes, () => new DeviceRows(gpu, rows, size, state))
    } catch (error) {
      // Without room for them, each step gets its rows from the CPU.
      if (gpu.loss === null && error instanceof ArgumentError) return null
      throw error
    }
  }

  private constructor(
    private readonly gpu: Gpu,
    private readonly rows: readonly Rows[],
    size: number,
    private readonly state: QueueState,
  ) {
    const { memory } = gpu
    this.drawn = memory.allocate(dtypes.int32.bytes * size)
    this.content = rows.map(({ data }) => memory.allocate(data.byteLength))
    this.content.forEach((at, i) => memory.write(at, rows[i]!.data))
    this.order(Int32Array.from({ length: size }, (_, i) => i))
  }

  order(order: Int32Array): void {
    this.gpu.memory.write(this.drawn, order)
  }

  /** Sets the position in the order at which the next submit begins. */
  start(position: number): void {
    this.gpu.memory.write(this.state.position, Int32Array.of(position))
  }

  /** What copies batches of `count` rows to the parameters of a program, compiled at first use. */
  loaderOf(program: GpuProgram, count: number): Promise<RowLoader> {
    let loader = this.loaders.get(program)
    if (loader === undefined) this.loaders.set(program, (loader = this.makeLoader(program, count)))
    return loader
  }

  private async makeLoader(program: GpuProgram, count: number): Promise<RowLoader> {
    const steps = Array.from({ length: MOST_STEPS }, (_, step) => this.dispatch(program, count, step))
    // They differ only in their records.
    const { code, grid } = steps[0]!
    const records = steps.map(({ words }) => ({ bits: bitsOf(words, noAddress), label: 'rows' }))
    const made = await Records.create(
      this.gpu,
      records.map(({ bits }) => bits.length),
    )
    made.write(records)
    return new RowLoader(await this.gpu.pipeline(code), grid, made)
  }

  /** Also counts the steps that begin before a guard ends one. */
  private dispatch({ graph, parameterAddress }: GpuProgram, count: number, step: number): Dispatch {
    const { state, drawn, content, rows } = this
    const parts = graph.parameters.map(({ shape }, i) => ({
      total: sizeOf(shape),
      width: rows[i]!.width,
      source: content[i]! / 4,
      to: parameterAddress(i) / 4,
    }))
    const fields: RecordFields = {
      flag: state.flag / 4,
      begun: state.begun / 4,
      position: state.position / 4,
      order: drawn / 4,
      step: step * count,
      ...Object.fromEntries(
        parts.flatMap((part, i) => Object.entries(part).map(([name, value]) => [`${name}${i}`, value])),
      ),
    }
    const copies = parts.map(
      (_, i) => `if (i < p.total${i}) {
memory[p.to${i} + i] = memory[p.source${i} + memory[p.order + first + i / p.width${i}] * p.width${i} + i % p.width${i}];
return;
}
i -= p.total${i};`,
    )
    const pieces: Piece[] = []
    const emitter = new Emitter(null, (piece) => void pieces.push(piece))
    emitter.over(
      parts.reduce((sum, { total }) => sum + total, 1),
      {
        fields,
        body: `if (index == 0u) {
if (memory[p.flag] == 0u) { memory[p.begun] += 1u; }
return;
}
let first = memory[p.position] + p.step;
var i = index - 1u;
${copies.join('\n')}`,
      },
    )
    return dispatchOf(pieces)
  }

  release(): void {
    const { memory } = this.gpu
    for (const at of [this.drawn, ...this.content]) memory.release(at)
    for (const loader of this.loaders.values())
      loader.then(
        (made) => made.dispose(),
        () => undefined,
      )
    this.loaders.clear()
  }
}

class RowLoader implements Loader {
  constructor(
    private readonly pipeline: GPUComputePipeline,
    private readonly grid: Dispatch['grid'],
    private readonly records: Records,
  ) {}

  record(pass: GPUComputePassEncoder, step: number): void {
    pass.setPipeline(this.pipeline)
    this.records.bind(pass, step)
    pass.dispatchWorkgroups(...this.grid)
  }

  dispose(): void {
    this.records.dispose()
  }
}

function noAddress(): never {
  throw internalError('the addresses of rows are known')
}
