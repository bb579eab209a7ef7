// What members of all models share: the state as a tree, the export to other programs, and settings that change nothing here.

import { ArgumentError, knownName, quoted } from '../core/errors'
import { isRecord } from '../core/tree'
import type { TensorLike } from '../ops/convert'
import type { Tensor } from '../ops/tensor'
import type { Variable } from '../ops/variable'

/** Values by the names of variables, whose parts are keys: `{ dense: { kernel, bias } }`. */
export interface NamedValues<Value = TensorLike> {
  readonly [name: string]: Value | NamedValues<Value>
}

/** The values of the variables of a model by their kinds. */
export interface StateTree<Value = Tensor> {
  readonly trainableVariables: NamedValues<Value>
  readonly nonTrainableVariables: NamedValues<Value>
  readonly optimizerVariables: NamedValues<Value>
  readonly metricsVariables: NamedValues<Value>
}

/** The variables of a model by their kinds. */
export type VariableKinds = Readonly<Record<keyof StateTree, readonly Variable[]>>

/** The options of `export`. */
export interface ExportOptions {
  /** The format, `onnx`. Default: from the ending of the path. */
  readonly format?: 'onnx' | (string & {}) | null
}

/** Variables by the parts of their names; a second one of a name gets a number. */
function byName(variables: readonly Variable[]): NamedValues<Variable> {
  const tree: Record<string, unknown> = {}
  for (const variable of variables) {
    const parts = variable.name.split('/')
    const last = parts.pop()!
    const place = parts.reduce((at, part) => (at[part] ??= Object.create(null)) as typeof tree, tree)
    let key = last
    for (let i = 1; key in place; i++) key = `${last}_${i}`
    place[key] = variable
  }
  return tree as NamedValues<Variable>
}

/** The values of variables as trees of their names. */
export function stateTreeOf(kinds: VariableKinds): StateTree {
  const valuesOf = (tree: NamedValues<Variable>): NamedValues<Tensor> =>
    Object.fromEntries(
      Object.entries(tree).map(([name, each]) => [name, isVariable(each) ? each.value : valuesOf(each)]),
    )
  return Object.fromEntries(
    Object.entries(kinds).map(([kind, variables]) => [kind, valuesOf(byName(variables))]),
  ) as { readonly [Kind in keyof StateTree]: NamedValues<Tensor> }
}

/**
 * Sets variables from such a tree, all that it names or none.
 * @throws ArgumentError for a name without a variable; ShapeError for a value that does not fit
 */
export function setStateTreeOf(kinds: VariableKinds, given: Partial<StateTree<TensorLike>>): void {
  const pairs: [Variable, TensorLike][] = []
  const visit = (known: object, values: unknown, path: string): void => {
    if (!isRecord(values))
      throw new ArgumentError(`setStateTree: ${path || 'the state'} must be a record, received ${quoted(values)}`)
    for (const [name, value] of Object.entries(values)) {
      const found: unknown = Reflect.get(known, path === '' ? (knownName(name, Object.keys(kinds)) ?? name) : name)
      const own = path === '' ? name : `${path}/${name}`
      if (found === undefined) throw new ArgumentError(`setStateTree: the model has no ${own}`)
      if (isVariable(found)) pairs.push([found, value as TensorLike])
      else visit(Array.isArray(found) ? byName(found) : (found as object), value, own)
    }
  }
  visit(kinds, given, '')
  const before = pairs.map(([{ value }]) => value)
  try {
    for (const [variable, value] of pairs) variable.assign(value)
  } catch (error) {
    pairs.forEach(([variable], i) => variable.assign(before[i]!))
    throw error
  }
}

const isVariable = (value: unknown): value is Variable =>
  typeof value === 'object' && value !== null && 'assign' in value && typeof value.assign === 'function'

/**
 * The path to which `export` writes.
 * @throws ArgumentError for a format of another framework
 */
export function requireExport(path: string | URL, format: string | null = null): void {
  const isOnnx = String(path).toLowerCase().endsWith('.onnx')
  if (isOnnx && (format === null || format === 'onnx')) return
  const hint =
    format === 'onnx' ? `a path that ends in .onnx, received ${quoted(String(path))}` : "format: 'onnx' and a path such as net.onnx"
  const why = format === null || format === 'onnx' ? '' : `: the format ${quoted(format)} needs its framework`
  throw new ArgumentError(
    `export writes ONNX${why}. Use ${hint}. ONNX Runtime runs the file, and converters to TensorFlow and others read it`,
  )
}

const told = new Set<string>()

/** Warns once of a setting of Keras that changes nothing here. */
export function ignoreSetting(name: string, value: unknown, here: unknown, why: string): void {
  if (value === here || told.has(name)) return
  told.add(name)
  console.warn(`model.${name} changes nothing: ${why}`)
}
