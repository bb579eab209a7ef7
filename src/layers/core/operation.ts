// Operation: the layer that records a call of an op on symbols of a functional model.

import { ArgumentError } from '../../core/errors'
import { configured, custom, required, text } from '../../core/options'
import { snakeCase, uniqueName } from '../../core/registry'
import { mapTree, type Tree } from '../../core/tree'
import type { OpTraits } from '../../ops/op'
import { Tensor, type CallRecorder } from '../../ops/tensor'
import { trace, untraced } from '../../ops/trace'
import { Layer } from '../layer'
import { withoutFrame } from '../context'
import { sameIndices } from '../indices'
import { openExtent, commonSpecs, tracedForExtents, type AssumedExtents } from '../shape-inference'
import { TensorSpec } from '../spec'
import { originOf, recordCall, replaceSymbols, symbolsIn } from '../symbol'
import type { LayerTraits } from '../traits'
import { applyTree } from '../applying'

/** An op, or another function of a table. */
type Op = ((...inputs: readonly unknown[]) => unknown) & { readonly traits?: OpTraits }

/** The ops by their names, such as `add` or `random.normal`: those that were called on symbols, and those that files may name. */
const known = /* @__PURE__ */ new Map<string, Op>()

const isOp = (value: unknown): value is Op => typeof value === 'function'

/** Adds the ops that files may name. @param ops by their names; a namespace among them has the ops `namespace.name` */
export function readOpsFrom(ops: object, namespace = ''): void {
  for (const [name, op] of Object.entries<unknown>({ ...ops })) {
    const full = namespace + name
    if (isOp(op)) known.set(full, known.get(full) ?? op)
    else if (typeof op === 'object' && op !== null) readOpsFrom(op, `${full}.`)
  }
}

const OperationBase = configured(Layer<readonly unknown[], unknown>, () => ({
  /** The name of the op, such as `add`. */
  op: required(
    custom(
      (value, where) => requireOp(text.read(value, where)),
      (value: string) => value,
    ),
  ),
}))

/** An op as a layer: its input is the list of the op's arguments. A call of an op on symbols creates it. */
export class Operation extends OperationBase {
  static readonly className = 'Operation'
  /** @internal */
  static override readonly traits: LayerTraits<Operation> = {
    isOperation: true,
    // Arguments are not converted.
    toTensors: (layer, input) => layer.argumentsIn(input),
    record: (layer, input) => layer.recordArguments(layer.argumentsIn(input)),
    // Ops have no masks.
    maskTrail: () => null,
  }
  override readonly supportsMasking = true

  call(input: readonly unknown[]): unknown {
    const op = known.get(this.op)!
    const result = op(...input)
    // The size and the rank of a tensor are numbers.
    const isNumber = typeof result === 'number'
    const output = isNumber ? new Tensor(Int32Array.of(result), [], 'int32') : result
    if (op.traits?.rearranges !== true || !(output instanceof Tensor)) return output
    return sameIndices(output, ...input.flat().filter((each) => each instanceof Tensor))
  }

  override computeMask(): null {
    return null
  }

  /** @throws ArgumentError for an input that is not the list of arguments */
  private argumentsIn(input: unknown): readonly unknown[] {
    if (Array.isArray(input)) return input
    throw new ArgumentError(`${this}: the input must be the list of arguments of ops.${this.op}`)
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
    return recordCall(this, input, {}, outputs)
  }

  private inferArguments(input: readonly unknown[], symbols: readonly Tensor[], extents: AssumedExtents): Tree<Tensor> {
    const types = symbols.map((symbol) => {
      const { shape, dtype } = originOf(symbol)!.spec
      return { shape: shape.map((extent, axis) => extent ?? openExtent(axis, extents)), dtype }
    })
    let result: unknown = null
    untraced(() =>
      withoutFrame(() =>
        trace(types, (traced) => {
          const values = new Map(symbols.map((symbol, i) => [symbol, traced[i]!]))
          result = this.call(input.map((each) => replaceSymbols(each, (symbol) => values.get(symbol))))
          return []
        }),
      ),
    )
    return mapTree(result, (leaf) => {
      if (leaf instanceof Tensor) return leaf
      throw new ArgumentError(`ops.${this.op} cannot be called on symbols: it does not give tensors`)
    })
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
  if (known.has(name)) return name
  throw new ArgumentError(`There is no op '${name}'`)
}

/** Records a call of an op on symbols: see `CallRecorder`. */
export const recordOp: CallRecorder = (op, inputs) => {
  const { opName } = op
  known.set(opName, op)
  const name = uniqueName(snakeCase(opName.slice(opName.lastIndexOf('.') + 1)))
  return applyTree(new Operation({ op: opName, name }), inputs, {})
}
