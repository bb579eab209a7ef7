// The code of the documents: of each page, all blocks in their order, as one module in a process and a folder of its own, with the
// package. So a reader can paste them. tests/browser runs the code that needs a page of a browser.
// modes: simd

import { execFile } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import ts from 'typescript'
import * as myelin from '../../src'
import { blocksOf, documents, filesOf, programOf } from '../../scripts/pages.mjs'
import { builtEntries } from '../helpers/built'
import { readDocument } from '../helpers/documented'

/** In the repository, so that the package finds its dependencies. */
const folder = fileURLToPath(new URL('../../build/pages', import.meta.url))

/** What `myelin` exports, but not its entries for other hosts. */
const { exports } = JSON.parse(readDocument('package.json')) as { readonly exports: object }
const subPaths = Object.keys(exports)
  .filter((path) => path !== '.' && path !== './package.json')
  .map((path) => path.slice(2))

beforeAll(async () => {
  rmSync(folder, { recursive: true, force: true })
  const home = join(folder, 'node_modules/myelin')
  const built = await builtEntries(home, ['node', ...subPaths])
  const entries = subPaths.map((name) => [`./${name}`, built[name]] as const)
  const relative = ([path, address]: readonly [string, string | undefined]) =>
    [path, `./${fileURLToPath(address!).slice(home.length + 1)}`] as const
  // Without a package of its own, `myelin` would mean that of the repository.
  writeFileSync(join(folder, 'package.json'), '{ "name": "pages" }')
  writeFileSync(
    join(home, 'package.json'),
    JSON.stringify({
      name: 'myelin',
      type: 'module',
      exports: Object.fromEntries([['.', built['node']] as const, ...entries].map(relative)),
    }),
  )
}, 120_000)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Pages whose program needs another host than Node, and the test that runs it there. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  'docs/react-native.md': 'tests/engine/runtime/without-wasm.test.ts',
  'docs/worker.md': 'tests/browser/documented.mjs',
}

/** What is true after the program of a page has run, as expressions of its variables. */
const CLAIMS: Readonly<Record<string, readonly string[]>> = {
  'README.md': [
    "Object.keys(history.history).join() === 'loss,accuracy,valLoss,valAccuracy'",
    'history.history.loss.length === 10',
    'accuracy >= 0 && accuracy <= 1 && loss > 0',
    "predictions.shape.join() === '100,1' && predictions.dtype === 'float32'",
    'predictions.toArray()[3][0] === predictions.data[3]',
    'model.countParams() === 9 * 10 + 11 * 8 + 9',
    'again.predictOnBatch(x.slice(0, 100)).data.every((value, i) => value === predictions.data[i])',
  ],
  'docs/balance.md': [
    'history.reports.health.length === 10',
    "mixedX.shape.join() === '80,8'",
    'Array.isArray(homeostat.log)',
  ],
  'docs/callbacks.md': [
    'history.history.valLoss.length > 0',
    "new Counter().getState() === 0 && store.read('a') === null",
  ],
  'docs/choosing.md': ['accuracy > 0.9'],
  'docs/zh/choosing.md': ['accuracy > 0.9'],
  'docs/custom.md': [
    'copy.predictOnBatch(xTrain).data.every((value, i) => value === gated.predictOnBatch(xTrain).data[i])',
    'largest === 2',
  ],
  'docs/keras-hub.md': [
    "history.perplexity.at(-1) < 1.2 && greedy.startsWith('Row, row, row your boat')",
    'drawn.length === 2 && [drawn[1], ofFive, beams].every((text) => /^(?:Twinkle|Merrily), [a-z]/.test(text))',
    "'Row, row' + sung === greedy && answer.startsWith('Up above the world you fly, like a tea tray') && same === answer",
  ],
  'docs/language.md': [
    "whole.startsWith('The sky is blue') && streamed === whole.slice('The sky'.length)",
    "drawn.startsWith('The') && searched.startsWith('The') && adapted.startsWith('The sky is')",
    'score.logProbabilities.length === score.tokens.length - 1 && perplexity < 5',
    "history.history.loss.length === 3 && files.has('adapter_model.safetensors')",
  ],
  'docs/data.md': [
    'JSON.stringify(first) === JSON.stringify([{ rooms: 2, area: 54.5, built: 893980800000, heating: 1 }, 720])',
    "columns.length === 5 && vocabulary.heating.join('|') === 'district, new|gas|pump'",
    'Math.abs(means.area - (54.5 + 81 + 102.5) / 3) < 1e-6',
    '(await unseen.toArray())[2].x.join() === [1, means.area, 1].join()',
    "numbers.toArray().join() === '2,1,2'",
    "batch.x.shape.join() === '4,3' && batch.y.shape.join() === '4'",
    "pixels.shape.join() === '2,2' && labels.toArray().join() === '7,1'",
    "history.history.valLoss.length === 20 && loss > 0 && rents.shape.join() === '3,1' && fare.shape.join() === '1,1'",
    "(await lines.toArray()).join() === 'one,two' && praise.join() === 'true,false'",
    "photo.shape.join() === '48,64,3' && grey.shape.join() === '48,64,1'",
    "train.files.length === 4 && validation.files.length === 2 && train.classNames.join() === 'cat,dog,elk'",
    "x.toArray().join() === '1,2,3,4' && y.toArray().join() === '0,1'",
    'xTest.length === 8 && yTest.length === 8',
    "Object.keys(mean).join() === 'loss,accuracy' && std.loss >= 0",
    "(await windows.toArray())[0].map(({ shape }) => shape.join()).join(' ') === '73,14 73'",
  ],
  'docs/explain.md': [
    "attributions.shape.join() === '40,8'",
    "svg.includes('Why this answer?')",
    "honest.predictOnBatch(xTest).shape.join() === '40,1' && error >= 0 && temperature > 0",
    "heatMap.shape.join() === '30,8,8'",
  ],
  'docs/files.md': ['again.countParams() === model.countParams() && bytes instanceof Uint8Array'],
  'docs/first-network.md': [
    'history.history.loss.length === 100 && accuracy > 0.9 && apple[0] < 0.1 && lemon[0] > 0.9',
    'again.predictOnBatch([[1.7, 0.2], [1, 0.9]]).data.every((value, i) => value === answer.data[i])',
    "[picture, curve].every(({ svg }) => svg.startsWith('<svg '))",
  ],
  'docs/from-brain-js.md': ["answer > 0.9 && dark.shape.join() === '1,1'"],
  'docs/from-keras.md': ["history.history.valLoss.length === 5 && answers.shape.join() === '64,1'"],
  'docs/from-tensorflow-js.md': [
    'history.history.valLoss.length === 20 && answers.data instanceof Float32Array',
    "doubled.flat().join() === '4,6,8,10' && slope.flat().join() === '2,4,6,8'",
  ],
  'docs/growing-out.md': ['grown.countParams() === model.countParams()'],
  'docs/images.md': [
    "scores.shape.join() === '1,3'",
    'history.history.valAccuracy.at(-1) > 0.9 && losses.loss.at(-1) < losses.loss[0]',
    'corner.trainableWeights.length === 2',
  ],
  'docs/index.md': ['answers.data[1] > answers.data[0] && answers.data[2] > answers.data[3]'],
  'docs/keras-files.md': ["doubling.predictOnBatch([[1, 2, 3, 4]]).data.join() === '2,4,6,8'"],
  'docs/models.md': [
    "price.shape.join() === '64,1' && kind.shape.join() === '64,3' && shape.join() === '64,16'",
    'features.weights[0] === trunk.weights[0] && residual.countParams() === 2 * (8 * 8 + 8) + 9',
  ],
  'docs/onnx.md': [
    "isOnnx(bytes) && again.countParams() === model.countParams() && probabilities.shape.join() === '12,3'",
  ],
  'docs/plot.md': ["picture.svg.startsWith('<svg ') && history.history.valLoss.length === 30"],
  'docs/preprocessing.md': ["moved.images.shape.join() === '2,48,64,3' && brighter.shape.join() === '2,48,64,3'"],
  'docs/reinforcement-learning.md': ['mean(lengths.slice(-20)) > 2 * mean(lengths.slice(0, 20))'],
  'docs/search.md': ['result.trials.length === 4'],
  'docs/start.md': ["model.predictOnBatch([[1, 2]]).shape.join() === '1,1'"],
  'docs/tables.md': [
    "Object.keys(worth.importances).join() === 'class,sex,age,boarded' && why.attributions.sex.shape.join() === '1'",
    "answer.label === 'yes' && answer.probabilities.no >= 0 && answer.probabilities.yes >= 0",
    'JSON.stringify(same) === JSON.stringify(answer)',
    "numbers.join() === 'class,age' && Object.keys(own.table.columns).join() === 'class,sex,age'",
    "JSON.stringify(prices) === JSON.stringify([{ brot: 'Weizen', preis: 1234.5 }, { brot: 'Roggen', preis: 3.25 }])",
    'JSON.stringify(await (await ask({})).json()) === JSON.stringify(answer)',
    "(await (await ask({ age: 'old' })).json()).error.includes(\"column 'age': expected a number, received 'old'\")",
  ],
  'docs/text.md': [
    "numbers.shape.join() === '6,6' && opinions.data[0] > 0.5 && opinions.data[1] < 0.5 && opinion.data[0] === opinions.data[0]",
    // The LSTM skips the padding.
    'reader.predictOnBatch([[0, 12, 7, 431]]).data.join() === reader.predictOnBatch([[12, 7, 431]]).data.join()',
    'continued.join() === song.slice(0, 8).join()',
  ],
  'docs/tfjs-graph-models.md': ["probabilities.shape.join() === '32,3' && again.countParams() === 12"],
  'docs/thrift.md': [
    "spent.reports.footprint.joules.unit === 'J'",
    'half.countParams() < model.countParams() && ofBytes.countParams() > 0',
  ],
  'docs/time-series.md': ["meanAbsoluteError < Math.min(ofLast, ofYesterday) && forecast.shape.join() === '1,6'"],
  'docs/training-loops.md': [
    'loss.item() < 0.1 && model.countParams() === 9 * 10 + 11 * 8 + 9',
    "Object.keys(history).sort().join() === 'loss,mae' && value.item() === 10 && slope.toArray().join() === '-6,2'",
  ],
  'docs/standalone.md': [
    "info.outputs[0].shape.join() === '3' && answers.length === 2 && flat.length === 6",
    'answer.every((value, i) => value === answers[0][i] && value === flat[i])',
    'model.predictOnBatch([[5.1, 3.5, 1.4, 0.2]]).data.every((value, i) => value === answer[i])',
  ],
  'docs/weights.md': ["found['fc.weight'].to === 'dense/kernel'"],
}

/** What the Python of a page writes for the program after it, which does without where that has not run. */
const OF_PYTHON: Readonly<Record<string, string>> = { 'docs/onnx.md': 'tests/golden/onnx/pipeline.onnx' }

/** What claims need besides the variables of a page. */
const HELPERS: Readonly<Record<string, string>> = {
  'docs/tables.md': `const ask = (row) => answerTo(new Request('https://localhost', { method: 'POST', body:
    JSON.stringify({ class: 1, sex: 'female', age: null, boarded: '1912-04-10', ...row }) }))`,
}

/** Runs the program of a page in a folder of its own. @returns what it prints, and the error that ends it */
function run(document: string, program: string): Promise<{ readonly printed: string; readonly error: string }> {
  const home = join(folder, document.replace(/\W/g, '-'))
  mkdirSync(home, { recursive: true })
  for (const [name, code] of filesOf(document)) writeFileSync(join(home, name), code)
  const written = OF_PYTHON[document]
  if (written !== undefined) copyFileSync(written, join(home, basename(written)))
  const claims = (CLAIMS[document] ?? []).map((claim) => `[${JSON.stringify(claim)}, async () => (${claim})]`)
  const checks = `${HELPERS[document] ?? ''}
for (const [claim, holds] of [${claims.join(',\n')}])
  if ((await holds()) !== true) throw new Error('after the page this is not true: ' + claim)`
  const { outputText } = ts.transpileModule(`${program}\n${checks}`, {
    compilerOptions: { target: ts.ScriptTarget.ESNext, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true },
  })
  writeFileSync(join(home, 'page.mjs'), outputText)
  return new Promise((resolve) => {
    execFile(process.execPath, ['page.mjs'], { cwd: home, timeout: 300_000 }, (failure, printed, error) =>
      resolve({ printed, error: failure === null ? '' : `${failure.message}\n${error}` }),
    )
  })
}

const programs = documents.flatMap((document) => {
  const program = Object.hasOwn(ELSEWHERE, document) ? null : programOf(document)
  return program === null ? [] : [[document, program] as const]
})

describe.concurrent('the blocks of a page, as one program', () => {
  it.each(programs)('%s', async (document, program) => {
    const { printed, error } = await run(document, program)
    expect(error).toBe('')
    // The page shows what each block prints.
    if (document === 'docs/errors.md') expect(printed.trimEnd().split('\n')).toEqual(messagesOf(document))
    if (document === 'docs/onnx.md') expect(printed).toContain("yes\n[ 'no', 'yes' ]")
  })
})

/** The messages that a page shows. */
const messagesOf = (document: string): string[] =>
  blocksOf(document).flatMap(({ language, code }) => (language === 'text' ? [code.trimEnd()] : []))

describe('pages', () => {
  it('have no code that is not run', () => {
    expect(programs.length).toBeGreaterThan(35)
    for (const [document, test] of Object.entries(ELSEWHERE)) expect(readDocument(test)).toContain(document)
    const ran = new Set(programs.map(([document]) => document))
    expect(Object.keys(CLAIMS).filter((document) => !ran.has(document))).toEqual([])
    const other = documents.flatMap((document) => blocksOf(document).map(({ language }) => `${document}: ${language}`))
    expect(other.filter((each) => /: (?:javascript|typescript|jsx|tsx|mjs|mts)$/i.test(each))).toEqual([])
  })

  it('excerpts are of files that exist, or are files of their own', () => {
    const files = documents.flatMap((document) =>
      blocksOf(document).flatMap(({ file, code }) => (file === null ? [] : [{ document, file, code }])),
    )
    expect(files.length).toBeGreaterThan(8)
    const unknown = files.filter(
      ({ document, file, code }) => !existsSync(file) && !filesOf(document).has(file) && !/^.*, a new \w+\n/.test(code),
    )
    expect(unknown).toEqual([])
  })

  it('in Chinese have the code of the English ones, except for comments and texts', () => {
    const codeOf = (document: string) => programOf(document)!.replace(/ *\/\/.*|`[^`]*`|'[^']*'/g, '')
    for (const page of ['index', 'first-network']) expect(codeOf(`docs/zh/${page}.md`)).toBe(codeOf(`docs/${page}.md`))
  })
})

describe('docs/errors.md', () => {
  const text = readFileSync('docs/errors.md', 'utf8')

  it('has a remedy for each example, and every class of errors', () => {
    const examples = [...text.matchAll(/^### (.*)\n\n```js\n[\s\S]*?```\n\n```text\n([\s\S]*?)\n```\n\n(.*)/gm)]
    expect(examples.length).toBeGreaterThan(20)
    for (const [, title, , remedy] of examples) expect(remedy, title).toMatch(/\w/)
    const classes = Object.keys(myelin).filter((name) => /^[A-Z]\w+Error$/.test(name) && name !== 'MyelinError')
    const shown = new Set(examples.map(([, , message]) => /^\w+/.exec(message!)![0]))
    for (const name of classes) {
      expect(text).toContain(`| \`${name}\` |`)
      expect(shown, name).toContain(name)
    }
  })
})
