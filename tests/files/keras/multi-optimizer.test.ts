// MultiOptimizer in files of Keras: keys are matched to paths, and a file decides neither the time nor the memory that this takes.
// modes: simd

import { describe, expect, it } from 'vitest'
import { Adam, Dense, Input, Model, Sequential, SGD, optimizers } from '../../../src'
import { readKeras, writeKeras } from '../../../src/entries/keras'
import { readArchive, writeArchive } from '../../../src/files/containers/archive'
import { Effort, wholePattern } from '../../../src/core/bounded-pattern'
import { processorTime } from '../../helpers/processor-time'
import { bytesOf } from './goldens'

const test = (source: string, text: string): boolean => wholePattern(source, new Effort('MultiOptimizer'))(text)

describe('an expression matches whole paths', () => {
  it.each([
    ['a/kernel', 'a/kernel', true],
    ['a/kernel', 'a/kernel_1', false],
    ['a', 'a/kernel', false],
    ['a|ab', 'ab', true],
    ['.*/kernel', 'a/b/kernel', true],
    ['.*/kernel', 'kernel', false],
    ['encoder/.+', 'encoder/', false],
    ['(?:a|b)?/k', '/k', true],
    ['(?P<name>a)*', 'aaa', true],
    [String.raw`dense_\d+/[a-km]+`, 'dense_12/am', true],
    [String.raw`dense_\d+/[a-km]+`, 'dense_12/al', false],
    ['[^/]*/bias', 'a/b/bias', false],
    ['[]^-]+', ']^-', true],
    ['a{2}', 'aa', true],
    ['a{2}', 'aaa', false],
    ['a{1,2}b', 'aab', true],
    ['a{1,2}b', 'aaab', false],
    ['a{2,}', 'aaaa', true],
    ['a{2,}', 'a', false],
    ['a{0}b', 'b', true],
    ['(a|b){2}c', 'abc', true],
    [String.raw`a\.b`, 'axb', false],
    ['a.b', 'axb', true],
    ['(a*)*b', 'aab', true],
    ['', '', true],
  ])('%s and %s: %s', (source, text, expected) => {
    expect(test(source, text)).toBe(expected)
    // The same as RegExp, which has another syntax for names of groups and for `]` in a class.
    expect(new RegExp(`^(?:${source.replace('?P<', '?<').replace('[]', String.raw`[\]`)})$`).test(text)).toBe(expected)
  })

  it.each(['(?=a)', String.raw`(a)\1`, 'a{', '(a', 'a)', '[a', '*a', 'a{3,2}', String.raw`a\b`, 'x\\'])(
    '%s is refused by name',
    (source) => {
      expect(() => test(source, 'a')).toThrow(/expression.*not supported.*compile: false/)
    },
  )

  it('takes bounded time', () => {
    const started = processorTime()
    expect(test('(a+)+(a+)+(a|aa)*b', 'a'.repeat(2000))).toBe(false)
    expect(() => test('(.{500}){500}{500}', 'a')).toThrow(/not supported|too long/)
    expect(() => test('(((.?){90}){90}){90}', 'a'.repeat(9000))).toThrow(/too long/)
    expect(() => test('('.repeat(1000), 'a')).toThrow(/not supported/)
    expect(processorTime() - started).toBeLessThan(10_000)
  })
})

/** A file of Keras with another configuration. */
async function withMap(change: (config: Record<string, never>) => void): Promise<Uint8Array> {
  const files = new Map(await readArchive(bytesOf('3.15/training/several.keras')))
  const config = JSON.parse(new TextDecoder().decode(files.get('config.json'))) as {
    compile_config: { optimizer: { config: Record<string, never> } }
  }
  change(config.compile_config.optimizer.config)
  files.set('config.json', new TextEncoder().encode(JSON.stringify(config)))
  return writeArchive(files)
}

interface Map {
  readonly optimizer_map: { readonly config: { optimizer_map: Record<string, unknown> } }
}

describe('a file of Keras', () => {
  it.each<[what: string, change: (config: Record<string, never>) => void, error: RegExp]>([
    [
      'a function in place of a map',
      (config) => Object.assign(config, { optimizer_map: { class_name: 'function', config: 'choose' } }),
      /function of Python.*compile: false/,
    ],
    [
      'several keys for a path',
      (config) => {
        const { config: map } = (config as unknown as Map).optimizer_map
        map.optimizer_map = Object.fromEntries(
          Object.values(map.optimizer_map).map((each, i) => [`.*kerne${i === 0 ? 'l' : '.'}`, each]),
        )
      },
      /several keys match 'several\/hidden\/kernel': \.\*kernel; \.\*kerne\./,
    ],
    ['a factor of the loss', (config) => Object.assign(config, { loss_scale_factor: 2 }), /loss_scale_factor/],
    ['no map', (config) => Object.assign(config, { optimizer_map: null }), /function of Python/],
  ])('with %s is refused', async (_what, change, error) => {
    const bytes = await withMap(change)
    await expect(readKeras(bytes)).rejects.toThrow(error)
    await expect(readKeras(bytes, { compile: false })).resolves.toBeInstanceOf(Model)
  })
})

describe('a model made here', () => {
  it('keeps a MultiOptimizer that never made a step, and one without a rest', async () => {
    const model = new Sequential([
      new Dense({ units: 2, inputShape: [3], name: 'a' }),
      new Dense({ units: 1, name: 'b' }),
    ])
    const pairs = [
      [new SGD(0.1), 'a/'],
      [new Adam(0.2), 'nothing'],
      [new Adam(0.3), /b/],
    ] as const
    model.compile({ optimizer: new optimizers.MultiOptimizer(pairs), loss: 'mse' })
    const again = await readKeras(await writeKeras(model))
    expect(again.optimizer.members.map(({ learningRate }) => Number(learningRate.toFixed(6)))).toEqual([0.1, 0.2, 0.3])
    const rows = [
      [1, 2, 3],
      [3, 2, 0],
    ]
    const options = { epochs: 3, shuffle: false, verbose: 0 } as const
    const expected = await model.fit(rows, [[1], [2]], options)
    expect((await again.fit(rows, [[1], [2]], options)).history['loss']).toEqual(expected.history['loss'])
  })

  it('is refused if one path in Keras has two optimizers', async () => {
    const [one, two] = ['one', 'two'].map((name) => {
      const x = Input({ shape: [3] })
      return new Model({ inputs: x, outputs: new Dense({ units: 3, name: 'same' }).apply(x), name })
    }) as [Model, Model]
    const x = Input({ shape: [3] })
    const model = new Model({ inputs: x, outputs: two.apply(one.apply(x)) as never })
    model.compile({ optimizer: new optimizers.MultiOptimizer([[new SGD(0.1), one], ['adam']]), loss: 'mse' })
    await expect(writeKeras(model)).rejects.toThrow(/MultiOptimizer.*same\/kernel; same\/bias.*different names/)
  })
})
