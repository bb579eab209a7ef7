// Traces the nodes of a graph in their order. A graph in an attribute may read values of the graphs that contain it.

import { FormatError, MyelinError, restate } from '../../core/errors'
import type { Tensor } from '../../ops/tensor'
import { withScope } from '../../ops/trace'
import { Call, LimitError, nameOf, type Surroundings } from './call'
import { bound, functionOf, hasOpset, operatorName, opsetOf } from './functions'
import { graphsIn } from './nodes'
import type { OnnxFile } from './onnx-file'
import type { AttributeProto, FunctionProto, GraphProto, NodeProto } from './proto'
import { constantOf } from './tensors'
import type { Vocabulary } from './strings'
import { Value } from './values'

/** What the nodes of one trace share. */
export interface Environment {
  readonly file: OnnxFile
  readonly training: boolean
  dropout(x: Tensor, rate: number): Tensor
  update(name: string, value: Tensor): void
}

/** The nodes of one trace, loops and functions included. */
const MOST_NODES = 2 ** 16
/** The elements of all constants that one trace computes: 64 MB. */
const MOST_ELEMENTS = 2 ** 23

/** Counts the work of one trace, so that a small file cannot take long or much memory. */
class Budget {
  private nodes = 0
  private elements = 0

  constructor(private readonly most: number) {}

  node(): void {
    if (++this.nodes > this.most) throw new LimitError(`more than ${this.most} nodes would run`)
  }

  /** @param values the operands, whose elements a result may share */
  results(results: readonly Value[], values: readonly (Value | null)[]): void {
    for (const { host } of results) {
      if (host === null || values.some((each) => each?.host?.data === host.data)) continue
      this.elements += host.data.length
      if (this.elements > MOST_ELEMENTS)
        throw new LimitError(`constants with more than ${MOST_ELEMENTS} elements would be computed`)
    }
  }
}

/** The values of a graph by their names. */
class Scope {
  private readonly values = new Map<string, Value>()

  constructor(private readonly outer: Scope | null) {}

  get(name: string): Value | null {
    return this.values.get(name) ?? this.outer?.get(name) ?? null
  }

  set(name: string, value: Value): void {
    this.values.set(name, value)
  }
}

/** The nodes that the outputs need; a graph may have others. */
const needed = /* @__PURE__ */ new WeakMap<GraphProto, readonly NodeProto[]>()

function namesIn(node: NodeProto): string[] {
  const inner = graphsIn(node).flatMap((graph) => [
    ...graph.nodes.flatMap(namesIn),
    ...graph.outputs.map(({ name }) => name),
  ])
  return [...node.inputs, ...inner]
}

function neededNodes(graph: GraphProto): readonly NodeProto[] {
  let found = needed.get(graph)
  if (found === undefined) {
    const names = new Set(graph.outputs.map(({ name }) => name))
    const kept: NodeProto[] = []
    for (const node of [...graph.nodes].reverse()) {
      if (!node.outputs.some((output) => names.has(output))) continue
      kept.push(node)
      for (const name of namesIn(node)) names.add(name)
    }
    found = kept.reverse()
    needed.set(graph, found)
  }
  return found
}

/** The nodes of one graph or function. */
class Frame implements Surroundings {
  constructor(
    private readonly environment: Environment,
    private readonly budget: Budget,
    private readonly scope: Scope,
    private readonly opset: number,
    /** The attributes of the node that calls a function. */
    private readonly callerAttributes: ReadonlyMap<string, AttributeProto>,
  ) {}

  get training(): boolean {
    return this.environment.training
  }

  get strings(): Vocabulary | null {
    return this.environment.file.strings
  }

  dropout(x: Tensor, rate: number): Tensor {
    return this.environment.dropout(x, rate)
  }

  update(name: string, value: Tensor): void {
    this.environment.update(name, value)
  }

  run(graph: GraphProto, inputs: readonly Value[]): readonly Value[] {
    const { environment, opset, callerAttributes } = this
    const scope = new Scope(this.scope)
    for (const each of graph.initializers)
      scope.set(each.name, Value.known(constantOf(each, `${environment.file.name}: the initializer '${each.name}'`)))
    if (inputs.length < graph.inputs.length)
      throw new FormatError(`${environment.file.name}: the graph '${graph.name}' needs ${graph.inputs.length} inputs`)
    graph.inputs.forEach(({ name }, i) => scope.set(name, inputs[i]!))
    const frame = new Frame(environment, this.budget, scope, opset, callerAttributes)
    frame.runAll(neededNodes(graph))
    return graph.outputs.map(({ name }) => frame.read(name))
  }

  read(name: string): Value {
    const found = this.scope.get(name)
    if (found === null) throw new FormatError(`${this.environment.file.name}: there is no value '${name}'`)
    return found
  }

  runAll(nodes: readonly NodeProto[]): void {
    for (const node of nodes) {
      const results = this.placing(node, () => this.resultsOf(node))
      node.outputs.forEach((name, i) => {
        if (name === '') return
        const value = results[i]
        if (value !== undefined) this.scope.set(name, value)
      })
    }
  }

  private resultsOf(node: NodeProto): readonly Value[] {
    this.budget.node()
    const values = node.inputs.map((name) => (name === '' ? null : this.read(name)))
    const attributes = bound(node.attributes, this.callerAttributes)
    const called = functionOf(node, this.environment.file.functions)
    if (called !== null) return this.call(called, values, attributes)
    const call = new Call(node, attributes, values, this.opset, this)
    const found = this.environment.file.operators.get(operatorName(node))!(call)
    const results = found instanceof Value ? [found] : found
    if (node.type !== 'Constant') this.budget.results(results, values)
    return results
  }

  private call(
    called: FunctionProto,
    values: readonly (Value | null)[],
    attributes: readonly AttributeProto[],
  ): readonly Value[] {
    const { inputs, outputs, nodes, opsets, defaults, name } = called
    const { environment } = this
    const scope = new Scope(null)
    inputs.forEach((input, i) => {
      const value = values[i] ?? null
      if (value !== null) scope.set(input, value)
    })
    const callerAttributes = new Map([...defaults, ...attributes].map((each) => [each.name, each]))
    const opset = hasOpset(called) ? opsetOf(opsets, `${environment.file.name}: the function '${name}'`) : this.opset
    const frame = new Frame(environment, this.budget, scope, opset, callerAttributes)
    frame.runAll(nodes)
    return outputs.map((output) => frame.read(output))
  }

  /** Names the node in errors. Attributes of a file can have any value, so ops and arrays may throw as well. */
  private placing<Result>(node: NodeProto, body: () => Result): Result {
    try {
      return withScope(node.name === '' ? node.type : node.name, body)
    } catch (error) {
      const where = nameOf(node)
      if (error instanceof MyelinError) {
        if (!error.message.includes('the node '))
          restate(error, `${this.environment.file.name}: ${where}: ${error.message}`)
        else if (!error.message.startsWith(this.environment.file.name))
          restate(error, `${this.environment.file.name}: ${error.message}`)
        throw error
      }
      const reason = error instanceof Error ? error.message : String(error)
      throw new FormatError(`${this.environment.file.name}: ${where} cannot be computed: ${reason}`, { cause: error })
    }
  }
}

/**
 * Traces the graph of a file.
 * @param values the inputs, the weights and the known initializers by their names
 * @returns the outputs in the order of the file
 */
export function runFile(environment: Environment, values: ReadonlyMap<string, () => Value>): readonly Value[] {
  const { graph, opset } = environment.file
  const root = new Scope(null)
  const nodes = neededNodes(graph)
  const read = new Set([...nodes.flatMap(namesIn), ...graph.outputs.map(({ name }) => name)])
  for (const [name, value] of values) if (read.has(name)) root.set(name, value())
  const frame = new Frame(environment, new Budget(Math.max(MOST_NODES, nodes.length)), root, opset, new Map())
  frame.runAll(nodes)
  return graph.outputs.map(({ name }) => frame.read(name))
}
