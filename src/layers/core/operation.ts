// Operation: the layer that records a call of an op on symbols of a functional model. And the public namespace `ops`:
// its ops record such a layer if an argument is a symbol.

import { requireArguments } from '../../core/arguments'
import { ArgumentError } from '../../core/errors'
import { configured, custom, required, text } from '../../core/options'
import { snakeCase, uniqueName } from '../../core/registry'
import type { Tree } from '../../core/tree'
import { flatten } from '../../core/tree'
import * as plain from '../../ops'
import * as plainRandom from '../../ops/random/random'
import { Tensor } from '../../ops/tensor'
import { trace, untraced } from '../../ops/trace'
import type { ApplyOptions } from '../layer'
import type { CallContext } from '../context'
import { withoutFrame } from '../context'
import { Layer } from '../layer'
import type { ProbeExtents } from '../probes'
import { openExtent, commonSpecs, probed } from '../probes'
import { TensorSpec } from '../spec'
import { hasSymbol, originOf, recordCall, replaceSymbols, symbolsIn } from '../symbol'

type Op = (...inputs: readonly unknown[]) => unknown

/** Finds an op by its name, such as `add`, `image.resize` or `random.normal`. */
function opOf(name: string): Op | undefined {
  const [first, second] = name.split('.')
  const [table, key]: [object, string] =
    second === undefined ? [plain, first!] : [first === 'image' ? plain.image : plainRandom, second]
  const found: unknown = Object.hasOwn(table, key) ? Reflect.get(table, key) : undefined
  return typeof found === 'function' ? (found as Op) : undefined
}

/** Ops that take any number of operands. */
const isVariadic = (name: string): boolean => name === 'einsum' || name === 'meshgrid'

/**
 * Calls an op. No op gives a parameter a default value, because `length` does not count such parameters.
 * @throws ArgumentError for more arguments than the op reads
 */
function callOp(op: Op, name: string, input: readonly unknown[]): unknown {
  if (!isVariadic(name)) requireArguments(name.includes('.') ? name : `ops.${name}`, input, op.length)
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
    return callOp(opOf(this.op)!, this.op, input) as Tree<Tensor>
  }

  // Arguments are not converted.
  protected override toTensors(input: unknown): Tree<unknown> {
    return input
  }

  // Ops have no masks.
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
      probed(
        symbols.map((symbol) => originOf(symbol)!.spec),
        (extents) => this.probeArguments(input, symbols, extents),
      ),
    )
    return recordCall(this, input as Tree<unknown>, {}, outputs)
  }

  private probeArguments(input: readonly unknown[], symbols: readonly Tensor[], extents: ProbeExtents): Tree<Tensor> {
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

function requireOp(name: string): string {
  if (opOf(name) !== undefined) return name
  throw new ArgumentError(`There is no op '${name}'`)
}

/** The functions of a namespace, which record a call if an argument is a symbol. */
function recordable<Namespace extends object>(namespace: Namespace, prefix = ''): Namespace {
  const made: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(namespace)) {
    // The key gives the function its name: defining the name afterwards takes a tenth of the whole import's time.
    const named = {
      [name]: (...input: readonly unknown[]): unknown =>
        input.some((each) => hasSymbol(each))
          ? new Operation({ op: prefix + name, name: uniqueName(snakeCase(name)) }).applyTree(input, {})
          : callOp(value as Op, prefix + name, input),
    }
    made[name] = typeof value !== 'function' || /^[A-Z]/.test(name) ? value : named[name]
  }
  return made as Namespace
}

/** All ops. They run immediately on data, and are recorded on symbols of traced functions and of functional models. */
export const ops: typeof plain = /* @__PURE__ */ (() => ({
  ...recordable(plain),
  image: recordable(plain.image, 'image.'),
}))()

/** Random tensors. */
export const random: typeof plainRandom = /* @__PURE__ */ recordable(plainRandom, 'random.')
