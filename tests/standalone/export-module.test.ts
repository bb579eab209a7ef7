// What exportModule writes: its answers, its types, its size, and its errors.
// modes: simd

import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import ts from 'typescript'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  ArgumentError,
  Concatenate,
  Conv2D,
  Dense,
  Embedding,
  Flatten,
  GlobalAveragePooling1D,
  Input,
  LSTM,
  MaxPooling2D,
  Model,
  Normalization,
  Sequential,
  StateError,
  StringLookup,
  TextVectorization,
  tensor,
  type Tensor,
} from '../../src'
import { tableModel } from '../../src/entries/data'
import { exportModule, moduleFiles } from '../../src/entries/standalone'
import { textOf, written } from './written'

const seed = (): Sequential =>
  new Sequential(
    [
      new Dense({ units: 10, activation: 'relu', inputShape: [8] }),
      new Dense({ units: 8, activation: 'relu' }),
      new Dense({ units: 1, activation: 'sigmoid', name: 'price' }),
    ],
    { name: 'house' },
  )
const rows = (count: number, width: number): number[][] =>
  Array.from({ length: count }, (_, i) => Array.from({ length: width }, (__, j) => Math.sin(1 + 3 * i + j)))

describe('rows', () => {
  it('takes a row, rows, and typed arrays of both', async () => {
    const model = seed()
    const { predict } = await written(model)
    const x = rows(5, 8)
    const expected = [...((await model.predict(x, { batchSize: 1 })) as Tensor).data]
    expect(x.map((row) => (predict(row) as Float32Array)[0])).toEqual(expected)
    expect((predict(x) as Float32Array[]).map(([y]) => y)).toEqual(expected)
    expect((predict(x.map((row) => Float32Array.from(row))) as Float32Array[]).map(([y]) => y)).toEqual(expected)
    expect([...(predict(Float32Array.from(x.flat())) as Float32Array)]).toEqual(expected)
    expect([...(predict(Float32Array.from(x[0]!)) as Float32Array)]).toEqual(expected.slice(0, 1))
  })

  it('takes nested and flat pictures', async () => {
    const model = new Sequential([
      new Conv2D({ filters: 3, kernelSize: 3, inputShape: [6, 6, 2] }),
      new Flatten(),
      new Dense({ units: 2 }),
    ])
    const { predict } = await written(model)
    const picture = Array.from({ length: 6 }, (_, i) => rows(6, 2).map((each) => each.map((value) => value + i)))
    const expected = model.predictOnBatch(tensor([picture])).data
    expect(predict(picture)).toEqual(expected)
    expect(predict(picture.flat(2))).toEqual(expected)
    expect(predict([picture, picture])).toEqual([expected, expected])
  })

  it('has inputs and outputs by name', async () => {
    const a = Input({ shape: [2], name: 'a' })
    const b = Input({ shape: [3], name: 'b' })
    const both = new Concatenate().apply([a, b])
    const model = new Model({
      inputs: [a, b],
      outputs: { 'the "sum"': new Dense({ units: 1 }).apply(both), other: new Dense({ units: 2 }).apply(both) },
    })
    const { predict } = await written(model as unknown as Model)
    const [x, y] = [rows(2, 2), rows(2, 3)]
    const expected = model.predictOnBatch([tensor([x[0]!]), tensor([y[0]!])])
    const answer = { 'the "sum"': expected['the "sum"'].data, other: expected.other.data }
    expect(predict({ a: x[0], b: y[0] })).toEqual(answer)
    expect(predict([{ a: x[0], b: y[0] }])).toEqual([answer])
    expect(() => predict({ a: x[0] })).toThrow('b is missing')
    expect(() => predict({ a: x[0], b: y[0], c: 1 })).toThrow('unknown name c, expected a, b')
  })

  it('refuses what is no row', async () => {
    const { predict } = await written(seed())
    expect(() => predict([1, 2, 3])).toThrow('expected 8 numbers, received 3')
    expect(() => predict(['1', 2, 3, 4, 5, 6, 7, 8])).toThrow('expected numbers, received 1')
    expect(() => predict(undefined)).toThrow('expected')
    expect(() => predict(new Float32Array(9))).toThrow('expected')
    expect(() => predict([[1, 2]])).toThrow('expected 8 numbers, received 2')
  })

  it('keeps states of stateful layers between calls, as predict does', async () => {
    const model = new Sequential([
      Input({ shape: [2, 3], batchSize: 1 }),
      new LSTM({ units: 4, stateful: true }),
      new Dense({ units: 1 }),
    ])
    const { predict } = await written(model)
    const steps = [rows(2, 3), rows(2, 3)]
    for (const each of steps) expect(predict(each)).toEqual(model.predictOnBatch(tensor([each])).data)
  })
})

describe('strings', () => {
  it('looks up words and splits texts', async () => {
    const word = Input({ shape: [1], dtype: 'string', name: 'word' })
    const text = Input({ shape: [1], dtype: 'string', name: 'text' })
    const lookup = new StringLookup({ vocabulary: ['cat', 'dog', '__proto__'], outputMode: 'oneHot' })
    const vectorize = new TextVectorization({
      vocabulary: ['good', 'bad', 'not good'],
      ngrams: 2,
      outputSequenceLength: 6,
    })
    const averaged = new GlobalAveragePooling1D().apply(
      new Embedding({ inputDim: 8, outputDim: 4 }).apply(vectorize.apply(text)),
    )
    const model = new Model({
      inputs: [word, text],
      outputs: new Dense({ units: 3 }).apply(new Concatenate().apply([lookup.apply(word), averaged])),
    })
    const { predict } = await written(model as unknown as Model)
    for (const [first, second] of [
      ['cat', 'Not good!'],
      ['__proto__', ''],
      ['constructor', 'É bad  bad, good\tnot good and more words than fit'],
    ] as const)
      expect(predict({ word: first, text: second })).toEqual(
        model.predictOnBatch([[[first]], [[second]]] as never).data,
      )
    expect(() => predict({ word: 1, text: '' })).toThrow('word: expected strings, received 1')
  })

  it('takes a text, or an array of texts', async () => {
    const model = new Sequential([
      Input({ shape: [1], dtype: 'string' }),
      new TextVectorization({
        vocabulary: ['good', 'bad'],
        outputMode: 'count',
        standardize: 'lower',
        split: 'character',
      }),
      new Dense({ units: 2 }),
    ])
    expect(() => textOf(model)).toThrow(/outputSequenceLength/)
    const lookup = new Sequential([
      Input({ shape: [1], dtype: 'string' }),
      new StringLookup({ vocabulary: ['a', 'b'], maskToken: '', outputMode: 'multiHot' }),
      new Dense({ units: 2 }),
    ])
    const { predict } = await written(lookup)
    const texts = ['a', 'b', 'c', '']
    const expected = (await lookup.predict(texts as never, { batchSize: 1 })) as Tensor
    expect((predict(texts) as Float32Array[]).flatMap((each) => [...each])).toEqual([...expected.data])
    expect([...(predict('b') as Float32Array)]).toEqual(Array.from(expected.data.slice(2, 4)))
  })
})

describe('tables', () => {
  const table = Array.from({ length: 40 }, (_, i) => ({
    age: i % 7 === 0 ? null : 20 + i,
    kind: ['cat', 'dog', null][i % 3],
    born: `20${10 + (i % 10)}-0${1 + (i % 9)}-11`,
    member: i % 2 === 0,
    'odd name </script>': i * 0.5,
    answer: i % 5 > 2 ? 'yes' : 'no "</script>"\u2028',
  }))

  it('answers with names', async () => {
    const model = await tableModel(table, { target: 'answer' })
    await model.fit(table, { epochs: 2, verbose: 0 })
    const { predict } = await written(model)
    const asked = table.slice(0, 9).map(({ answer: _, ...row }) => row)
    const expected = await model.predict(asked, { labels: true, batchSize: 1 })
    expect(predict(asked)).toEqual(expected)
    expect(predict(asked[3])).toEqual(expected[3])
    expect(predict({ ...asked[1], born: new Date(asked[1]!.born) })).toEqual(expected[1])
    expect(() => predict({ ...asked[1], more: 1 })).toThrow('unknown column more')
    expect(() => predict({ ...asked[1], age: 'old' })).toThrow('column age: expected a number, received old')
    expect(() => predict({ ...asked[1], born: 'yesterday' })).toThrow('column born: expected a date')
    expect(() => predict({})).toThrow('is missing')
  })

  it('answers with a number', async () => {
    const model = await tableModel(table, { target: 'odd name </script>' })
    const { predict } = await written(model)
    const asked = table.slice(0, 5).map(({ 'odd name </script>': _, ...row }) => row)
    expect(predict(asked)).toEqual(await model.predict(asked, { labels: true, batchSize: 1 }))
  })

  it('cannot end the script or the comment in which it is', async () => {
    const model = await tableModel(table, { target: 'answer' })
    const text = textOf(model, { comment: 'MIT </script> \u2028 process.exit(1)\n*/ 2026' })
    expect(text).not.toMatch(/<\/script|[\u2028\u2029]/)
    expect((await written(model, { comment: 'one\u2028 throw 1\nthrow 2' })).info.inputs.length).toBeGreaterThan(0)
  })
})

describe('files', () => {
  let folder = ''
  beforeAll(async () => (folder = await mkdtemp(join(tmpdir(), 'exported '))))
  afterAll(() => rm(folder, { recursive: true }))

  it('writes a module and its declarations, and the same bytes each time', async () => {
    const model = seed()
    const files = await exportModule(model, join(folder, 'price.js'))
    expect((await readdir(folder)).sort()).toEqual(['price.d.ts', 'price.js'])
    expect(files.map(({ name }) => name)).toEqual(['price.js', 'price.d.ts'])
    expect(new Uint8Array(await readFile(join(folder, 'price.js')))).toEqual(files[0]!.bytes)
    expect(moduleFiles(model, 'price.js')).toEqual(files)
    const { predict } = (await import(/* @vite-ignore */ join(folder, 'price.js'))) as {
      predict: (x: number[]) => unknown
    }
    expect(predict(rows(1, 8)[0]!)).toEqual(model.predictOnBatch(rows(1, 8)).data)
  })

  it('has declarations that fit', async () => {
    const model = await tableModel(
      [
        { 'a-b': 1, kind: 'x', out: 'yes' },
        { 'a-b': 2, kind: 'y', out: 'no' },
        { 'a-b': null, kind: 'y', out: 'no' },
      ],
      { target: 'out' },
    )
    const declared = (each: Model, name: string): string => new TextDecoder().decode(moduleFiles(each, name)[1]!.bytes)
    const sources: Record<string, string> = {
      'seed.d.ts': declared(seed(), 'seed.js'),
      'table.d.ts': declared(model, 'table.js'),
      'use.ts': [
        "import { predict } from './seed.js'",
        "import { predict as ask, type Label } from './table.js'",
        'const one: Float32Array = predict([1, 2, 3, 4, 5, 6, 7, 8])',
        'const many: Float32Array[] = predict([[1], [2]])',
        "const label: 'yes' | 'no' = ask({ 'a-b': null, kind: 'x' }).label",
        'const all: Label[] = ask([]).map((each) => each.label)',
        '// @ts-expect-error a column is missing',
        "ask({ kind: 'x' })",
        '// @ts-expect-error a text is no row',
        "predict('x')",
        'export { one, many, label, all }',
      ].join('\n'),
    }
    for (const [name, text] of Object.entries(sources)) await writeFile(join(folder, name), text)
    const program = ts.createProgram({
      rootNames: [join(folder, 'use.ts')],
      options: {
        strict: true,
        noEmit: true,
        target: ts.ScriptTarget.ES2022,
        module: ts.ModuleKind.ESNext,
        moduleResolution: ts.ModuleResolutionKind.Bundler,
        types: [],
      },
    })
    const problems = ts
      .getPreEmitDiagnostics(program)
      .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))
    expect(problems).toEqual([])
  })

  it('is small', () => {
    const size = (model: Model, options = {}): number =>
      gzipSync(moduleFiles(model, 'model.js', options)[0]!.bytes).length
    expect(size(seed())).toBeLessThan(6000)
    const network = new Sequential([
      new Conv2D({ filters: 32, kernelSize: 3, activation: 'relu', inputShape: [28, 28, 1] }),
      new MaxPooling2D(),
      new Conv2D({ filters: 64, kernelSize: 3, activation: 'relu' }),
      new MaxPooling2D(),
      new Flatten(),
      new Dense({ units: 10, activation: 'softmax' }),
    ])
    expect(size(network) - 1.05 * 4 * network.countParams()).toBeLessThan(25_000)
  })

  it('has weights beside it, which it reads while it is imported', async () => {
    const model = seed()
    const files = await exportModule(model, join(folder, 'two parts.mjs'), { weights: 'beside' })
    expect(files.map(({ name }) => name)).toEqual(['two parts.mjs', 'two parts.d.mts', 'two parts.weights'])
    const { predict } = (await import(/* @vite-ignore */ join(folder, 'two parts.mjs'))) as {
      predict: (x: number[]) => unknown
    }
    expect(predict(rows(1, 8)[0]!)).toEqual(model.predictOnBatch(rows(1, 8)).data)
  })

  it.each([
    ['float16', 2 ** -11],
    ['int8', 1 / 250],
  ] as const)('stores weights as %s', async (precision, error) => {
    const model = new Sequential([new Dense({ units: 40, inputShape: [30], useBias: false })])
    const { predict } = await written(model, { precision })
    const [kernel] = model.getWeights()
    const found = Array.from(
      { length: 30 },
      (_, i) => predict(Float32Array.from({ length: 30 }, (__, j) => Number(i === j))) as Float32Array,
    )
    const largest = Math.max(...Array.from(kernel!.data, Math.abs))
    found.forEach((row, i) =>
      row.forEach((value, j) => expect(Math.abs(value - kernel!.data[40 * i + j]!)).toBeLessThan(error * largest)),
    )
    const saved = 1200 * (precision === 'int8' ? 3.5 : 2)
    expect(textOf(model, { precision }).length).toBeLessThan(textOf(model).length - saved)
  })

  it('imports its binary, for hosts that compile no bytes', async () => {
    const model = seed()
    const [module, , binary] = moduleFiles(model, 'edge.js', { wasm: 'file' })
    expect(binary!.name).toBe('edge.wasm')
    const compiled = await WebAssembly.compile(binary!.bytes)
    Reflect.set(globalThis, 'edgeWasm', compiled)
    const text = new TextDecoder().decode(module!.bytes)
    const importing = 'import compiled from "./edge.wasm"'
    expect(text).toContain(importing)
    const url = `data:text/javascript;base64,${btoa(text.replace(importing, 'const compiled = globalThis.edgeWasm').replace('→', ''))}`
    const { predict } = (await import(/* @vite-ignore */ url)) as { predict: (x: number[]) => unknown }
    expect(predict(rows(1, 8)[0]!)).toEqual(model.predictOnBatch(rows(1, 8)).data)
  })

  it('is a module of WebAssembly alone', async () => {
    const model = seed()
    const [file] = await exportModule(model, join(folder, 'price.wasm'), { maxRows: 4 })
    const module = new WebAssembly.Module(file!.bytes)
    expect(WebAssembly.Module.imports(module)).toEqual([])
    const [section] = WebAssembly.Module.customSections(module, 'myelin')
    expect(JSON.parse(new TextDecoder().decode(section))).toEqual({
      inputs: [{ name: 'house_input', shape: [8], dtype: 'float32' }],
      outputs: [{ name: 'price', shape: [1], dtype: 'float32' }],
      maxRows: 4,
    })
    const { memory, input, output, run } = new WebAssembly.Instance(module).exports as unknown as {
      memory: WebAssembly.Memory
      input: (i: number) => number
      output: (i: number) => number
      run: (rows: number) => void
    }
    const x = rows(4, 8)
    new Float32Array(memory.buffer, input(0), 32).set(x.flat())
    run(4)
    expect(new Float32Array(memory.buffer, output(0), 4).slice()).toEqual(
      ((await model.predict(x, { batchSize: 1 })) as Tensor).data,
    )
    expect([input(1), output(-1)]).toEqual([-1, -1])
    const filesFolder = process.env['WASM_FILES']
    if (filesFolder !== undefined) {
      await writeFile(join(filesFolder, 'price.wasm'), file!.bytes)
      const answers = [...((await model.predict(x, { batchSize: 1 })) as Tensor).data]
      const inputs = [[...Float32Array.from(x.flat())]]
      await writeFile(join(filesFolder, 'price.json'), JSON.stringify({ rows: 4, inputs, outputs: [answers] }))
    }
    expect(() => run(5)).toThrow(WebAssembly.RuntimeError)
  })
})

describe('refuses', () => {
  const refusals: Readonly<
    Record<string, [make: () => unknown, error: new (message: string) => Error, message: RegExp]>
  > = {
    'another ending': [
      () => moduleFiles(seed(), 'price.txt'),
      ArgumentError,
      /must end with \.js or \.mjs .* or \.wasm/,
    ],
    'no path': [() => moduleFiles(seed(), undefined as never), ArgumentError, /expected a path/],
    'no model': [() => moduleFiles({} as never, 'a.js'), ArgumentError, /expected a model/],
    'an unknown option': [() => moduleFiles(seed(), 'a.js', { size: 1 } as never), ArgumentError, /size/],
    'a model that is not built': [
      () => moduleFiles(new Sequential([new Dense({ units: 1 })]), 'a.js'),
      StateError,
      /is not built/,
    ],
    'an open extent': [
      () => moduleFiles(new Sequential([new LSTM({ units: 2, inputShape: [null, 3] })]), 'a.js'),
      ArgumentError,
      /needs every extent but that of the batch.*shapes/,
    ],
    'a file that is too large': [
      () => moduleFiles(seed(), 'a.js', { maxBytes: 1000 }),
      ArgumentError,
      /more than maxBytes 1000/,
    ],
    'an option of the other kind of file': [
      () => moduleFiles(seed(), 'a.wasm', { weights: 'beside' }),
      ArgumentError,
      /the option weights is for modules of JavaScript/,
    ],
    'rows of a module of JavaScript': [
      () => moduleFiles(seed(), 'a.js', { maxRows: 4 }),
      ArgumentError,
      /the option maxRows is for files that end with \.wasm/,
    ],
    'strings in .wasm': [
      () =>
        moduleFiles(
          new Sequential([
            Input({ shape: [1], dtype: 'string' }),
            new StringLookup({ vocabulary: ['a'], outputMode: 'oneHot' }),
          ]),
          'a.wasm',
        ),
      ArgumentError,
      /a \.wasm file takes numbers/,
    ],
  }
  it.each(Object.entries(refusals))('%s', (_, [make, error, message]) => {
    expect(make).toThrow(error)
    expect(make).toThrow(message)
  })

  it('an open extent that the option shapes fixes', async () => {
    const model = new Sequential([new LSTM({ units: 2, inputShape: [null, 3] })], { name: 'steps' })
    const { predict } = await written(model, { shapes: { steps_input: [null, 5, 3] } })
    expect(predict(rows(5, 3))).toEqual(model.predictOnBatch(tensor([rows(5, 3)])).data)
  })

  it('a model of another kind of numbers', async () => {
    const layer = new Normalization()
    await layer.adapt(rows(10, 4))
    const model = new Sequential([Input({ shape: [4] }), layer, new Dense({ units: 2 })])
    const { predict } = await written(model)
    expect(predict(rows(1, 4)[0])).toEqual(model.predictOnBatch(rows(1, 4)).data)
  })
})
