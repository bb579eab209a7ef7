// Operation: the layer that records a call of an op on symbols of a functional model. And `recorded`, which makes the public
// ops: they record such a layer if an argument is a symbol.

import { setOnSymbol } from '../../activations'
import { requireArguments } from '../../core/arguments'
import { ArgumentError } from '../../core/errors'
import { configured, custom, required, text } from '../../core/options'
import { snakeCase, uniqueName } from '../../core/registry'
import type { Tree } from '../../core/tree'
import { flatten, typed } from '../../core/tree'
import { reshape, squeeze } from '../../ops/numpy/shape'
import { Tensor, setTensorMethods } from '../../ops/tensor'
import { trace, untraced } from '../../ops/trace'
import type { ApplyOptions } from '../layer'
import type { CallContext } from '../context'
import { withoutFrame } from '../context'
import { sameIndices } from '../indices'
import { Layer } from '../layer'
import type { AssumedExtents } from '../shape-inference'
import { openExtent, commonSpecs, tracedForExtents } from '../shape-inference'
import { TensorSpec } from '../spec'
import { hasSymbol, originOf, recordCall, replaceSymbols, symbolsIn } from '../symbol'
import { argumentsInOrder } from './arguments-in-order'

export type Op = (...inputs: readonly unknown[]) => unknown

/** The ops that were called on symbols, by their names. */
const called = /* @__PURE__ */ new Map<string, Op>()
/** Ops that files may name. */
let table: object = {}

/** Sets the table in which `Operation` finds ops by their names; a namespace in it has the ops `namespace.name`. */
export function readOpsFrom(ops: object): void {
  table = ops
}

/** Finds an op by its name, such as `add` or `random.normal`. */
function opOf(name: string): Op | undefined {
  const within = (at: unknown, key: string): unknown =>
    typeof at === 'object' && at !== null && Object.hasOwn(at, key) ? Reflect.get(at, key) : undefined
  const found = called.get(name) ?? name.split('.').reduce<unknown>(within, table)
  return typeof found === 'function' ? (found as Op) : undefined
}

/** Ops whose elements are those of their operands. */
const REARRANGING =
  'broadcastTo concatenate expandDims flip hstack moveaxis ravel repeat reshape roll slice squeeze stack swapaxes tile transpose vstack'.split(
    ' ',
  )

/** Ops that take any number of operands. */
const isVariadic = (name: string): boolean => ['einsum', 'meshgrid', 'switch'].includes(name)

/** The name of an op for users. */
const calledAs = (name: string): string => (name.includes('.') ? name : `ops.${name}`)

/**
 * Calls an op. No op gives a parameter a default value, because `length` does not count such parameters.
 * @throws ArgumentError for more arguments than the op reads
 */
function callOp(op: Op, name: string, input: readonly unknown[]): unknown {
  if (!isVariadic(name)) requireArguments(calledAs(name), input, op.length)
  return op(...input)
}

/** An op as a layer: its input is the list of the op's arguments. A call of an op on symbols creates it. */
export class Operation extends configured(Layer<readonly unknown[], unknown>, () => ({
  /** The name of the op, such as `add`. */
  op: required(
    custom(
      (value, where) => requireOp(text.read(value, where)),
      (value: string) => value,
    ),
  ),
})) {
  static readonly className = 'Operation'
  override readonly supportsMasking = true

  /** @internal */
  override get isOperation(): boolean {
    return true
  }

  call(input: readonly unknown[]): Tree<Tensor> {
    const result = callOp(opOf(this.op)!, this.op, input)
    // The size and the rank of a tensor are numbers.
    const isNumber = typeof result === 'number'
    const output = (isNumber ? new Tensor(Int32Array.of(result), [], 'int32') : result) as Tree<Tensor>
    const moved = REARRANGING.includes(this.op) && output instanceof Tensor
    return moved ? sameIndices(output, ...input.flat().filter((each) => each instanceof Tensor)) : output
  }

  // Arguments are not converted.
  protected override toTensors(input: unknown): Tree<unknown> {
    return input
  }

  // Ops have no masks.
  override maskTrail(): null {
    return null
  }

  override computeMask(): null {
    return null
  }

  override applyTree(input: unknown, options: ApplyOptions | CallContext): Tree<Tensor> {
    if (!Array.isArray(input))
      throw new ArgumentError(`${this}: the input must be the list of arguments of ops.${this.op}`)
    return hasSymbol(input) ? this.recordArguments(input) : super.applyTree(input, options)
  }

  private recordArguments(input: readonly unknown[]): Tree<Tensor> {
    this.ensureBuilt(new TensorSpec([]))
    const symbols = [...new Set(symbolsIn(input))]
    const outputs = commonSpecs(
      tracedForExtents(
        symbols.map((symbol) => originOf(symbol)!.spec),
        (extents) => this.inferArguments(input, symbols, extents),
        undefined,
        () => [...constantExtents(input)],
      ),
    )
    return recordCall(this, input as Tree<unknown>, {}, outputs)
  }

  private inferArguments(input: readonly unknown[], symbols: readonly Tensor[], extents: AssumedExtents): Tree<Tensor> {
    const types = symbols.map((symbol) => {
      const { shape, dtype } = originOf(symbol)!.spec
      return { shape: shape.map((own, axis) => own ?? openExtent(axis, extents)), dtype }
    })
    let result: Tree<Tensor> | null = null
    untraced(() =>
      withoutFrame(() =>
        trace(types, (traced) => {
          const values = new Map(symbols.map((symbol, i) => [symbol, traced[i]!]))
          result = this.call(replaceSymbols(input, (symbol) => values.get(symbol)) as readonly unknown[])
          return []
        }),
      ),
    )
    const other = flatten<unknown>(result as Tree<unknown>).find((leaf) => !(leaf instanceof Tensor))
    if (other !== undefined)
      throw new ArgumentError(`ops.${this.op} cannot be called on symbols: it does not give tensors`)
    return result!
  }
}

/** The extents of constants, and the lengths of lists. */
function constantExtents(value: unknown, found = new Set<number>(), depth = 0): Set<number> {
  if (value instanceof Tensor) {
    if (originOf(value) === null) value.shape.forEach((extent) => found.add(extent))
  } else if (Array.isArray(value) && depth < 9) {
    found.add(value.length)
    if (typeof value[0] !== 'number') value.forEach((each) => constantExtents(each, found, depth + 1))
  }
  return found
}

function requireOp(name: string): string {
  if (opOf(name) !== undefined) return name
  throw new ArgumentError(`There is no op '${name}'`)
}

/** Lets `layer.activation` take symbols, as activations of the namespace do, and lets symbols have the methods of tensors. */
export function recordOnSymbols(): void {
  setTensorMethods(typed({ reshape: recorded('reshape', reshape as Op), squeeze: recorded('squeeze', squeeze as Op) }))
  setOnSymbol((name, of, x) => (hasSymbol(x) ? (recorded(`activations.${name}`, of as Op)(x) as Tensor) : null))
}

/** Functions that only look at a symbol. */
const isAnswered = (name: string): boolean =>
  ['shape', 'ndim', 'size', 'dtype', 'isTensor', 'convertToNumpy'].includes(name)

/**
 * The public form of an op, which takes required arguments by name, too, and records the call if an argument is a symbol. The
 * build writes the calls of this function.
 * @param name the name under which models with the op are saved
 * @param parameters the names of the required parameters: see `argumentsInOrder`
 * @public
 */
export function recorded(name: string, op: Op, parameters = 'x'): Op {
  const own = name.slice(name.lastIndexOf('.') + 1)
  const where = (): string => calledAs(name)
  // The key gives the function its name: to define the name afterwards takes longer.
  return {
    [own](...given: readonly unknown[]): unknown {
      const { length } = op
      const isPlaced = isVariadic(name) && given.length > length
      const input = isPlaced ? given : argumentsInOrder(where, parameters, given, length)
      if (isAnswered(name) || !input.some((each) => hasSymbol(each))) return callOp(op, name, input)
      called.set(name, op)
      return new Operation({ op: name, name: uniqueName(snakeCase(own)) }).applyTree(input, {})
    },
  }[own]!
}
