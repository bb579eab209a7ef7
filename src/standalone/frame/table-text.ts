// `predict` of the module of a table model: rows as people have them, and answers by name. As tables/table-model.ts and tables/values.ts.

import type { TableDescription } from '../../tables/table-model'
import type { TracedModel } from '../traced'
import type { EngineText } from './program'
import { quote } from './quote'
import { TIME_IN, readerText } from './readers'
import { REFUSE } from './parts'

/** The statements of a module between the engine and the exports: they declare `predict`. */
export function tableText(traced: TracedModel, table: TableDescription, engine: EngineText): string {
  const { classes, columns, ignored, target } = table
  const readers = [...new Set(traced.inputs.flatMap(({ readers: each }) => each ?? []))]
  const hasDates = Object.values(columns).some(({ kind }) => kind === 'date')
  let at = 0
  const writes = traced.inputs.map(({ key, readers: own }) => {
    const { kind, optional } = columns[key]!
    const value = `column(row, ${quote(key)}, ${kind}, ${optional})`
    if (own === null) return `${engine.parameters[at++]!}[0] = ${value}`
    const calls = own.map((reader) => `reader${readers.indexOf(reader)}([value], ${engine.parameters[at++]!})`)
    return `{ const value = ${value}; ${calls.join('; ')} }`
  })
  const kinds = [...new Set(Object.values(columns).map(({ kind }) => kind))]
  return [
    REFUSE,
    ...(hasDates ? [TIME_IN] : []),
    ...kinds.map((kind) => KINDS[kind]),
    ...readers.map((reader, i) => `const reader${i} = ${readerText(reader)}`),
    `const names = ${quote([...Object.keys(columns), ...ignored, target])}`,
    COLUMN,
    'function one(row) {',
    "  if (typeof row !== 'object' || row === null) refuse('expected an object with a value for each column')",
    "  for (const name of Object.keys(row)) if (names.indexOf(name) < 0) refuse('unknown column ' + name)",
    ...writes.map((line) => `  ${line}`),
    '  run()',
    ...(classes === null ? [`  return ${engine.outputs[0]!}[0]`] : answerLines(engine.outputs[0]!)),
    '}',
    ...(classes === null ? [] : [`const classes = ${quote(classes)}`]),
    'function predict(rows) {',
    '  return Array.isArray(rows) ? rows.map(one) : one(rows)',
    '}',
  ].join('\n')
}

function answerLines(output: string): readonly string[] {
  return [
    `  const values = Array.from(${output})`,
    '  const each = values.length === 1 ? [1 - values[0], values[0]] : values',
    '  const probabilities = {}',
    '  classes.forEach((name, i) => Object.defineProperty(probabilities, name, { value: each[i], enumerable: true, writable: true, configurable: true }))',
    '  return { label: classes[each.indexOf(Math.max.apply(null, each))], probabilities }',
  ]
}

const COLUMN = `function column(row, name, kind, optional) {
  if (!Object.prototype.hasOwnProperty.call(row, name)) refuse('column ' + name + ' is missing')
  const value = row[name]
  if (value === null || value === undefined || value === '' || value !== value) {
    if (!optional) refuse('column ' + name + ': the value is missing')
    return kind.missing
  }
  const read = kind.read(value)
  if (read === null) refuse('column ' + name + ': expected a ' + kind.name + ', received ' + String(value))
  return read
}`

const KINDS = {
  number: `const number = { name: 'number', missing: NaN, read(value) {
  const read = typeof value === 'boolean' || (typeof value === 'string' && value.trim() !== '') ? Number(value) : value
  return typeof read === 'number' && isFinite(read) ? read : null
} }`,
  category: `const category = { name: 'category', missing: '', read: (value) => (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : null) }`,
  text: `const text = { name: 'text', missing: '', read: (value) => (typeof value === 'string' ? value : null) }`,
  date: `const date = { name: 'date', missing: '', read(value) {
  if (typeof value === 'string') return timeIn(value) === null ? null : value
  if (typeof value === 'object' && 'year' in value)
    return date.read(Date.UTC(value.year, value.month - 1, value.day, value.hour || 0, value.minute || 0, value.second || 0))
  const time = value instanceof Date ? value.getTime() : value
  if (typeof time !== 'number' || !(Math.abs(time) <= 864e13)) return null
  const text = new Date(time).toISOString()
  return timeIn(text) === null ? null : text
} }`,
} as const
