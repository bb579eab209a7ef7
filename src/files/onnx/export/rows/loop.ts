// Loops: over slices they are a Scan, others a Loop.

import { Body, UNLIMITED } from '../../../../engine/ir/region'
import type { Graph } from '../../../../engine/ir/graph'
import type { LoopAttributes } from '../../../../engine/ir/attributes'
import type { Call, Row } from '../call'
import { acrossTraces, isFixed } from '../extents'
import { elementTypes, type Item, type ItemType } from '../items'
import { valueInfo, type Scope } from '../scope'
import { Refusal, type Writer } from '../writer'
import { nodesFor } from '../patterns'
import { recurrent } from './recurrent'

/** A graph inside, of values with the axes of the graph. @param write its nodes. @returns the names of its results */
export function inner(
  writer: Writer,
  inputs: readonly ItemType[],
  outputs: readonly ItemType[],
  write: (parameters: readonly Item[], scope: Scope) => readonly string[],
) {
  return writer.within((scope) => {
    const info = (name: string, { dtype, shape }: ItemType) =>
      valueInfo(
        name,
        elementTypes[dtype],
        shape.map((each) => (isFixed(each) ? each[0]! : '')),
      )
    const parameters = inputs.map((type) => writer.item(scope.name('in'), type))
    const names = parameters.map((each) => writer.name(each))
    const results = write(parameters, scope).map((name) =>
      // A result must be that of a node inside, and no other result.
      scope.node('Identity', [name]),
    )
    return {
      name: scope.name('body'),
      inputs: names.map((name, i) => info(name, inputs[i]!)),
      outputs: results.map((name, i) => info(name, outputs[i]!)),
      nodes: scope.nodes,
    }
  })
}

const typesOf = (graphs: readonly Graph[], of: 'parameters' | 'outputs'): ItemType[] =>
  graphs[0]![of].map(({ dtype }, i) => ({ dtype, shape: acrossTraces(graphs.map((graph) => graph[of][i]!.shape)) }))

function graphOf({ body }: LoopAttributes): Graph {
  if (body instanceof Body) return body.graph
  throw new Refusal('a loop without a graph')
}

export const loop: Row<'loop'> = (call) => {
  const { writer, attributes, node } = call
  const { carries, scanned, reverse, runs } = attributes
  const graphs = call.nodes.map((each) => graphOf(each.attributes))
  const body = graphs[0]!
  const all = [...body.outputs.keys()]
  const wanted = all.filter((i) => i < carries || call.around.isRead(node.outputs[i]!))
  const found = recurrent(call, body, nodesFor(body, wanted))
  if (found !== null) return found
  const stacked = wanted.slice(carries)
  const [before, slices] = [call.inputs.slice(0, carries), call.inputs.slice(carries, carries + scanned)]
  body.parameters
    .slice(carries + scanned)
    .forEach((value, i) => writer.items.set(value, call.input(carries + scanned + i)))
  if (runs === 'while' && stacked.length > 0)
    throw new Refusal('the results of all iterations of a loop with a condition')
  const [inputs, outputs] = [typesOf(graphs, 'parameters').slice(0, carries + scanned), typesOf(graphs, 'outputs')]

  /** The results of one iteration. */
  const turn = (given: readonly Item[]): string[] => {
    given.forEach((item, i) => writer.items.set(body.parameters[i]!, item))
    call.around.run(graphs, wanted)
    const found = wanted.map((i) => writer.name(writer.items.get(body.outputs[i]!)!))
    if (runs !== 'where') return found
    // Otherwise carries stay, and other results are 0.
    const condition = writer.name(given[carries]!)
    return found.map((name, i) => {
      const other = i < carries ? writer.name(given[i]!) : writer.number(0, elementTypes[outputs[wanted[i]!]!.dtype])
      return writer.node('Where', [condition, name, other])
    })
  }

  const results = wanted.map((i) => outputs[i]!)
  const firsts = before.map((each) => writer.name(each))
  const names =
    scanned > 0 && runs !== 'while'
      ? writer.scope.all('Scan', [...firsts, ...slices.map((each) => writer.name(each))], wanted.length, {
          body: inner(writer, inputs, results, turn),
          num_scan_inputs: scanned,
          scan_input_directions: slices.map(() => Number(reverse)),
          scan_output_directions: stacked.map(() => Number(reverse)),
        })
      : counted()
  const items: (Item | null)[] = all.map(() => null)
  wanted.forEach((i, at) => (items[i] = writer.item(names[at]!, call.output(i))))
  return items.map((item, i) => item ?? writer.item('', call.output(i)))

  /** A loop that counts its iterations, or ends by its first carry. */
  function counted(): string[] {
    const lengths = call.numbers(({ length }) => [length])[0]!
    if (reverse && (scanned > 0 || stacked.length > 0)) throw new Refusal('a loop in reverse without slices')
    const counter: ItemType = { dtype: 'int32', shape: [] }
    const flag: ItemType = { dtype: 'bool', shape: [] }
    const graph = inner(
      writer,
      [counter, flag, ...inputs.slice(0, carries)],
      [flag, ...results],
      ([at, , ...given], scope) => {
        const index = writer.name(at!)
        const own = slices.map((each, i) => {
          const name = scope.node('Gather', [writer.name(each), index], { axis: 0 })
          return writer.item(name, inputs[carries + i]!)
        })
        const found = turn([...given, ...own])
        return [runs === 'while' ? found[0]! : writer.number(1, 'bool'), ...found]
      },
    )
    const counts = {
      ...graph,
      inputs: graph.inputs.map((each, i) => (i === 0 ? valueInfo(each.name, 'int64', []) : each)),
    }
    const limit = lengths[0] === UNLIMITED ? '' : writer.node('Squeeze', [writer.extent(lengths), writer.integers([0])])
    return writer.scope.all('Loop', [limit, runs === 'while' ? firsts[0]! : '', ...firsts], wanted.length, {
      body: counts,
    })
  }
}

/** A recurrence along an axis: y_t = f_t · y_(t−1) + x_t, or y_(t−1) · x_t. */
export function running(call: Call, axis: number, isProduct: boolean, isBackwards: boolean): Item {
  const { writer } = call
  const x = call.input()
  const order = [axis, ...[...x.shape.keys()].filter((each) => each !== axis)]
  const type: ItemType = { dtype: x.dtype, shape: order.slice(1).map((each) => x.shape[each]!) }
  const start = writer.expanded(writer.number(Number(isProduct), elementTypes[x.dtype]), [], type.shape)
  const count = call.inputs.length
  const body = inner(writer, [type, ...call.inputs.map(() => type)], [type, type], (parameters) => {
    const [y, own, factor] = parameters.map((each) => writer.name(each))
    const product = writer.node('Mul', [y!, isProduct ? own! : factor!])
    const next = isProduct ? product : writer.node('Add', [product, own!])
    return [next, next]
  })
  const directions = (length: number): number[] => new Array<number>(length).fill(Number(isBackwards))
  const [, found] = writer.scope.all('Scan', [start, ...call.inputs.map((each) => writer.name(each, order))], 2, {
    body,
    num_scan_inputs: count,
    scan_input_directions: directions(count),
    scan_output_directions: directions(1),
  })
  return call.result(found!, order)
}
