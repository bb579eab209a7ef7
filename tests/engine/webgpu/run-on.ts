// Runs a graph without cells on a device.

import { dtypes, type NumericArray } from '../../../src/core/dtypes'
import type { Graph } from '../../../src/engine/ir/graph'
import type { Gpu } from '../../../src/engine/webgpu/device'
import { loadKernels } from '../../../src/engine/webgpu/kernels/routines'
import { GpuProgram, type Homes } from '../../../src/engine/webgpu/program'
import type { TensorContent } from '../../helpers/data'

interface Run {
  readonly outputs: readonly NumericArray[]
  /** Whether a guard ended it. */
  readonly isEnded: boolean
}

export async function runOn(gpu: Gpu, graph: Graph, contents: readonly TensorContent[]): Promise<Run> {
  await loadKernels(graph)
  const flag = gpu.memory.allocate(4)
  gpu.memory.write(flag, Int32Array.of(0))
  const program = await GpuProgram.create(gpu, graph, NO_CELLS, flag)
  try {
    await program.compile()
    contents.forEach(({ data, dtype }, i) => program.writeParameter(i, new dtypes[dtype].array(data)))
    program.submit()
    const outputs = await program.readOutputs()
    const [found] = new Int32Array(await gpu.memory.read([{ at: flag, bytes: 4 }]))
    return { outputs, isEnded: found !== 0 }
  } finally {
    program.dispose()
    gpu.memory.release(flag)
  }
}

function noCells(): never {
  throw new Error('a graph without cells was expected')
}

const NO_CELLS: Homes = { missing: noCells, home: noCells }
