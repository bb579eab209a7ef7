// What the compiler says about a wrong option: one line that names it.
// modes: simd

import ts from 'typescript'
import { describe, expect, it } from 'vitest'

const FILE = 'tests/api/messages-of-a-compiler.ts'
/** Each call with the message that the compiler gives for it: `.` is no line end, and `$` the end of the whole. */
const CALLS: readonly (readonly [call: string, message: RegExp])[] = [
  ['new Dense({ unit: 3 })', /^Object literal may only .*'unit' does not exist .*Did you mean to write 'units'\?$/],
  ["new Dense({ units: 3, activatoin: 'relu' })", /^.*'activatoin' does not exist .* write 'activation'\?$/],
  ["new Dense(3, { activatoin: 'relu' })", /^.*'activatoin' does not exist.*$/],
  ["new Dense({ units: '3' })", /^Type 'string' is not assignable to type 'number'\.$/],
  ['new LSTM({ units: 3, returnSequence: true })', /^.*'returnSequence' does not exist .* write 'returnSequences'\?$/],
  ['new Conv2D({ filters: 3, kernel: 3 })', /^.*'kernel' does not exist.*$/],
  ['new Dropout({ rates: 0.5 })', /^.*'rates' does not exist .* write 'rate'\?$/],
  ['new Sequential([new Dense({ unit: 3 })])', /^.*'unit' does not exist .* write 'units'\?$/],
  ['new Adam({ learningrate: 0.1 })', /^.*'learningrate' does not exist.*$/],
  ['new losses.Huber({ deltas: 1 })', /^.*'deltas' does not exist .* write 'delta'\?$/],
  ['new EarlyStopping({ patiense: 3 })', /^.*'patiense' does not exist .* write 'patience'\?$/],
  ['model.fit([[1]], [1], { epoch: 3 })', /^.*'epoch' does not exist .* write 'epochs'\?$/],
  ['model.predict([[1]], { batchsize: 3 })', /^.*'batchsize' does not exist .* write 'batchSize'\?$/],
  ["model.compile({ optimiser: 'adam' })", /^.*'optimiser' does not exist .* write 'optimizer'\?$/],
  // An op has several signatures, and the compiler lists what is wrong with each.
  ['ops.softmax([[1]], { axes: 1 })', /'axes' does not exist/],
  ['random.normal([2], { means: 1 })', /'means' does not exist .* write 'mean'\?/],
  [
    "readCsv('a.csv', { targets: 'x' })",
    /^Type '"x"' is not .*UnknownOption<"targets">'\.\n  Type 'string' is not .*\.$/,
  ],
  ['Input({ shapes: [3] })', /^.*'shapes' does not exist.*$/],
  ["loadModel('a', { customObject: {} })", /^.*'customObject' does not exist .* write 'customObjects'\?$/],
]
const code = `
import { Adam, Conv2D, Dense, Dropout, EarlyStopping, Input, LSTM, Sequential, loadModel, losses, ops, random } from '../../src'
import { readCsv } from '../../src/entries/data'
const model = new Sequential()
${CALLS.map(([call]) => call).join('\n')}
`

const { config } = ts.readConfigFile('tsconfig.json', (path) => ts.sys.readFile(path))
const { options } = ts.parseJsonConfigFileContent(config, ts.sys, '.')
const host = ts.createCompilerHost(options)
const { getSourceFile, fileExists } = host
host.fileExists = (path) => path.endsWith(FILE) || fileExists(path)
host.getSourceFile = (path, target) =>
  path.endsWith(FILE) ? ts.createSourceFile(path, code, target) : getSourceFile(path, target)
const program = ts.createProgram([FILE], options, host)
const file = program.getSourceFile(FILE)!
const diagnostics = program.getSemanticDiagnostics(file)

describe('a wrong option', () => {
  it.each(CALLS)(
    '%s',
    (call, message) => {
      const start = code.indexOf(`\n${call}\n`) + 1
      const found = diagnostics.filter((each) => each.start! >= start && each.start! < start + call.length)
      const texts = found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))
      expect(texts).toHaveLength(1)
      expect(texts[0]).toMatch(message)
    },
    120_000,
  )
})
