// The layer of docs/adding-a-layer.md: it is compiled like a file of src/layers/core, has the laws of its row, and goes into a file
// and back.
// modes: simd

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import ts from 'typescript'
import { ShapeError, Sequential, loadModel, tensor, type Layer, type Tensor } from '../../src'
import { readDocument } from '../helpers/documented'
import { Input } from './examples'

const root = fileURLToPath(new URL('../../', import.meta.url))
const page = readDocument('docs/adding-a-layer.md')
const [whole, override, row] = [...page.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code]) => code!)

// A folder as deep as src/layers/core, so that the imports have the same number of steps up.
const folder = `${root}build/documented/core`
const file = `${folder}/scale.ts`
beforeAll(() => {
  mkdirSync(folder, { recursive: true })
  const imports = /from '(\.\.?\/[^']*)'/g
  writeFileSync(
    file,
    whole!.replace(imports, (_, path: string) => `from '../../../src/layers/core/${path}'`),
  )
})
afterAll(() => rmSync(`${root}build/documented`, { recursive: true }))

it('compiles', () => {
  const { config } = ts.readConfigFile(`${root}tsconfig.json`, (path) => readFileSync(path, 'utf8'))
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root)
  const program = ts.createProgram([file], options)
  const source = program.getSourceFile(file)
  const problems = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)]
  expect(problems.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))).toEqual([])
})

type Scale = new (options?: object) => Layer<Tensor>

it('computes, rejects and is saved as the page says', async () => {
  const { Scale } = (await import(/* @vite-ignore */ pathToFileURL(file).href)) as { Scale: Scale }
  const model = new Sequential([new Scale({ limit: 1.5, inputShape: [4] })])
  model.weights[0]!.assign(tensor([1, 2, 3, 4]))
  const x = tensor([[1, 1, 0.25, -1]])
  expect(model.predictOnBatch(x).toArray()).toEqual([[1, 1.5, 0.75, -4]])
  expect(() => model.layers[0]!.apply(tensor([[1, 2]]))).toThrow(ShapeError)
  const again = await loadModel(await model.save(), { customObjects: { Scale } })
  expect(again.predictOnBatch(x as never).toArray()).toEqual([[1, 1.5, 0.75, -4]])
})

it('shows the same check twice', () => {
  const plain = (code: string): string => code.replace(/^ +/gm, '').trim()
  expect(plain(whole!)).toContain(plain(override!.replace(/^.*\n/, '')))
})

it('has a row for the contract test', () => {
  // oxlint-disable-next-line typescript/no-implied-eval -- the code comes from our own documentation
  const { Scale } = new Function('Input', `return { ${row} }`)(Input) as { Scale: [{ options: object; input: Input }] }
  expect(Scale[0].options).toEqual({ limit: 1.5 })
  expect(Scale[0].input.spec(2).shape).toEqual([2, 4])
})
