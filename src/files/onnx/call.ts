// One node of a graph while it is traced: its operands, its attributes, and errors that name it.

import { utf8Text } from '../../core/text'
import { FormatError } from '../../core/errors'
import type { Tensor } from '../../ops/tensor'
import type { AttributeProto, GraphProto, NodeProto } from './proto'
import { hostOf } from './host'
import type { Vocabulary } from './strings'
import { constantOf, type HostTensor } from './tensors'
import { elementType, typeName, type ElementType } from './types'
import { Value } from './values'

/** Computes the results of a node. */
export type Operator = (call: Call) => Value | readonly Value[]

/** What operators use of the trace around them. */
export interface Surroundings {
  readonly training: boolean
  /** Drops elements in training. */
  dropout(x: Tensor, rate: number): Tensor
  /** Runs the graph of an attribute. It may read the values of the graphs around it. */
  run(graph: GraphProto, inputs: readonly Value[]): readonly Value[]
  /** The numbers of the strings of the file. */
  readonly strings: Vocabulary | null
  /** Replaces the content of a weight after the step. */
  update(name: string, value: Tensor): void
}

/** `node 3 'conv1' (Conv)` */
export function nameOf({ type, name, domain, outputs }: NodeProto): string {
  const title = name === '' ? outputs.find((output) => output !== '') : name
  return `the node '${title ?? ''}' (${domain === '' || domain === 'ai.onnx' ? type : `${domain}.${type}`})`
}

/** A file that is refused whatever the extents of its inputs: it would take too long, or too much memory, or it depends on data. */
export class LimitError extends FormatError {}

export class Call {
  private readonly attributes: ReadonlyMap<string, AttributeProto>

  constructor(
    readonly node: NodeProto,
    attributes: readonly AttributeProto[],
    readonly values: readonly (Value | null)[],
    /** The version of the operators. */
    readonly opset: number,
    readonly around: Surroundings,
  ) {
    this.attributes = new Map(attributes.map((each) => [each.name, each]))
  }

  /** The same node with other operands, or in another trace. */
  changed({ values = this.values, around = this.around }: Partial<Pick<Call, 'values' | 'around'>>): Call {
    return new Call(this.node, [...this.attributes.values()], values, this.opset, around)
  }

  error(problem: string): FormatError {
    return new FormatError(`${nameOf(this.node)}: ${problem}`)
  }

  /** An operand, or null if it is omitted. */
  maybe(i: number): Value | null {
    return this.values[i] ?? null
  }

  value(i: number): Value {
    const value = this.values[i]
    if (value != null) return value
    throw this.error(`operand ${i} is missing`)
  }

  /** All operands, of which none may be omitted. */
  get all(): readonly Value[] {
    if (this.values.length === 0) throw this.error('there are no operands')
    return this.values.map((_, i) => this.value(i))
  }

  /** The elements of an operand. @throws FormatError if they depend on data */
  known(i: number): HostTensor {
    const { host } = this.value(i)
    if (host !== null) return host
    throw new LimitError(
      `${nameOf(this.node)}: operand ${i} ('${this.node.inputs[i]}') must be known before data are. If it follows from an input that is always the same, pass its value: { constants: { name: value } }.`,
    )
  }

  private attribute(name: string): AttributeProto | null {
    return this.attributes.get(name) ?? null
  }

  has(name: string): boolean {
    return this.attributes.has(name)
  }

  integer(name: string, absent: number): number {
    return this.attribute(name)?.integer ?? absent
  }

  flag(name: string, absent = false): boolean {
    return this.integer(name, Number(absent)) !== 0
  }

  float(name: string, absent: number): number {
    return this.attribute(name)?.float ?? absent
  }

  text(name: string, absent: string): string {
    const found = this.attribute(name)?.string ?? null
    return found === null ? absent : utf8Text(found)
  }

  /** @throws FormatError for a word that is not among `words` */
  word<Word extends string>(name: string, absent: Word, words: readonly Word[]): Word {
    const written = this.text(name, absent)
    const found = words.find((word) => word === written)
    if (found !== undefined) return found
    throw this.error(`the attribute ${name} must be one of ${words.join(', ')}, it is '${written.slice(0, 50)}'`)
  }

  texts(name: string): string[] | null {
    const list = this.attribute(name)?.strings
    return list === undefined ? null : list.map(utf8Text)
  }

  /** Strings as numbers of the vocabulary of the file. */
  strings(texts: readonly string[]): Value {
    return Value.known(
      hostOf(
        'string',
        [texts.length],
        texts.map((each) => this.around.strings?.get(each) ?? -1),
      ),
    )
  }

  floats(name: string): number[] {
    return Array.from(this.attribute(name)?.floats ?? [])
  }

  integers(name: string): number[] | null {
    const list = this.attribute(name)?.integers
    return list === undefined ? null : Array.from(list, (each) => this.safe(each, name))
  }

  private safe(x: number, name: string): number {
    if (Number.isInteger(x)) return x
    throw this.error(`${name} has the element ${x}`)
  }

  tensor(name: string): HostTensor | null {
    const found = this.attribute(name)?.tensor ?? null
    return found === null ? null : constantOf(found, `${nameOf(this.node)}: ${name}`)
  }

  graph(name: string): GraphProto {
    const found = this.attribute(name)?.graph ?? null
    if (found !== null) return found
    throw this.error(`the attribute ${name} is missing`)
  }

  /** The element type that an attribute names by its number. */
  type(name: string, absent: ElementType): ElementType {
    const code = this.attribute(name)?.integer
    if (code === undefined || code === 0) return absent
    const type = elementType(code)
    if (type !== null && type !== 'string') return type
    throw this.error(`elements of type ${typeName(code)} cannot be computed with`)
  }

  /** Integers that are an attribute in some versions of the operator and an operand in others; null if omitted. */
  list(name: string, i: number): number[] | null {
    if (this.has(name)) return this.integers(name)
    if (this.maybe(i) === null) return null
    return Array.from(this.known(i).data, (each) => this.safe(each, name))
  }

  /** A number that is an attribute in some versions of the operator and an operand in others; null if omitted. */
  number(name: string, i: number): number | null {
    if (this.has(name)) return this.attribute(name)!.float
    if (this.maybe(i) === null) return null
    const { data } = this.known(i)
    if (data.length === 1) return data[0]!
    throw this.error(`operand ${i} must be one number`)
  }

  /** An axis as a number ≥ 0. */
  axis(axis: number, rank: number): number {
    if (Number.isInteger(axis) && axis >= -rank && axis < rank) return axis < 0 ? axis + rank : axis
    throw this.error(`there is no axis ${axis} among ${rank}`)
  }

  /** Distinct axes as numbers ≥ 0. */
  axes(axes: readonly number[], rank: number): number[] {
    const found = axes.map((axis) => this.axis(axis, rank))
    if (new Set(found).size === found.length) return found
    throw this.error(`the axes [${axes.join(', ')}] contain one twice`)
  }

  /** @throws FormatError with `problem` unless a condition holds */
  require(condition: boolean, problem: () => string): void {
    if (!condition) throw this.error(problem())
  }
}
