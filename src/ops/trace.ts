// Runs a function on symbols and records what it does as a Graph. One trace is active at a time; inside it
// every op is recorded, outside every op is carried out at once.

import { ArgumentError, NonFiniteError, StateError } from '../core/errors'
import { GraphBuilder } from '../transforms/builder'
import { gradients, pullBackAll } from '../transforms/differentiate'
import type { Cell, Graph, Value } from '../ir/graph'
import type { PrimitiveAttributes, PrimitiveName } from '../ir/attributes'
import { dtypes } from '../core/dtypes'
import type { DType } from '../core/dtypes'
import type { TensorType } from '../core/shapes'
import { attributesKey } from '../plan/simplify'
import type { Program } from '../runtime/program'
import { compile } from '../runtime/runtime'
import type { Runtime } from '../runtime/runtime'
import { currentRuntime } from '../runtime/current'
import type { Pack } from './packed'
import { Packs } from './packed'
import type { TensorSymbol } from './tensor'
import { Tensor } from './tensor'

/** A variable, as far as a trace sees it. */
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

export class Trace {
  protected readonly builder = new GraphBuilder()
  private readonly constants = new Map<Tensor, Value>()
  private readonly cells = new Set<TracedCell>()
  private readonly packs = new Packs<TracedCell>(this.builder)

  /** The value that a tensor stands for in this trace; concrete tensors become constants. */
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

  /** What stands for a symbol of another trace. */
  protected foreign(_tensor: Tensor): Value {
    throw new StateError(
      'A tensor from inside a traced function was used outside of it. Return it from the function, or assign it to a Variable.',
    )
  }

  /** The scope that new nodes get. */
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

  /** The operand of the op that made `tensor`, when that op is `name`. */
  operandOf(tensor: Tensor, name: PrimitiveName): Tensor | null {
    const node = this.valueOf(tensor).node
    return node?.name === name ? this.wrap(node.inputs[0]!) : null
  }

  read(variable: TracedCell): Tensor {
    this.cells.add(variable)
    return this.wrap(this.packs.read(variable) ?? this.builder.read(variable))
  }

  update(variable: TracedCell, value: Tensor): void {
    this.cells.add(variable)
    if (!this.packs.assign(variable, this.valueOf(value))) this.builder.update(variable, this.valueOf(value))
  }

  /** Those that a variable was updated with, side by side; null where it was not, or alone. */
  packOf(variable: TracedCell): Pack<TracedCell> | null {
    return this.packs.packOf(variable)
  }

  /** Variables that lie side by side, as one. */
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

  /** Σ ∂y/∂x for a scalar y and each x of `wrt`. */
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
    const [results, inputs, received] = [ys, wrt, cotangents].map((list) => list.map((each) => this.valueOf(each))) as [
      Value[],
      Value[],
      Value[],
    ]
    return pullBackAll(this.builder, results, inputs, received).map((gradient) => this.wrap(gradient))
  }

  /** A symbol of its own that equals another: what is differentiated by it is not differentiated by the other. */
  alias(tensor: Tensor): Tensor {
    return this.wrap(this.builder.emitOne('reshape', [this.valueOf(tensor)], { shape: tensor.shape }))
  }

  /** What a graph without variables gives for these parameters, as a part of this one. */
  inline({ parameters, nodes, outputs }: Graph, given: readonly Tensor[]): Tensor[] {
    const values = new Map(parameters.map((parameter, i) => [parameter, this.valueOf(given[i]!)]))
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

  /** The number of nodes so far. */
  get length(): number {
    return this.builder.emitted().length
  }

  /** Names the nodes that `body` emits. */
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

  /** Where the variables that were touched live, or the current runtime when there are none. */
  runtime(): Runtime {
    const runtimes = new Set([...this.cells].map((variable) => variable.runtime))
    if (runtimes.size > 1) {
      throw new StateError('Variables that were made before and after configure() cannot be used together')
    }
    return [...runtimes][0] ?? currentRuntime()
  }
}

let active: Trace | null = null

export function currentTrace(): Trace | null {
  return active
}

/**
 * The operand x of a traced `tensor = name(x)`, or null. Losses use it to work on logits, which is stable where
 * probabilities saturate.
 */
export function operandOf(tensor: Tensor, name: PrimitiveName): Tensor | null {
  return active === null ? null : active.operandOf(tensor, name)
}

/** Names what `body` emits when it is traced; see the tape's disassembly. */
export function withScope<Result>(scope: string, body: () => Result): Result {
  return active === null ? body() : active.scoped(scope, body)
}

/** A traced function: its graph, and the runtime that its variables live in. */
export interface Traced {
  readonly graph: Graph
  readonly runtime: Runtime
}

/** Records what `body` does with symbols of the given types. */
export function trace(types: readonly TensorType[], body: (parameters: Tensor[]) => readonly Tensor[]): Traced {
  if (active !== null)
    throw new StateError('A model cannot run while another function is traced. Inside it call model.apply(x).')
  const own = new Trace()
  active = own
  try {
    const outputs = body(types.map((type) => own.parameter(type)))
    return { graph: own.finish(outputs), runtime: own.runtime() }
  } finally {
    active = null
  }
}

/** Records what `body` does in a trace of its own, inside of the active one. */
export function tracedBy<Result>(own: Trace, body: () => Result): Result {
  const outer = active
  active = own
  try {
    return body()
  } finally {
    active = outer
  }
}

/** Runs `body` outside of the active trace: what it computes is carried out at once. */
export function untraced<Result>(body: () => Result): Result {
  const outer = active
  active = null
  try {
    return body()
  } finally {
    active = outer
  }
}

/** A traced function, compiled. */
export function compileTraced({ graph, runtime }: Traced): Program {
  if (graph.parameters.some(({ dtype }) => dtype === 'string'))
    throw new ArgumentError('Strings cannot be given to a compiled function: they enter a model through its inputs')
  return compile(runtime, graph)
}

/**
 * Writes the parameters, runs, and copies the outputs out.
 * @throws NonFiniteError when a guard ended the run
 */
export function runProgram(program: Program, parameters: readonly Tensor[]): Tensor[] {
  parameters.forEach((parameter, i) => program.parameter(i).set(parameter.data))
  if (!program.run()) {
    const instruction = program.findNonFinite() ?? 'a learning rate that float32 cannot multiply with'
    throw new NonFiniteError(
      `A compiled function met a value that is not finite: ${instruction}. Nothing was updated.`,
      1,
      instruction,
    )
  }
  return program.graph.outputs.map((type, i) => {
    const content = program.output(i)
    const data = new dtypes[type.dtype].array(content)
    return new Tensor(data, type.shape, type.dtype)
  })
}

const LARGEST_CACHE = 512
const eager = new WeakMap<Runtime, Map<string, Program>>()

/** Carries out one primitive at once, through a compiled program that is kept for the next time. */
function evaluate<Name extends PrimitiveName>(
  name: Name,
  inputs: readonly Tensor[],
  attributes: PrimitiveAttributes[Name],
): Tensor[] {
  const runtime = currentRuntime()
  let cache = eager.get(runtime)
  if (cache === undefined) {
    cache = new Map()
    eager.set(runtime, cache)
  }
  const types = inputs.map(({ shape, dtype }) => `${dtype}[${shape.join()}]`)
  const key = `${name} ${types.join(' ')} ${attributesKey(attributes)}`
  let program = cache.get(key)
  if (program === undefined) {
    program = compileTraced(trace(inputs, (symbols) => active!.apply(name, symbols, attributes)))
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

/** What is said of strings where numbers are needed. */
export const STRINGS =
  'strings cannot be computed with. StringLookup, TextVectorization and Hashing make numbers of them.'

/** Records a primitive in the active trace, or carries it out at once when there is none. */
export function apply<Name extends PrimitiveName>(
  name: Name,
  inputs: readonly Tensor[],
  attributes: PrimitiveAttributes[Name],
): Tensor[] {
  for (let i = 0; i < inputs.length; i++)
    if (inputs[i]!.dtype === 'string') throw new ArgumentError(`${name}: ${STRINGS}`)
  return active === null ? evaluate(name, inputs, attributes) : active.apply(name, inputs, attributes)
}
