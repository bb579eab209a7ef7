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

/** A loop while it is written. Its operands are carries, then slices, then values that every iteration reads. */
interface Loop {
  readonly call: Call<'loop'>
  /** The graph of an iteration in each trace. */
  readonly graphs: readonly Graph[]
  /** The results that are read, the carries among them. */
  readonly wanted: readonly number[]
  readonly carries: readonly Item[]
  readonly slices: readonly Item[]
  /** The carries and slices of an iteration. */
  readonly inputs: readonly ItemType[]
  /** The wanted results of an iteration. */
  readonly outputs: readonly ItemType[]
}

export const loop: Row<'loop'> = (call) => {
  const { writer, attributes, node } = call
  const { carries, scanned, runs } = attributes
  const graphs = call.nodes.map((each) => graphOf(each.attributes))
  const body = graphs[0]!
  const all = [...body.outputs.keys()]
  const wanted = all.filter((i) => i < carries || call.around.isRead(node.outputs[i]!))
  const found = recurrent(call, body, nodesFor(body, wanted))
  if (found !== null) return found
  const [inputs, outputs] = [typesOf(graphs, 'parameters'), typesOf(graphs, 'outputs')]
  const ends = carries + scanned
  body.parameters.slice(ends).forEach((value, i) => writer.items.set(value, call.input(ends + i)))
  if (runs === 'while' && wanted.length > carries)
    throw new Refusal('the results of all iterations of a loop with a condition')
  const parts: Loop = {
    call,
    graphs,
    wanted,
    carries: call.inputs.slice(0, carries),
    slices: call.inputs.slice(carries, ends),
    inputs: inputs.slice(0, ends),
    outputs: wanted.map((i) => outputs[i]!),
  }
  const names = scanned > 0 && runs !== 'while' ? scan(parts) : counted(parts)
  const items = new Map(wanted.map((i, at) => [i, writer.item(names[at]!, call.output(i))]))
  // A result that nothing reads has no name.
  return all.map((i) => items.get(i) ?? writer.item('', call.output(i)))
}

/** Writes the nodes of one iteration. @param operands its carries and slices. @returns the names of its results */
function iteration({ call, graphs, wanted, outputs }: Loop, operands: readonly Item[]): string[] {
  const { writer, attributes } = call
  const body = graphs[0]!
  operands.forEach((item, i) => writer.items.set(body.parameters[i]!, item))
  call.around.run(graphs, wanted)
  const names = wanted.map((i) => writer.name(writer.items.get(body.outputs[i]!)!))
  if (attributes.runs !== 'where') return names
  // Where the condition is false, carries stay, and other results are 0.
  const condition = writer.name(operands[attributes.carries]!)
  return names.map((name, at) => {
    const isCarry = wanted[at]! < attributes.carries
    const other = isCarry ? writer.name(operands[at]!) : writer.number(0, elementTypes[outputs[at]!.dtype])
    return writer.node('Where', [condition, name, other])
  })
}

/** A loop over slices. */
function scan(parts: Loop): string[] {
  const { call, wanted, carries, slices, inputs, outputs } = parts
  const { writer, attributes } = call
  const direction = Number(attributes.reverse)
  const operands = [...carries, ...slices].map((each) => writer.name(each))
  return writer.scope.all('Scan', operands, wanted.length, {
    body: inner(writer, inputs, outputs, (items) => iteration(parts, items)),
    num_scan_inputs: slices.length,
    scan_input_directions: slices.map(() => direction),
    scan_output_directions: wanted.slice(carries.length).map(() => direction),
  })
}

const COUNTER: ItemType = { dtype: 'int32', shape: [] }
const FLAG: ItemType = { dtype: 'bool', shape: [] }

/** A loop that counts its iterations, or ends by its first carry. */
function counted(parts: Loop): string[] {
  const { call, wanted, carries, slices, inputs, outputs } = parts
  const { writer, attributes } = call
  const firsts = carries.map((each) => writer.name(each))
  const lengths = call.numbers(({ length }) => [length])[0]!
  if (attributes.reverse && (slices.length > 0 || wanted.length > carries.length))
    throw new Refusal('a loop in reverse without slices')
  const isWhile = attributes.runs === 'while'
  const graph = inner(
    writer,
    [COUNTER, FLAG, ...inputs.slice(0, carries.length)],
    [FLAG, ...outputs],
    ([counter, , ...state], scope) => {
      const index = writer.name(counter!)
      const here = slices.map((each, i) => {
        const name = scope.node('Gather', [writer.name(each), index], { axis: 0 })
        return writer.item(name, inputs[carries.length + i]!)
      })
      const names = iteration(parts, [...state, ...here])
      return [isWhile ? names[0]! : writer.number(1, 'bool'), ...names]
    },
  )
  const [counter, ...others] = graph.inputs
  const body = { ...graph, inputs: [valueInfo(counter!.name, 'int64', []), ...others] }
  const limit = lengths[0] === UNLIMITED ? '' : writer.node('Squeeze', [writer.extent(lengths), writer.integers([0])])
  return writer.scope.all('Loop', [limit, isWhile ? firsts[0]! : '', ...firsts], wanted.length, { body })
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
    const [y, x, factor] = parameters.map((each) => writer.name(each))
    const product = writer.node('Mul', [y!, isProduct ? x! : factor!])
    const next = isProduct ? product : writer.node('Add', [product, x!])
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
