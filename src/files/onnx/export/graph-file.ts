// The graph of a file while it is written: its scopes, constants and extents, by the names of values. writer.ts knows their items.

import type { DType } from '../../../core/dtypes'
import type { Node } from '../../../engine/ir/graph'
import type { TensorProto } from '../proto'
import type { HostTensor } from '../tensors'
import type { ElementType } from '../types'
import type { Sparse } from '../wire'
import { formulaOf, isFixed, type Formula, type Numbers, type OpenExtent } from './extents'
import { elementTypes } from './items'
import { Names, Scope, tensorProto, type Attributes } from './scope'

/** Something that ONNX does not have. The errors of all nodes are collected. */
export class Refusal extends Error {}

/** The numbers of element types. */
export const CODES = { float32: 1, int8: 3, int32: 6, int64: 7, string: 8, bool: 9 } as const

export class GraphFile {
  readonly names = new Names()
  readonly root = new Scope(this.names, null)
  readonly initializers: Sparse<TensorProto>[] = []
  /** The scope of new nodes. */
  scope = this.root
  private readonly known = new Map<string, string>()
  private readonly open: OpenExtent[]

  constructor(
    open: readonly OpenExtent[],
    /** The names of the inputs. */
    readonly inputs: readonly string[],
    private readonly model: string,
  ) {
    this.open = [...open]
  }

  /** The path of the layer that a node belongs to, within the model. */
  pathOf({ scope }: Node): string {
    if (scope === this.model) return ''
    return scope.startsWith(`${this.model}/`) ? scope.slice(this.model.length + 1) : scope
  }

  node(type: string, inputs: readonly string[], attributes?: Attributes): string {
    return this.scope.node(type, inputs, attributes)
  }

  /** A constant. Numbers and lists of integers are initializers; others are nodes, as importers take initializers for weights. */
  constant(host: HostTensor): string {
    const { type, shape, data } = host
    const key =
      data.length <= 64
        ? `${type} ${shape.join()}: ${Array.from(data, (x) => (Object.is(x, -0) ? '-0' : x)).join()}`
        : null
    let name = key === null ? undefined : this.known.get(key)
    if (name === undefined) {
      if (type === 'float32' && shape.length > 0) {
        const { where } = this.root
        this.root.where = ''
        name = this.root.node('Constant', [], { value: host })
        // Where operators take weights, importers take Constant nodes for weights, too.
        if (shape.length > 1) name = this.root.node('Identity', [name])
        this.root.where = where
      } else {
        name = this.names.unique('constant')
        this.initializers.push(tensorProto(name, host))
      }
      if (key !== null) this.known.set(key, name)
    }
    return name
  }

  number(x: number, type: ElementType): string {
    return this.constant({ type, shape: [], data: Float64Array.of(x) })
  }

  integers(list: readonly number[]): string {
    return this.constant({ type: 'int64', shape: [list.length], data: Float64Array.from(list) })
  }

  /** Notes the open extents of a value that follow from others in no simple way, so that formulas can begin with them. */
  protected noteExtents(source: string, shape: readonly Numbers[]): void {
    if (this.scope !== this.root || source === '') return
    shape.forEach((values, axis) => {
      if (isFixed(values) || formulaOf(values, this.open) !== null) return
      this.open.push({ name: '', source, axis, values })
    })
  }

  /** An extent as int64 [1]. */
  extent(numbers: Numbers): string {
    if (isFixed(numbers)) return this.integers([numbers[0]!])
    const key = `extent ${numbers.join()}`
    let name = this.known.get(key)
    if (name === undefined) {
      const formula = formulaOf(numbers, this.open)
      if (formula === null)
        throw new Refusal(
          'an extent that is not a multiple of an open extent plus a number. Fix the inputs with the option shapes',
        )
      name = this.formula(formula)
      this.known.set(key, name)
    }
    return name
  }

  private formula({ factor, of, offset, divisor }: Formula): string {
    const { root } = this
    const base = of
      .map(({ source, axis }) => {
        const value = typeof source === 'number' ? this.inputs[source]! : source
        return root.node('Shape', [value], { start: axis, end: axis + 1 })
      })
      .reduce((a, b) => root.node('Mul', [a, b]))
    const steps = [
      ['Mul', factor, 1],
      ['Add', offset, 0],
      ['Div', divisor, 1],
    ] as const
    return steps.reduce(
      (name, [type, number, none]) => (number === none ? name : root.node(type, [name, this.integers([number])])),
      base,
    )
  }

  /** Extents as int64 [n]. */
  extents(list: readonly Numbers[]): string {
    if (list.every(isFixed)) return this.integers(list.map(([each]) => each!))
    const parts: string[] = []
    for (let i = 0; i < list.length;) {
      let end = i
      while (end < list.length && isFixed(list[end]!)) end++
      parts.push(end > i ? this.integers(list.slice(i, end).map(([each]) => each!)) : this.extent(list[i]!))
      i = Math.max(end, i + 1)
    }
    return parts.length === 1 ? parts[0]! : this.root.node('Concat', parts, { axis: 0 })
  }

  /** A number that may be open, as a scalar. */
  scalar(numbers: Numbers, dtype: DType): string {
    if (isFixed(numbers)) return this.number(numbers[0]!, elementTypes[dtype])
    const whole = this.root.node('Squeeze', [this.extent(numbers), this.integers([0])])
    return this.root.node('Cast', [whole], { to: CODES[dtype] })
  }

  /** 0, 1, … as a vector. */
  places(extent: Numbers, dtype: DType = 'int32', begin = 0, step = 1): string {
    const limit = extent.map((each) => begin + step * each)
    const [from, by] = [this.number(begin, elementTypes[dtype]), this.number(step, elementTypes[dtype])]
    return this.node('Range', [from, this.scalar(limit, dtype), by])
  }

  cast(name: string, dtype: DType | 'int64'): string {
    return this.node('Cast', [name], { to: CODES[dtype] })
  }

  /** Writes nodes into a graph inside. */
  within<Result>(body: (scope: Scope) => Result): Result {
    const outer = this.scope
    this.scope = new Scope(this.names, outer)
    this.scope.where = outer.where
    try {
      return body(this.scope)
    } finally {
      this.scope = outer
    }
  }

  /** The path of the layer whose nodes are written. */
  set where(path: string) {
    this.scope.where = path
    this.root.where = path
  }
}
