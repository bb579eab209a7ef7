// A routine that the GPU cannot compute is reported by its own name, and docs/webgpu.md names all of them.
// modes: simd

import '../../helpers/families'
import { expect, it } from 'vitest'
import type { PrimitiveName } from '../../../src/engine/ir/attributes'
import { titleOf, type Graph } from '../../../src/engine/ir/graph'
import { ruleOf } from '../../../src/engine/primitives'
import { loadKernels } from '../../../src/engine/webgpu/kernels/routines'
import { missingIn } from '../../../src/engine/webgpu/lower'
import { hasKernel } from '../../../src/engine/webgpu/target'
import { readDocument } from '../../helpers/documented'
import { graphOf } from '../../helpers/graphs'
import { casesOf, primitiveNames } from '../primitives/cases'

/** The graphs of all cases of a primitive. */
const graphsOf = (name: PrimitiveName): Graph[] => casesOf(name).map(({ inputs, emit }) => graphOf(inputs, emit))

const routines = graphsOf('routine')
for (const graph of routines) await loadKernels(graph)

const missing = new Set(
  routines
    .flatMap(({ nodes }) => nodes)
    .filter((node) => ruleOf(node.name).kind === 'kernel' && !hasKernel(node))
    .map(titleOf),
)

it('names a missing routine', () => {
  const [cholesky] = casesOf('routine').filter(({ title }) => title.startsWith('cholesky'))
  expect(missingIn(graphOf(cholesky!.inputs, cholesky!.emit))).toBe('cholesky')
})

it('only routines have no kernel', () => {
  const others = primitiveNames.filter((name) => name !== 'routine' && name !== 'loop')
  expect(others.filter((name) => graphsOf(name).some((graph) => missingIn(graph) !== null))).toEqual([])
})

it('the page names all of them', () => {
  const listed = /There are none for (.*?):/s.exec(readDocument('docs/webgpu.md'))![1]!
  expect([...missing].toSorted()).toEqual([...listed.matchAll(/`(\w+)`/g)].map(([, name]) => name!).toSorted())
})
