// Random graphs, with loops and states, as modules: the same bits as their programs, at the first run and at the second.
// modes: simd

import '../helpers/families'
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Cell, Graph } from '../../src/engine/ir/graph'
import { currentRuntime } from '../../src/engine/runtime/current'
import { makeRuntime } from '../../src/engine/runtime/configure'
import { compile } from '../../src/engine/runtime/runtime'
import type { NumericArray } from '../../src/core/dtypes'
import { sizeOf } from '../../src/core/shapes'
import { imageOf, type Place } from '../../src/standalone/image'
import { wasmOf } from '../../src/standalone/wasm/engine'
import { SLAB_ELEMENTS, drawGraph, parameters, recipes } from '../engine/plan/random-graph'

const runtime = makeRuntime(currentRuntime().settings)
const storage = runtime.createStorage(4 * SLAB_ELEMENTS)
const initialSlab = Float32Array.from({ length: SLAB_ELEMENTS }, (_, i) => ((i * 5) % 7) - 3)

/** The outputs and the cells of two runs in the library. */
function ran(graph: Graph): readonly NumericArray[] {
  const program = compile(runtime, graph)
  const slab = runtime.view('float32', storage.address, SLAB_ELEMENTS)
  slab.set(initialSlab)
  const results: NumericArray[] = []
  for (let time = 0; time < 2; time++) {
    parameters.forEach(({ data }, i) => program.parameter(i).set(data))
    program.run()
    results.push(
      ...graph.outputs.map((_, i) => program.output(i).slice()),
      runtime.view('float32', storage.address, SLAB_ELEMENTS).slice(),
    )
  }
  program.dispose()
  return results
}

/** The same of the module. */
function ranAlone(graph: Graph): readonly NumericArray[] {
  const contentOf = ({ byteOffset, shape }: Cell): Uint8Array =>
    new Uint8Array(initialSlab.slice(byteOffset / 4, byteOffset / 4 + sizeOf(shape)).buffer)
  const image = imageOf(graph, contentOf)
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(wasmOf(image, image.cells)))
  const { memory, run } = exports as unknown as { memory: WebAssembly.Memory; run: () => void }
  const view = ({ address, shape, dtype }: Place): NumericArray =>
    new (dtype === 'float32' ? Float32Array : Int32Array)(memory.buffer, address, sizeOf(shape))
  const results: NumericArray[] = []
  for (let time = 0; time < 2; time++) {
    parameters.forEach(({ data }, i) => view(image.inputs[i]!).set(data))
    run()
    const slab = initialSlab.slice()
    for (const cell of image.cells) slab.set(view(cell), cell.cell.byteOffset / 4)
    results.push(...image.outputs.map((place) => view(place).slice()), slab)
  }
  return results
}

it('200 random graphs', () => {
  let loops = 0
  fc.assert(
    fc.property(recipes, (recipe) => {
      const graph = drawGraph(recipe, storage)
      // Guards end steps of training alone.
      fc.pre(graph.nodes.every(({ name }) => name !== 'guard'))
      if (graph.nodes.some(({ name }) => name === 'loop')) loops++
      expect(ranAlone(graph)).toEqual(ran(graph))
    }),
    { numRuns: 200 },
  )
  expect(loops).toBeGreaterThan(5)
})
