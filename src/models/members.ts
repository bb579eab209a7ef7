// What members of all models share: the state as a tree, and the export to other programs.

import { ArgumentError, quoted } from '../core/errors'
import { isKeyOf } from '../core/keys'
import { isRecord, propertyOf, put, typed } from '../core/tree'
import type { TensorLike } from '../ops/convert'
import { assignAll } from '../ops/stateless'
import { Tensor } from '../ops/tensor'
import type { Variable } from '../ops/variable'

/** Values by the names of variables, whose parts are keys: `{ dense: { kernel, bias } }`. */
export interface NamedValues<Value = TensorLike> {
  readonly [name: string]: Value | NamedValues<Value>
}

/** The values of the variables of a model by their kinds. */
export interface StateTree<Value = Tensor> {
  /** The weights that training changes. */
  readonly trainableVariables: NamedValues<Value>
  /** Other weights, and the states of random streams. */
  readonly nonTrainableVariables: NamedValues<Value>
  /** The state of the optimizer; empty before compile. */
  readonly optimizerVariables: NamedValues<Value>
  /** The sums of the loss and the metrics. */
  readonly metricsVariables: NamedValues<Value>
}

/** The variables of a model by their kinds. */
export type VariableKinds = Readonly<Record<keyof StateTree, readonly Variable[]>>

/** The options of `export`. */
export interface ExportOptions {
  /** The format, `onnx`. Default: from the ending of the path. */
  readonly format?: 'onnx' | (string & {}) | null
}

/** Variables by their paths; a second one of a path gets a number. */
function byName(variables: readonly Variable[]): ReadonlyMap<string, Variable> {
  const found = new Map<string, Variable>()
  for (const variable of variables) {
    let { path } = variable
    for (let i = 1; found.has(path); i++) path = `${variable.path}_${i}`
    found.set(path, variable)
  }
  return found
}

/** The values of variables by their kinds, as trees of the parts of their paths. */
export function stateTreeOf(kinds: VariableKinds): StateTree {
  return {
    trainableVariables: treeOf(kinds.trainableVariables),
    nonTrainableVariables: treeOf(kinds.nonTrainableVariables),
    optimizerVariables: treeOf(kinds.optimizerVariables),
    metricsVariables: treeOf(kinds.metricsVariables),
  }
}

/** A tree that is being filled. */
interface Branch {
  [name: string]: Tensor | Branch
}

function treeOf(variables: readonly Variable[]): NamedValues<Tensor> {
  const tree: Branch = {}
  for (const [path, { value }] of byName(variables)) {
    const parts = path.split('/')
    const last = parts.pop()!
    put(parts.reduce(branchAt, tree), last, value)
  }
  return tree
}

function branchAt(tree: Branch, name: string): Branch {
  const known = propertyOf(tree, name)
  if (known !== undefined && !(known instanceof Tensor)) return known
  const branch: Branch = Object.create(null)
  put(tree, name, branch)
  return branch
}

/**
 * Sets variables from such a tree, all that it names or none.
 * @throws ArgumentError for a name without a variable; ShapeError for a value that does not fit
 */
export function setStateTreeOf(kinds: VariableKinds, state: Partial<StateTree<TensorLike>>): void {
  const variables: Variable[] = []
  const values: TensorLike[] = []
  for (const [kind, tree] of Object.entries(state)) {
    const known = byName(isKeyOf(kinds, kind) ? kinds[kind] : [])
    const visit = (value: unknown, name: string): void => {
      const variable = known.get(name)
      if (variable !== undefined) {
        variables.push(variable)
        values.push(typed(value))
      } else if (isRecord(value)) {
        for (const [key, each] of Object.entries(value)) visit(each, name === '' ? key : `${name}/${key}`)
      } else throw new ArgumentError(`setStateTree: the model has no ${kind} named ${quoted(name)}`)
    }
    visit(tree, '')
  }
  assignAll('setStateTree', variables, values)
}

/** @throws ArgumentError for what `export` does not write */
export function requireExport(path: string | URL, format: string | null = null): void {
  const isOther = format !== null && format !== 'onnx'
  if (/\.onnx$/i.test(String(path)) && !isOther) return
  const received = isOther ? `the format ${quoted(format)}` : quoted(String(path))
  throw new ArgumentError(`export writes ONNX, to a path that ends in .onnx, received ${received}`)
}
