// Regular expressions of files find what RegExp finds, in bounded time.
// modes: simd

import { describe, expect, it } from 'vitest'
import { Adam, Dense, Muon, Sequential, loadModel, optimizers } from '../../src'
import { BoundedPattern, Effort } from '../../src/core/bounded-pattern'
import { readKeras, writeKeras } from '../../src/entries/keras'
import { typed } from '../../src/core/tree'
import { decodeContainer, encodeContainer } from '../../src/files/containers/safetensors'
import { readArchive, writeArchive } from '../../src/files/containers/archive'
import { generator } from '../helpers/data'
import { processorTime } from '../helpers/processor-time'

const bounded = (source: string, flags = ''): RegExp => new BoundedPattern(source, flags, new Effort('a test'))

describe('a bounded expression', () => {
  const texts = [
    '',
    'a',
    'dense/kernel',
    'dense_12/Bias',
    'encoder/dense_1/kernel:0',
    'a-b.c',
    'x\ny',
    'ä/β',
    '{a}',
    'aaa',
    '😀',
  ]

  it.each([
    ['bias', ''],
    ['^encoder/', ''],
    ['^(dense/kernel|dense/bias)$', ''],
    ['^(?!.*bias)', ''],
    ['(?<=dense_)\\d+(?=/)', ''],
    ['(?<!dense)/kernel', ''],
    ['\\bkernel\\b', ''],
    ['\\Bense', ''],
    ['BIAS', 'i'],
    ['[^A-Z]ias', 'i'],
    ['x.y', 's'],
    ['x.y', ''],
    ['^y$', 'm'],
    ['y', 'y'],
    ['^.$', 'u'],
    ['^.$', ''],
    ['\\u{1F600}', 'u'],
    ['\\p{Lu}', 'u'],
    ['[\\w.]+-b', 'g'],
    ['{a}', ''],
    ['a{1,2}b?', ''],
    ['[]', ''],
    ['[^]', ''],
    ['(?<name>a)+', ''],
    ['(?!)', ''],
    ['', ''],
  ])('/%s/%s finds what RegExp finds', (source, flags) => {
    const [own, plain] = [bounded(source, flags), new RegExp(source, flags)]
    for (const text of texts) {
      expect([text, own.test(text)]).toEqual([text, text.search(plain) >= 0])
      expect(text.search(own) >= 0).toBe(text.search(plain) >= 0)
    }
    expect([own.source, own.flags, own instanceof RegExp]).toEqual([plain.source, plain.flags, true])
  })

  it('finds what RegExp finds: random expressions', () => {
    const random = generator(7)
    const choose = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!
    const atom = (depth: number): string => {
      if (depth > 0 && random() < 0.4) return `(${choose(['', '?:', '?=', '?!', '?<=', '?<!'])}${one(depth - 1)})`
      return choose(['a', 'b', '.', '[ab]', '[^a]', '\\w', '\\W', '\\b', '\\B', '^', '$'])
    }
    const part = (depth: number): string => {
      const own = atom(depth)
      return /^[\^$]|^\\[bB]|^\(\?[=!<]/.test(own)
        ? own
        : own + choose(['', '', '', '*', '+', '?', '*?', '{2}', '{0,2}', '{1,}'])
    }
    const one = (depth: number): string =>
      Array.from({ length: 1 + Math.floor(random() * 3) }, () => part(depth)).join('') +
      (depth > 0 && random() < 0.2 ? `|${one(depth - 1)}` : '')
    for (let i = 0; i < 3000; i++) {
      const source = one(2)
      const flags = choose(['', 'i', 's', 'm', 'u', 'y'])
      const own = bounded(source, flags)
      for (let k = 0; k < 6; k++) {
        const text = Array.from({ length: Math.floor(random() * 7) }, () =>
          choose(['a', 'b', 'A', ' ', '\n', '-']),
        ).join('')
        expect([source, flags, text, own.test(text)]).toEqual([
          source,
          flags,
          text,
          text.search(new RegExp(source, flags)) >= 0,
        ])
      }
    }
  })

  it.each(['(a)\\1', '(?<x>a)\\k<x>', '('])('refuses /%s/ by name', (source) => {
    expect(() => bounded(source)).toThrow(/a test: .*(not supported|not a regular expression)/)
  })

  it('takes bounded time', () => {
    const started = processorTime()
    const long = 'a'.repeat(2000)
    expect(bounded('^(a+)+$').test(`${long}b`)).toBe(false)
    expect(bounded('(a|aa)+(a*)*b').test(long)).toBe(false)
    expect(() => bounded('(((.?){90}){90}){90}').test(long)).toThrow(/too long/)
    expect(() => bounded(`${'(?=.*'.repeat(50)}b${')'.repeat(50)}`).test(long)).toThrow(/too long/)
    expect(processorTime() - started).toBeLessThan(20_000)
  })
})

describe('expressions of a file', () => {
  const HANG = '^(a+)+$'
  const name = 'a'.repeat(60)
  const trained = async (optimizer: Adam | Muon): Promise<Sequential> => {
    const model = new Sequential([new Dense({ units: 2, inputShape: [2], name })])
    model.compile({ optimizer, loss: 'mse' })
    await model.fit([[0, 1]], [[0, 1]], { verbose: 0 })
    return model
  }
  const replaced = (bytes: Uint8Array): Uint8Array => {
    const { metadata, tensors } = decodeContainer(bytes)
    const description = metadata['description']!.replaceAll('^plain$', HANG)
    return encodeContainer([...tensors.values()], { ...metadata, description })
  }

  it.each([
    ['groups', () => new Adam({ groups: [{ match: /^plain$/, learningRate: 1 }] })],
    ['noWeightDecay', () => new Adam({ weightDecay: 0.1, noWeightDecay: [/^plain$/] })],
    ['excludeLayers of Muon', () => new Muon({ excludeLayers: ['^plain$'] })],
    ['excludeLayers of Muon as RegExp', () => new Muon({ excludeLayers: [/^plain$/] })],
  ])('%s: take bounded time in files of this library', async (_what, make) => {
    const bytes = replaced(await (await trained(make())).save())
    const started = processorTime()
    const model = await loadModel(bytes)
    await model.fit([[0, 1]] as never, [[0, 1]] as never, { verbose: 0 })
    expect(processorTime() - started).toBeLessThan(20_000)
    // It is written as it was.
    expect(new TextDecoder().decode(await model.save())).toContain(HANG)
  })

  it.each([
    ['groups', () => new Adam({ groups: [{ match: /^plain$/, learningRate: 1 }] })],
    ['excludeLayers of Muon', () => new Muon({ excludeLayers: ['^plain$'] })],
  ])('%s: take bounded time after they are compiled again', async (_what, make) => {
    const model = await loadModel(replaced(await (await trained(make())).save()))
    const step = (): void => void model.trainOnBatch([[0, 1]] as never, [[0, 1]] as never)
    const started = processorTime()
    model.compileFromConfig(JSON.parse(JSON.stringify(model.getCompileConfig())))
    step()
    const { optimizer } = model as Sequential
    const { constructor } = optimizer as Muon
    model.compile({ optimizer: (constructor as typeof Muon).fromConfig(optimizer!.getConfig()), loss: 'mse' })
    step()
    model.compile({ optimizer: new Muon({ excludeLayers: [HANG] }), loss: 'mse' })
    step()
    const map = new optimizers.OptimizerMap(new Adam(), { [`${HANG}b`]: new Adam() })
    model.compile({ optimizer: new optimizers.MultiOptimizer(map), loss: 'mse' })
    step()
    expect(processorTime() - started).toBeLessThan(20_000)
  })

  it('of a program may have references to groups', () => {
    const model = new Sequential([new Dense({ units: 2, inputShape: [2], name: 'abab' })])
    model.compile({ optimizer: new Muon({ excludeLayers: ['^(ab)\\1'] }), loss: 'mse' })
    model.trainOnBatch([[0, 1]], [[0, 1]])
    expect(model.optimizer!.variables.map(({ name }) => name).filter((each) => each.includes('momentum'))).toEqual([])
  })

  it('excludeLayers of Muon: take bounded time in .keras files', async () => {
    const bytes = await writeKeras(typed(await trained(new Muon({ excludeLayers: ['^plain$'] }))))
    const files = await readArchive(bytes)
    const config = new TextDecoder().decode(files.get('config.json')).replaceAll('^plain$', HANG)
    const started = processorTime()
    await readKeras(writeArchive(new Map([...files, ['config.json', new TextEncoder().encode(config)]])))
    expect(processorTime() - started).toBeLessThan(20_000)
  })

  it('take bounded time in optimizers.deserialize, and are refused if they are invalid', async () => {
    const saved = (source: string) => ({
      className: 'Adam',
      config: { groups: [{ match: { className: 'RegExp', config: { source, flags: '' } } }] },
    })
    const model = new Sequential([new Dense({ units: 2, inputShape: [2], name })])
    const started = processorTime()
    model.compile({ optimizer: optimizers.deserialize(saved(HANG)), loss: 'mse' })
    await model.fit([[0, 1]], [[0, 1]], { verbose: 0 })
    expect(processorTime() - started).toBeLessThan(20_000)
    expect(() => optimizers.deserialize(saved('('))).toThrow(/not a regular expression/)
  })
})
