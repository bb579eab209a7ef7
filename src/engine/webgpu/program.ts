// A graph on the GPU: its dispatches with addresses in the device's memory, recorded into command buffers without new objects.

import { internalError } from '../../core/errors'
import { dtypes, type NumericArray } from '../../core/dtypes'
import { sizeOf } from '../../core/shapes'
import type { Cell, CellStorage, Graph } from '../ir/graph'
import type { Address } from '../ir/operand'
import { placed, streamAt, type MemoryPlan, type Turns } from '../plan/memory'
import type { Gpu } from './device'
import { bitsOf } from './dispatch'
import { planGpu, type GpuPlan } from './lower'
import { forEachDispatch, type LabelledDispatch, type Step } from './steps'
import { Records, type Record } from './records'

/** The place of the flag that a guard sets. */
const FLAG: Address = { buffer: { id: -1, byteLength: 4 }, offset: 0 }

/** Writes the parameters of a program before each of its runs. */
export interface Loader {
  /** Records the dispatch for a run of a submit. */
  record(pass: GPUComputePassEncoder, run: number): void
}

/** Where the storages of cells are on the device. */
export interface Homes {
  /** The bytes that a storage needs there; 0 if it has them. */
  missing(storage: CellStorage): number
  home(storage: CellStorage): number
}

const storageOf = ({ storage }: Cell): CellStorage => storage

/** The words of the record of each dispatch of a run. */
function wordCounts({ steps }: GpuPlan): number[] {
  const counts: number[] = []
  forEachDispatch(steps, ({ words }) => void counts.push(words.length))
  return counts
}

export class GpuProgram {
  private readonly steps: readonly Step[]
  private readonly constants: number
  private readonly workspace: number
  private readonly parameterPlaces: readonly Address[]
  private readonly outputPlaces: readonly Address[]
  private readonly pipelines = new Map<LabelledDispatch, GPUComputePipeline>()

  /**
   * @param flag the address of the flag that a guard sets
   * @throws ArgumentError if the device does not have the memory
   */
  static async create(gpu: Gpu, graph: Graph, homes: Homes, flag: number): Promise<GpuProgram> {
    const plan = planGpu(graph, FLAG)
    const records = await Records.create(gpu, wordCounts(plan))
    const storages = new Set([...graph.cells.keys(), ...graph.updates.map(({ cell }) => cell)].map(storageOf))
    const sizes = [plan.memory.constantBytes, plan.workspaceBytes, ...[...storages].map((each) => homes.missing(each))]
    try {
      return await gpu.memory.withRoom(sizes, () => new GpuProgram(gpu, graph, plan, records, homes, flag))
    } catch (error) {
      records.dispose()
      throw error
    }
  }

  private constructor(
    private readonly gpu: Gpu,
    readonly graph: Graph,
    { steps, memory, workspaceBytes, parameters, outputs }: GpuPlan,
    private readonly records: Records,
    private readonly homes: Homes,
    private readonly flag: number,
  ) {
    this.steps = steps
    this.parameterPlaces = parameters
    this.outputPlaces = outputs
    this.constants = gpu.memory.allocate(memory.constantBytes)
    this.workspace = gpu.memory.allocate(workspaceBytes)
    this.writeConstants(memory)
    this.writeRecords()
  }

  private writeConstants({ constants }: MemoryPlan): void {
    for (const { offset, data } of constants) this.gpu.memory.write(this.constants + offset, data)
  }

  /** A record for each dispatch of a run, in the order of the dispatches. */
  private writeRecords(): void {
    const records: Record[] = []
    forEachDispatch(this.steps, ({ words, label }, turns) => {
      records.push({ bits: bitsOf(words, (address) => this.resolve(address, turns)), label })
    })
    this.records.write(records)
  }

  private resolve({ buffer, offset }: Address, turns: Turns = new Map()): number {
    if (buffer === FLAG.buffer) return this.flag + offset
    const { home } = placed(buffer)
    switch (home.kind) {
      case 'workspace':
        return this.workspace + home.offset + offset
      case 'constants':
        return this.constants + home.offset + offset
      case 'cell':
        return this.homes.home(home.cell.storage) + home.cell.byteOffset + offset
      case 'inside':
        return this.resolve(home.at, turns) + offset
      case 'moving':
        return this.resolve(streamAt(home.stream, turns), turns) + offset
      default:
        throw internalError(`no address for ${home.kind} on the GPU`)
    }
  }

  /** Compiles all kernels. */
  async compile(): Promise<void> {
    await this.compileAll(this.steps)
  }

  private async compileAll(steps: readonly Step[]): Promise<void> {
    await Promise.all(
      steps.map(async (step) => {
        if ('loop' in step) return this.compileAll(step.body)
        this.pipelines.set(step, await this.gpu.pipeline(step.code))
      }),
    )
  }

  /** Runs it so many times. */
  submit(times = 1): void {
    const { device } = this.gpu
    const encoder = device.createCommandEncoder()
    this.record(encoder, times, null)
    device.queue.submit([encoder.finish()])
  }

  /** Records so many runs. @param loader writes the parameters of each */
  record(encoder: GPUCommandEncoder, times: number, loader: Loader | null): void {
    const pass = encoder.beginComputePass()
    for (let i = 0; i < times; i++) {
      loader?.record(pass, i)
      this.encode(pass)
    }
    pass.end()
  }

  private encode(pass: GPUComputePassEncoder): void {
    let record = 0
    let current: GPUComputePipeline | null = null
    forEachDispatch(this.steps, (dispatch) => {
      const pipeline = this.pipelines.get(dispatch)!
      if (pipeline !== current) pass.setPipeline(pipeline)
      current = pipeline
      this.records.bind(pass, record++)
      pass.dispatchWorkgroups(...dispatch.grid)
    })
  }

  /** Where parameter i is on the device. */
  readonly parameterAddress = (index: number): number => this.resolve(this.parameterPlaces[index]!)

  writeParameter(index: number, data: NumericArray): void {
    this.gpu.memory.write(this.parameterAddress(index), data)
  }

  /** The outputs of the last run, as copies. */
  async readOutputs(): Promise<NumericArray[]> {
    const ranges = this.graph.outputs.map((output, i) => ({
      at: this.resolve(this.outputPlaces[i]!),
      bytes: dtypes[output.dtype].bytes * sizeOf(output.shape),
    }))
    const bytes = await this.gpu.memory.read(ranges)
    let from = 0
    return this.graph.outputs.map(({ dtype, shape }, i) => {
      const start = from
      from += ranges[i]!.bytes
      const size = sizeOf(shape)
      return dtype === 'float32' ? new Float32Array(bytes, start, size) : new Int32Array(bytes, start, size)
    })
  }

  dispose(): void {
    for (const at of [this.constants, this.workspace]) this.gpu.memory.release(at)
    this.records.dispose()
  }
}
