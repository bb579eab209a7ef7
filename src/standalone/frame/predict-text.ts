// The function `predict` of a module: it reads one row or a batch, runs the engine for each row, and gives the outputs by name.

import { sizeOf } from '../../core/shapes'
import type { InputPort, Port, TracedModel } from '../traced'
import { IS_BATCH, PUT, REFUSE, STRINGS } from './parts'
import { arrayOf, type EngineText } from './program'
import { quote } from './quote'
import { TIME_IN, readerText } from './readers'

/** The statements of a module between the engine and the exports: they declare `predict`. */
export function predictText(traced: TracedModel, engine: EngineText): string {
  const { inputs, takesOne } = traced
  const writes = writesOf(inputs, engine.parameters)
  const [input] = inputs
  const reads = takesOne
    ? [writes[0]!('x', quote(input!.name))]
    : [
        `checkNames(x, ${quote(inputs.map(({ key }) => key))})`,
        ...inputs.map(({ key }, i) => writes[i]!(`x[${quote(key)}]`, quote(key))),
      ]
  return [
    ...partsFor(inputs, takesOne),
    `function one(x) {`,
    ...reads.map((line) => `  ${line}`),
    '  run()',
    `  return ${resultOf(traced, engine.outputs)}`,
    '}',
    takesOne ? batchesOfOne(input!, traced) : RECORDS,
  ].join('\n')
}

/** The functions that these inputs need. */
function partsFor(inputs: readonly InputPort[], takesOne: boolean): readonly string[] {
  const readers = new Set(inputs.flatMap(({ readers: each }) => each ?? []))
  const texts = [...readers].map(readerText)
  return [
    REFUSE,
    ...(inputs.some(({ readers: each }) => each === null) ? [PUT] : []),
    ...(readers.size > 0 ? [STRINGS] : []),
    ...(texts.some((text) => text.includes('timeIn(')) ? [TIME_IN] : []),
    ...texts.map((text, i) => `const reader${i} = ${text}`),
    ...(takesOne && inputs[0]!.readers === null ? [IS_BATCH] : []),
    ...(takesOne ? [] : [CHECK_NAMES]),
  ]
}

/** For each input, the statement that writes a value of one row into the engine's arrays. */
function writesOf(
  inputs: readonly InputPort[],
  parameters: readonly string[],
): readonly ((value: string, name: string) => string)[] {
  const readers = [...new Set(inputs.flatMap(({ readers: each }) => each ?? []))]
  let at = 0
  return inputs.map(({ readers: own, shape }) => {
    if (own === null) {
      const to = parameters[at++]!
      return (value, name) => `fill(${to}, ${value}, ${name})`
    }
    const arrays = own.map(() => parameters[at++]!)
    return (value, name) => {
      const calls = own.map((reader, i) => `reader${readers.indexOf(reader)}(strings, ${arrays[i]})`)
      return `{ const strings = stringsIn(${value}, ${sizeOf(shape)}, ${name}); ${calls.join('; ')} }`
    }
  })
}

function resultOf({ outputs, givesOne }: TracedModel, arrays: readonly string[]): string {
  if (givesOne) return `${arrays[0]!}.slice()`
  return `{ ${outputs.map(({ name }, i) => `${quote(name)}: ${arrays[i]!}.slice()`).join(', ')} }`
}

const CHECK_NAMES = `function checkNames(x, names) {
  if (typeof x !== 'object' || x === null) refuse('expected an object with ' + names.join(', '))
  for (const name of names) if (!(name in x)) refuse(name + ' is missing')
  for (const name of Object.keys(x)) if (names.indexOf(name) < 0) refuse('unknown name ' + name + ', expected ' + names.join(', '))
}`

/** Records: an array of them is a batch. */
const RECORDS = `function predict(x) {
  return Array.isArray(x) ? x.map(one) : one(x)
}`

function batchesOfOne({ shape, readers }: InputPort, { outputs, givesOne }: TracedModel): string {
  const size = sizeOf(shape)
  if (readers !== null) {
    const isRow = size === 1 ? "typeof x === 'string'" : "typeof x[0] === 'string'"
    return `function predict(x) {
  return ${isRow} ? one(x) : x.map(one)
}`
  }
  return `function predict(x) {
  if (!isBatch(x, ${shape.length}, ${size})) return one(x)
${givesOne ? flatBatch(size, outputs[0]!) : `  if (ArrayBuffer.isView(x)) x = Array.from({ length: x.length / ${size} }, (_, i) => x.subarray(i * ${size}, (i + 1) * ${size}))`}
  return Array.from(x, one)
}`
}

/** A typed array of several rows gives one of their outputs. */
function flatBatch(size: number, output: Port): string {
  const width = sizeOf(output.shape)
  return `  if (ArrayBuffer.isView(x)) {
    const all = new ${arrayOf(output)}((x.length / ${size}) * ${width})
    for (let i = 0; i * ${size} < x.length; i++) all.set(one(x.subarray(i * ${size}, (i + 1) * ${size})), i * ${width})
    return all
  }`
}
