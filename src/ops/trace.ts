// Runs a function on symbols and records its ops as a Graph. One trace is active at a time. Ops inside it are
// recorded; ops outside any trace run immediately.

import { ArgumentError, NonFiniteError, StateError } from '../core/errors'
import { GraphBuilder } from '../engine/transforms/builder'
import { gradients, pullBackAll } from '../engine/transforms/differentiate'
import { flushVanished } from '../engine/plan/flush'
import type { Cell, Graph, Node, Value } from '../engine/ir/graph'
import type { PrimitiveAttributes, PrimitiveName } from '../engine/ir/attributes'
import { dtypes, type DType } from '../core/dtypes'
import type { TensorType } from '../core/shapes'
import { attributesKey } from '../engine/plan/simplify'
import type { Program } from '../engine/runtime/program'
import { compile, type Runtime } from '../engine/runtime/runtime'
import { currentRuntime } from '../engine/runtime/current'
import { Packs, type Pack } from './packed'
import { Tensor, copyElements, type TensorSymbol } from './tensor'

/** A variable, with the properties that a trace uses. */
export interface TracedCell extends Cell {
  readonly runtime: Runtime
}

/** A value of a graph that is being recorded. */
class TracedValue implements TensorSymbol {
  constructor(
    readonly trace: Trace,
    readonly value: Value,
  ) {}

  get whyNoData(): string {
    return 'has no data while its function is traced. Compute with ops instead of reading numbers.'
  }
}

function isNamed<Name extends PrimitiveName>(node: Node, name: Name): node is Node<Name> {
  return node.name === name
}

/** The recording of one function. */
export class Trace {
  protected readonly builder = new GraphBuilder()
  private readonly constants = new Map<Tensor, Value>()
  private readonly cells = new Set<TracedCell>()
  private readonly packs = new Packs<TracedCell>(this.builder)

  /** The value of a tensor in this trace. Tensors with data become constants. */
  valueOf(tensor: Tensor): Value {
    const symbol = Tensor.symbolOf(tensor)
    if (symbol !== null) {
      if (!(symbol instanceof TracedValue))
        throw new StateError(`A ${tensor.dtype} tensor of shape [${tensor.shape.join(', ')}] ${symbol.whyNoData}`)
      return symbol.trace === this ? symbol.value : this.foreign(tensor)
    }
    let value = this.constants.get(tensor)
    if (value === undefined) {
      const { data, shape, dtype } = tensor
      value = this.builder.emitOne('constant', [], { data, shape, dtype })
      this.constants.set(tensor, value)
    }
    return value
  }

  private readonly toValue = (tensor: Tensor): Value => this.valueOf(tensor)
  private readonly toTensor = (value: Value): Tensor => this.wrap(value)

  /** A number as a symbol. */
  literal(x: number, dtype: DType): Tensor {
    return this.wrap(this.builder.e.scalar(x, dtype))
  }

  /** The value of another trace's symbol in this trace. Only the trace of a loop's body has one: see region.ts. */
  protected foreign(_tensor: Tensor): Value {
    throw new StateError(
      'A tensor from inside a traced function was used outside of it. Return it from the function, or assign it to a Variable.',
    )
  }

  /** The scope of new nodes. */
  get scope(): string {
    return this.builder.scope
  }

  wrap(value: Value): Tensor {
    return new Tensor(new TracedValue(this, value), value.shape, value.dtype)
  }

  apply<Name extends PrimitiveName>(
    name: Name,
    inputs: readonly Tensor[],
    attributes: PrimitiveAttributes[Name],
  ): Tensor[] {
    const values = inputs.map(this.toValue)
    return this.builder.emit(name, values, attributes).map(this.toTensor)
  }

  /** The operands and attributes of the op that computed `tensor`, if that op is `name`; otherwise null. */
  producerOf<Name extends PrimitiveName>(tensor: Tensor, name: Name): Producer<Name> | null {
    const { node } = this.valueOf(tensor)
    if (node === null || !isNamed(node, name)) return null
    return { inputs: node.inputs.map(this.toTensor), attributes: node.attributes }
  }

  read(variable: TracedCell): Tensor {
    this.cells.add(variable)
    return this.wrap(this.packs.read(variable) ?? this.builder.read(variable))
  }

  update(variable: TracedCell, value: Tensor): void {
    this.cells.add(variable)
    if (!this.packs.assign(variable, this.valueOf(value))) this.builder.update(variable, this.valueOf(value))
  }

  /** The new contents of float32 variables so far. */
  updatedFloats(): Tensor[] {
    return this.builder
      .updated()
      .filter(({ dtype }) => dtype === 'float32')
      .map(this.toTensor)
  }

  /** The pack in which a variable was updated; null if it was not updated, or was updated alone. */
  packOf(variable: TracedCell): Pack<TracedCell> | null {
    return this.packs.packOf(variable)
  }

  /** The contents of a pack as one tensor. */
  readPack(pack: Pack<TracedCell>): Tensor {
    this.cells.add(pack.whole)
    return this.wrap(this.packs.readAll(pack))
  }

  updatePack(pack: Pack<TracedCell>, value: Tensor): void {
    this.cells.add(pack.whole)
    this.packs.assignAll(pack, this.valueOf(value))
  }

  parameter(type: TensorType): Tensor {
    return this.wrap(this.builder.parameter(type))
  }

  /** ∂y/∂x for a scalar y and each x of `wrt`. */
  gradients(y: Tensor, wrt: readonly Tensor[]): Tensor[] {
    if (y.dtype !== 'float32' || y.size !== 1) {
      throw new ArgumentError(`The gradient needs a scalar float32 result, received ${y.dtype} [${y.shape.join(', ')}]`)
    }
    const value = this.valueOf(y)
    const values = wrt.map((x) => this.valueOf(x))
    const one = this.builder.e.broadcastTo(this.builder.e.scalar(1), value.shape)
    return gradients(this.builder, value, values, one).map((gradient) => this.wrap(gradient))
  }

  /** Σ cotangent · ∂y/∂x over all ys, for each x of `wrt`. */
  pullBack(ys: readonly Tensor[], wrt: readonly Tensor[], cotangents: readonly Tensor[]): Tensor[] {
    const [results, inputs, received] = [ys.map(this.toValue), wrt.map(this.toValue), cotangents.map(this.toValue)]
    return pullBackAll(this.builder, results, inputs, received).map((gradient) => this.wrap(gradient))
  }

  /** A new symbol with the same value. Gradients with respect to it include only the uses of this symbol, not those of `tensor`. */
  alias(tensor: Tensor): Tensor {
    return this.wrap(this.builder.emitOne('reshape', [this.valueOf(tensor)], { shape: tensor.shape }))
  }

  /** Copies a graph without variables into this one, with `args` as its parameters. Returns its outputs. */
  inline({ parameters, nodes, outputs }: Graph, args: readonly Tensor[]): Tensor[] {
    const values = new Map(parameters.map((parameter, i) => [parameter, this.valueOf(args[i]!)]))
    for (const node of nodes) {
      const copies = this.scoped(node.scope, () =>
        this.builder.copy(
          node,
          node.inputs.map((input) => values.get(input)!),
        ),
      )
      node.outputs.forEach((output, i) => values.set(output, copies[i]!))
    }
    return outputs.map((output) => this.wrap(values.get(output)!))
  }

  /** The number of nodes recorded so far. */
  get length(): number {
    return this.builder.emitted().length
  }

  /** Adds `scope` to the scope of the nodes that `body` emits. */
  scoped<Result>(scope: string, body: () => Result): Result {
    const outer = this.builder.scope
    this.builder.scope = outer === '' ? scope : `${outer}/${scope}`
    try {
      return body()
    } finally {
      this.builder.scope = outer
    }
  }

  finish(outputs: readonly Tensor[]): Graph {
    this.packs.settle()
    return this.builder.finish(outputs.map((output) => this.valueOf(output)))
  }

  /** The runtime of the variables that were used; the current runtime if there are none. */
  runtime(): Runtime {
    const runtimes = new Set([...this.cells].map((variable) => variable.runtime))
    if (runtimes.size > 1) {
      throw new StateError('Variables created before and after configure() cannot be used together')
    }
    return [...runtimes][0] ?? currentRuntime()
  }
}

/** The active trace. It is a variable of the module, because every op reads it and users' calls do not pass it. */
let active: Trace | null = null

export function currentTrace(): Trace | null {
  return active
}

/** Whether an op may read the numbers of a tensor: the tensor has data, and no function is traced. Shapes in a traced function must not depend on data. */
export function isData(x: Tensor): boolean {
  return active === null && Tensor.symbolOf(x) === null
}

/** The operands and attributes of a traced `tensor = name(…)`, or null. */
export function producerOf<Name extends PrimitiveName>(tensor: Tensor, name: Name): Producer<Name> | null {
  return active === null ? null : active.producerOf(tensor, name)
}

/**
 * The operand x of a traced `tensor = name(x)`, or null. Losses use it to compute from logits, which is stable
 * where probabilities saturate.
 */
export function operandOf(tensor: Tensor, name: PrimitiveName): Tensor | null {
  return producerOf(tensor, name)?.inputs[0] ?? null
}

/** Adds a scope to the nodes that `body` emits while traced; the tape's disassembly prints it. */
export function withScope<Result>(scope: string, body: () => Result): Result {
  return active === null ? body() : active.scoped(scope, body)
}

/** How a traced tensor was computed. */
export interface Producer<Name extends PrimitiveName> {
  readonly inputs: readonly Tensor[]
  readonly attributes: PrimitiveAttributes[Name]
}

/** A traced function: its graph and the runtime of its variables. */
export interface Traced {
  readonly graph: Graph
  readonly runtime: Runtime
}

/** Records the ops that `body` calls on symbols of these types. */
export function trace(types: readonly TensorType[], body: (parameters: Tensor[]) => readonly Tensor[]): Traced {
  if (active !== null) throw new StateError('A model cannot run while a function is traced. Call model.apply(x) in it.')
  const inner = new Trace()
  active = inner
  try {
    const outputs = body(types.map((type) => inner.parameter(type)))
    return { graph: inner.finish(outputs), runtime: inner.runtime() }
  } finally {
    active = null
  }
}

/** Records `body` in a separate trace inside the active one. */
export function tracedBy<Result>(inner: Trace, body: () => Result): Result {
  const outer = active
  active = inner
  try {
    return body()
  } finally {
    active = outer
  }
}

/** Runs `body` outside the active trace, so its ops run immediately. */
export function untraced<Result>(body: () => Result): Result {
  const outer = active
  active = null
  try {
    return body()
  } finally {
    active = outer
  }
}

/**
 * Compiles a traced function.
 * @param isStep whether numbers that have vanished count as 0, as in steps of models. Default: whether the function updates variables
 */
export function compileTraced({ graph, runtime }: Traced, isStep = graph.updates.length > 0): Program {
  if (graph.parameters.some(({ dtype }) => dtype === 'string'))
    throw new ArgumentError('A compiled function does not accept strings. Pass them to an input of a model.')
  return compile(runtime, isStep ? flushVanished(graph) : graph)
}

/**
 * Writes the parameters, runs, and copies the outputs out.
 * @throws NonFiniteError when a guard ended the run
 */
export function runProgram(program: Program, parameters: readonly Tensor[]): Tensor[] {
  parameters.forEach((parameter, i) => copyElements(parameter, program.parameter(i)))
  if (!program.run()) throw nonFiniteIn(program)
  return program.graph.outputs.map((_, i) => outputOf(program, i))
}

/** The error of a function whose guard ended it. The parameters must be written. */
export function nonFiniteIn(program: Program): NonFiniteError {
  const instruction = program.findNonFinite() ?? 'a learning rate that is too large for float32'
  return new NonFiniteError(
    `A compiled function produced a value that is not finite: ${instruction}. Nothing was updated.`,
    1,
    instruction,
  )
}

/** A copy of an output of the last run. */
export function outputOf(program: Pick<Program, 'graph' | 'output'>, i: number): Tensor {
  const { shape, dtype } = program.graph.outputs[i]!
  return new Tensor(new dtypes[dtype].array(program.output(i)), shape, dtype)
}

const LARGEST_CACHE = 512
const eager = new WeakMap<Runtime, Map<string, Program>>()

/** Runs ops on data immediately, as a compiled program that is cached. @param name describes them, with their attributes */
function evaluate(name: string, inputs: readonly Tensor[], body: (symbols: Tensor[]) => readonly Tensor[]): Tensor[] {
  const runtime = currentRuntime()
  let cache = eager.get(runtime)
  if (cache === undefined) {
    cache = new Map()
    eager.set(runtime, cache)
  }
  const types = inputs.map(({ shape, dtype }) => `${dtype}[${shape.join()}]`)
  const key = `${types.join(' ')} ${name}`
  let program = cache.get(key)
  if (program === undefined) {
    program = compileTraced(trace(inputs, body))
    if (cache.size >= LARGEST_CACHE) dropOldest(cache)
    cache.set(key, program)
  }
  return runProgram(program, inputs)
}

function dropOldest(cache: Map<string, Program>): void {
  for (const [key, program] of cache) {
    program.dispose()
    cache.delete(key)
    return
  }
}

/** The end of the error message for a string operand. */
export const STRINGS =
  'cannot compute with strings. Convert them to numbers with StringLookup, TextVectorization or Hashing.'

/** Records a primitive in the active trace, or runs it immediately if there is none. */
export function apply<Name extends PrimitiveName>(
  name: Name,
  inputs: readonly Tensor[],
  attributes: PrimitiveAttributes[Name],
): Tensor[] {
  for (let i = 0; i < inputs.length; i++)
    if (inputs[i]!.dtype === 'string') throw new ArgumentError(`${name}: ${STRINGS}`)
  if (active !== null) return active.apply(name, inputs, attributes)
  return evaluate(`${name} ${attributesKey(attributes)}`, inputs, (symbols) => active!.apply(name, symbols, attributes))
}

/**
 * The results of several ops. Outside a trace they run as one program, so that large tensors are not copied between
 * linear memory and JavaScript for each of them; inside a trace they become part of it.
 * @param name describes the ops and everything that they depend on besides `inputs`: it is the key of the program
 */
export function together(
  name: string,
  inputs: readonly Tensor[],
  body: (inputs: readonly Tensor[]) => readonly Tensor[],
): readonly Tensor[] {
  const areData = active === null && inputs.every((each) => each.dtype !== 'string' && isData(each))
  return areData ? evaluate(name, inputs, body) : body(inputs)
}

/** `together`, for one result. */
export function joined(name: string, inputs: readonly Tensor[], body: (inputs: readonly Tensor[]) => Tensor): Tensor {
  return together(name, inputs, (symbols) => [body(symbols)])[0]!
}
