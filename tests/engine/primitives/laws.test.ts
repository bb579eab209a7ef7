// What kernels declare about themselves, tried with every row of the table: a result may overwrite an operand that
// is not read later, and an activation that a kernel applies gives the bits of a separate one.
// modes: simd

import '../../helpers/families'
import { describe, expect, it } from 'vitest'
import type { Graph, Node, Value } from '../../../src/engine/ir/graph'
import type { KernelTraits } from '../../../src/engine/plan/target'
import { ruleOf } from '../../../src/engine/primitives'
import { planTape, type TapePlan } from '../../../src/engine/tape'
import { tapeTarget } from '../../../src/engine/tape/target'
import { makeRuntime } from '../../../src/engine/runtime/configure'
import { currentRuntime } from '../../../src/engine/runtime/current'
import type { TensorContent } from '../../helpers/data'
import { graphOf, runGraph } from '../../helpers/graphs'
import { casesOf, primitiveNames, type PreparedCase } from './cases'

const runtime = makeRuntime(currentRuntime().settings)
const plan = (graph: Graph): TapePlan => planTape(graph, { fuse: true })
const bitsOf = (arrays: readonly ArrayBufferView[] | null): readonly Uint8Array[] | undefined =>
  arrays?.map(({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength))

/** A graph whose operands are computed, and so may be overwritten, with the same bits as the operands of the row. */
interface Computed {
  readonly contents: readonly TensorContent[]
  readonly graph: Graph
  readonly node: Node | undefined
}

function computed({ emit, inputs, name }: PreparedCase, { keeps }: { readonly keeps: boolean }): Computed {
  const one = { data: [1], shape: [] }
  const contents = [...inputs, { ...one, dtype: 'float32' as const }, { ...one, dtype: 'int32' as const }]
  const graph = graphOf(contents, (builder, given) => {
    const [float, int] = given.slice(-2) as [Value, Value]
    const operands = given.slice(0, -2).map((x) => {
      if (x.dtype !== 'float32' && x.dtype !== 'int32') return x
      return builder.e.multiply(x, x.dtype === 'int32' ? int : float)
    })
    const results = emit(builder, operands)
    return keeps ? [...results, ...operands.filter(({ dtype }) => dtype !== 'int8')] : results
  })
  return { contents, graph, node: graph.nodes.find((each) => each.name === name) }
}

/** Chains and views have no kernels of their own. */
const traitsOf = (node: Node | undefined): KernelTraits<never> =>
  node === undefined || ruleOf(node.name).kind !== 'kernel' ? {} : tapeTarget.kernelOf(node.name)

const declared = primitiveNames.flatMap((name) =>
  casesOf(name).flatMap((opCase) => {
    const { node } = computed(opCase, { keeps: false })
    const pairs = traitsOf(node).inPlace?.(node!.attributes as never) ?? []
    return pairs.map(([to, from]) => ({ title: `${name}: result ${to} in place of operand ${from}`, opCase, to, from }))
  }),
)

describe('operands that are read once more, or never', () => {
  const rows = [...new Map(declared.map(({ opCase }) => [`${opCase.name}: ${opCase.title}`, opCase]))]
  it.each(rows)('%s', (_title, opCase) => {
    const plain = runGraph(runtime, graphOf(opCase.inputs, opCase.emit), opCase.inputs)
    const [once, again] = [false, true].map((keeps) => computed(opCase, { keeps })) as [Computed, Computed]
    const overwriting = runGraph(runtime, once.graph, once.contents)
    expect(bitsOf(overwriting)).toEqual(bitsOf(plain))
    const keeping = runGraph(runtime, again.graph, again.contents)
    expect(bitsOf(keeping?.slice(0, plain?.length) ?? null)).toEqual(bitsOf(plain))
    const kept = opCase.inputs.filter(({ dtype }) => dtype !== 'int8')
    keeping?.slice(plain?.length).forEach((operand, i) => {
      const { data, dtype } = kept[i]!
      const given = dtype === 'float32' ? Float32Array.from(data) : Int32Array.from(data)
      expect([...operand], `operand ${i}`).toEqual([...given])
    })
  })
})

describe('a declared place is used', () => {
  it.each([...new Set(declared.map(({ title }) => title))])('%s', (title) => {
    const isUsed = declared
      .filter((each) => each.title === title)
      .some(({ opCase, to, from }) => {
        const { graph, node } = computed(opCase, { keeps: false })
        const { places } = plan(graph).memory
        const at = (value: Value | undefined): unknown => value && places[value.id]?.buffer
        return at(node!.outputs[to]) !== undefined && at(node!.outputs[to]) === at(node!.inputs[from])
      })
    expect(isUsed).toBe(true)
  })
})

const withEpilogue = primitiveNames.flatMap((name) =>
  casesOf(name)
    .filter((opCase) => opCase.reader === undefined)
    .filter((opCase) => traitsOf(computed(opCase, { keeps: false }).node).fusesEpilogue === true)
    .map((opCase) => ({ title: `${name}: ${opCase.title}`, opCase })),
)

describe('an activation that a kernel applies', () => {
  it.each(withEpilogue)('$title', ({ opCase: { emit, inputs } }) => {
    for (const activation of ['relu', 'tanh', 'sigmoid'] as const) {
      const fused = graphOf(inputs, (builder, given) => [...builder.emit(activation, [emit(builder, given)[0]!], {})])
      const [kernel] = plan(fused).kernels.filter(({ nodes }) => nodes.some((node) => node.name === activation))
      expect(kernel?.nodes.length, activation).toBeGreaterThan(1)
      const result = runGraph(runtime, graphOf(inputs, emit), inputs)![0]!
      const shape = fused.outputs[0]!.shape
      const separate = [{ data: [...result], shape, dtype: 'float32' as const }]
      const alone = graphOf(separate, (builder, [x]) => [...builder.emit(activation, [x!], {})])
      expect(bitsOf(runGraph(runtime, fused, inputs)), activation).toEqual(bitsOf(runGraph(runtime, alone, separate)))
    }
  })
})
