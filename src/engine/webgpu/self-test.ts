// Runs small graphs on a device and on the CPU, once for each device: some drivers compute wrong numbers without an error. A family of
// kernels whose results differ is not used.

import type { NumericArray } from '../../core/dtypes'
import { sizeOf, type Shape } from '../../core/shapes'
import type { Graph, Node } from '../ir/graph'
import type { PrimitiveName } from '../ir/attributes'
import { currentRuntime } from '../runtime/current'
import { compile } from '../runtime/runtime'
import { GraphBuilder } from '../transforms/builder'
import type { Gpu } from './device'
import { allNodes, type Family, type TestInput } from './family'
import { GpuProgram, type Homes } from './program'

/** Whether a node computes one of some primitives. */
const among =
  (...primitives: readonly PrimitiveName[]) =>
  ({ name }: Node): boolean =>
    primitives.includes(name)

const FAMILIES: readonly Family[] = [
  {
    name: 'elementwise functions',
    has: among('exp', 'tanh', 'log', 'sigmoid'),
    inputs: [[7, 33], [33]],
    body: (builder, [x, y]) => {
      const { e } = builder
      const [a, b] = [builder.emitOne('tanh', [x!], {}), e.exp(y!)]
      return [e.multiply(a, b), e.sigmoid(e.add(x!, y!))]
    },
  },
  {
    name: 'products',
    has: among('matmul', 'matmulStrips'),
    inputs: [
      [70, 35],
      [35, 67],
      [5, 700],
      [700, 9],
    ],
    body: ({ e }, [a, b, c, d]) => [
      e.matmul(a!, b!),
      e.matmul(c!, d!),
      e.matmul(e.transposeMatrix(b!), e.transposeMatrix(a!)),
    ],
  },
  {
    name: 'sums',
    has: among('sum', 'mean', 'max', 'min'),
    inputs: [[37, 300]],
    body: ({ e }, [x]) => [e.sum(x!, [0]), e.sum(x!, [1])],
  },
  {
    name: 'rows',
    // Normalization, attention and quantized products are routines, which combine rows by the same functions.
    has: among('softmax', 'logSoftmax', 'crossEntropy', 'classCrossEntropy', 'routine'),
    inputs: [[9, 130]],
    body: (builder, [x]) => [builder.emitOne('softmax', [x!], {}), builder.emitOne('logSoftmax', [x!], {})],
  },
  {
    name: 'convolutions',
    has: among('convolution', 'convolutionKernel', 'convolutionTurned'),
    inputs: [
      [2, 9, 11, 3],
      [3, 3, 3, 5],
    ],
    body: (builder, [x, kernel]) => {
      const attributes = { strides: [2, 1], dilation: [1, 1], before: [1, 1], after: [1, 1], groups: 1 }
      const y = builder.emitOne('convolution', [x!, kernel!], attributes)
      return [y, builder.emitOne('convolutionKernel', [x!, y], { ...attributes, kernel: [3, 3] })]
    },
  },
]

/** Relative to the largest element: far above rounding, far below what a wrong driver computes. */
const TOLERANCE = 1e-4

/** Numbers in ±1, the same on every device. */
function content(shape: Shape, seed: number): Float32Array {
  return Float32Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(12.9898 * (i + 1) + seed))
}

const inputOf = (input: Shape | TestInput, seed: number): TestInput =>
  'data' in input ? input : { shape: input, dtype: 'float32', data: content(input, seed) }

function onCpu(graph: Graph, contents: readonly NumericArray[]): NumericArray[] {
  const program = compile(currentRuntime(), graph)
  try {
    contents.forEach((each, i) => program.parameter(i).set(each))
    program.run()
    return graph.outputs.map((_, i) => program.output(i).slice())
  } finally {
    program.dispose()
  }
}

const NO_CELLS: Homes = { missing: () => 0, home: () => 0 }

async function onGpu(gpu: Gpu, graph: Graph, contents: readonly NumericArray[]): Promise<NumericArray[]> {
  const { memory } = gpu
  const flag = memory.allocate(4)
  const program = await GpuProgram.create(gpu, graph, NO_CELLS, flag)
  try {
    await program.compile()
    contents.forEach((each, i) => program.writeParameter(i, each))
    program.submit()
    return await program.readOutputs()
  } finally {
    program.dispose()
    memory.release(flag)
  }
}

function agrees(received: NumericArray, expected: NumericArray): boolean {
  const numbers = Array.from(expected)
  const largest = numbers.reduce((most, x) => Math.max(most, Math.abs(x)), 1e-3)
  return numbers.every((x, i) => Math.abs(x - received[i]!) <= TOLERANCE * largest)
}

async function isRight(gpu: Gpu, { inputs, body }: Family): Promise<boolean> {
  const builder = new GraphBuilder()
  const given = inputs.map(inputOf)
  const graph = builder.finish(
    body(
      builder,
      given.map(({ shape, dtype }) => builder.parameter({ shape, dtype })),
    ),
  )
  const contents = given.map(({ data }) => data)
  const expected = onCpu(graph, contents)
  const received = await onGpu(gpu, graph, contents)
  return received.every((each, i) => agrees(each, expected[i]!))
}

/** The families that were tested on one device. A family is tested when a program first uses it. */
export class SelfTest {
  private readonly results = new Map<Family, Promise<boolean>>()
  /** The families whose results differ from those of the CPU. */
  readonly wrong = new Set<string>()

  constructor(private readonly gpu: Gpu) {}

  /**
   * The first family of a graph that the device computes wrongly; null if all are right.
   * @param late the families of kernels that were loaded for the graph
   */
  async wrongIn(graph: Graph, late: readonly Family[]): Promise<string | null> {
    const nodes = allNodes(graph)
    for (const family of [...FAMILIES, ...late]) {
      if (!nodes.some(family.has)) continue
      let result = this.results.get(family)
      if (result === undefined) this.results.set(family, (result = isRight(this.gpu, family)))
      if (await result) continue
      this.wrong.add(family.name)
      return family.name
    }
    return null
  }
}
