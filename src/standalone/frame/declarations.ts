// The declarations of a module: price.d.ts.

import type { TableDescription } from '../../tables/table-model'
import type { TableKind } from '../../tables/values'
import type { InputPort, Port, TracedModel } from '../traced'
import { arrayOf } from './program'
import { comment, member, quote } from './quote'

export function declarations(traced: TracedModel, table: TableDescription | null, header: string): string {
  return [comment(header), '', ...(table === null ? forTensors(traced) : forTable(table)), '', INFO, ''].join('\n')
}

const INFO = `export interface Port {
  readonly name: string
  /** Without the batch axis. */
  readonly shape: readonly number[]
  readonly dtype: string
}
/** The inputs and outputs of the model. */
export declare const info: { readonly inputs: readonly Port[]; readonly outputs: readonly Port[] }`

function forTensors({ inputs, takesOne, outputs, givesOne }: TracedModel): readonly string[] {
  const [input] = inputs
  const [output] = outputs
  const row = takesOne ? rowType(input!) : 'Inputs'
  const result = givesOne ? arrayOf(output!) : 'Outputs'
  const record = (
    name: string,
    ports: readonly { name: string; type: string; shape: readonly number[] }[],
  ): string[] => [
    `export interface ${name} {`,
    ...ports.flatMap(({ name: each, type, shape }) => [`  /** [${shape.join(', ')}] */`, `  ${member(each)}: ${type}`]),
    '}',
  ]
  const isFlat = takesOne && givesOne && input!.readers === null
  return [
    ...(takesOne
      ? []
      : record(
          'Inputs',
          inputs.map((each) => ({ ...each, name: each.key, type: rowType(each) })),
        )),
    ...(givesOne
      ? []
      : record(
          'Outputs',
          outputs.map((each) => ({ ...each, type: arrayOf(each) })),
        )),
    `/** The ${givesOne ? `output [${output!.shape.join(', ')}]` : 'outputs'} of one row${takesOne ? ` [${input!.shape.join(', ')}]` : ''}. */`,
    `export declare function predict(row: ${row}): ${result}`,
    '/** The outputs of several rows. */',
    `export declare function predict(rows: readonly (${row})[]): ${result}[]`,
    ...(isFlat
      ? [
          '/** A typed array of one or more rows gives one of their outputs. */',
          `export declare function predict(rows: Float32Array | Int32Array): ${result}`,
        ]
      : []),
  ]
}

/** Nested arrays; a flat typed array also stands for a row of several axes. */
function rowType({ shape, readers }: Pick<InputPort, 'shape' | 'readers'>): string {
  const element = readers === null ? 'number' : 'string'
  if (shape.length === 0 || (readers !== null && shape.length === 1 && shape[0] === 1)) return element
  if (shape.length === 1) return readers === null ? 'ArrayLike<number>' : 'readonly string[]'
  const nested = shape.reduce((inner) => `readonly ${inner.includes(' ') ? `(${inner})` : inner}[]`, element)
  return readers === null ? `${nested} | Float32Array | Int32Array` : nested
}

const COLUMN_TYPES: Readonly<Record<TableKind, string>> = {
  number: 'number | boolean | string',
  category: 'string | number | boolean',
  date: 'Date | string | number',
  text: 'string',
}

function forTable({ columns, ignored, target, classes }: TableDescription): readonly string[] {
  return [
    'export interface Row {',
    ...Object.entries(columns).map(
      ([name, { kind, optional }]) =>
        `  ${member(name)}: ${COLUMN_TYPES[kind]}${optional ? ' | null | undefined' : ''}`,
    ),
    ...[...ignored, target].map((name) => `  /** Not read. */\n  ${member(name)}?: unknown`),
    '}',
    ...(classes === null
      ? ['export type Answer = number']
      : [
          `export type Label = ${classes.map(quote).join(' | ')}`,
          'export interface Answer {',
          '  label: Label',
          `  probabilities: Record<${classes.map((each) => quote(String(each))).join(' | ')}, number>`,
          '}',
        ]),
    `/** ${quote(target).replaceAll('*/', '* /')} of one row. */`,
    'export declare function predict(row: Row): Answer',
    'export declare function predict(rows: readonly Row[]): Answer[]',
  ]
}

/** The ports as a module gives them. */
export function infoText({
  inputs,
  outputs,
}: {
  readonly inputs: readonly Port[]
  readonly outputs: readonly Port[]
}): string {
  const told = ({ name, shape, dtype }: Port): Port => ({ name, shape, dtype })
  return quote({ inputs: inputs.map(told), outputs: outputs.map(told) })
}
