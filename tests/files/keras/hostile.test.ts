// Damaged and hostile archives: a FormatError, or the model, but never anything else.
// modes: simd

import * as fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { FormatError, MyelinError, loadModel } from '../../../src'
import { readKeras } from '../../../src/entries/keras'
import { readArchive, writeArchive } from '../../../src/files/containers/archive'
import { bytesOf, filesIn } from './goldens'
import { mutated } from './mutations'

const text = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value))

async function changed(path: string, change: (files: Map<string, Uint8Array>) => void): Promise<Uint8Array> {
  const files = new Map(await readArchive(bytesOf(path)))
  change(files)
  return writeArchive(files)
}

async function configOf(path: string): Promise<Record<string, unknown>> {
  const files = await readArchive(bytesOf(path))
  return JSON.parse(new TextDecoder().decode(files.get('config.json'))) as Record<string, unknown>
}

describe('an archive', () => {
  it('is read as it was written', async () => {
    const files = new Map([
      ['metadata.json', text({})],
      ['assets/layers/ä.txt', new Uint8Array(70_000).fill(7)],
    ])
    expect(await readArchive(writeArchive(files))).toEqual(files)
  })

  it.each(['../x', 'a/../../x', '/etc/x', 'C:\\x', 'a\\x'])('must not lead outside: %s', async (name) => {
    const bytes = writeArchive(new Map([[name, text(1)]]))
    await expect(readArchive(bytes)).rejects.toThrow(/leads outside/)
  })

  it('must not have two entries of a name', async () => {
    const bytes = writeArchive(
      new Map([
        ['aa', text(1)],
        ['ab', text(2)],
      ]),
    )
    const twice = bytes.map((byte, i) => (byte === 98 && bytes[i - 1] === 97 ? 97 : byte))
    await expect(readArchive(twice)).rejects.toThrow(/two entries/)
  })

  it('must not expand without limit', async () => {
    const { zipSync } = await import('fflate')
    const bomb = zipSync({ 'config.json': new Uint8Array(80_000_000) }, { level: 6 })
    expect(bomb.length).toBeLessThan(1_000_000)
    await expect(readArchive(bomb)).rejects.toThrow(/more than/)
    // The same with a small size in the directory: of the last record, 46 bytes and the name.
    const view = new DataView(bomb.buffer, bomb.byteOffset)
    const entry = view.getUint32(bomb.length - 6, true)
    expect(view.getUint32(entry + 24, true)).toBe(80_000_000)
    view.setUint32(entry + 24, 1000, true)
    await expect(readArchive(bomb)).rejects.toThrow(FormatError)
  })

  it('must have the checksum that it states', async () => {
    const bytes = writeArchive(new Map([['config.json', text({ a: 12345 })]]))
    const at = Array.from(bytes, (byte) => String.fromCharCode(byte))
      .join('')
      .indexOf('12345')
    bytes[at] = 57
    await expect(readArchive(bytes)).rejects.toThrow(/checksum/)
  })
})

describe('a configuration', () => {
  const path = '3.15/core.keras'
  const refusal = async (config: string): Promise<unknown> => {
    const bytes = await changed(path, (files) => files.set('config.json', new TextEncoder().encode(config)))
    return readKeras(bytes).catch((error: unknown) => error)
  }

  it.each([
    ['a deep list', '['.repeat(1e5) + ']'.repeat(1e5), /config.json has more than 400 levels of lists and records/],
    ['a deep record', `${'{"a":'.repeat(1e5)}1${'}'.repeat(1e5)}`, /config.json has more than 400 levels/],
    ['many lists', `[${'[],'.repeat(2 ** 19)}0]`, /config.json has more than 524288 lists and records/],
    ['many records', `[${'{},'.repeat(2 ** 19)}0]`, /config.json has more than 524288 lists and records/],
  ])('is refused before it takes memory: %s', async (_, config, message) => {
    const parse = vi.spyOn(JSON, 'parse')
    try {
      const error = await refusal(config)
      expect(error).toBeInstanceOf(FormatError)
      expect((error as Error).message).toMatch(message)
      expect(parse.mock.calls.filter(([text]) => text === config)).toEqual([])
    } finally {
      parse.mockRestore()
    }
  })

  it('may have brackets in its names', async () => {
    const { config } = (await configOf(path)) as { config: { name: string } }
    config.name = '[{"\\'.repeat(500)
    const whole = { ...(await configOf(path)), config }
    expect(await refusal(JSON.stringify(whole))).not.toBeInstanceOf(Error)
  })

  it('may not expand to more than 4 MB', async () => {
    const { zipSync } = await import('fflate')
    const files = Object.fromEntries(await readArchive(bytesOf(path)))
    const bytes = zipSync({ ...files, 'config.json': new Uint8Array(5_000_000).fill(32) }, { level: 6 })
    await expect(readKeras(bytes)).rejects.toThrow(/damaged: its config.json has 5000000 bytes/)
  })
})

describe('a file that only begins like one of Keras', () => {
  const ascii = (letters: string): number[] => Array.from(letters, (letter) => letter.charCodeAt(0))
  it.each([
    ['.keras', [...ascii('PK\x03\x04'), ...new Array<number>(26).fill(0), ...ascii('config.json')]],
    ['.h5', [...ascii('\x89HDF\r\n\x1a\n'), ...new Array<number>(90).fill(0)]],
  ])('%s', async (_title, numbers) => {
    await expect(loadModel(Uint8Array.from(numbers))).rejects.toThrow(FormatError)
  })
})

describe('a configuration', () => {
  const withConfig = async (change: (config: Record<string, never>) => void): Promise<Uint8Array> => {
    const config = (await configOf('3.15/merging.keras')) as Record<string, never>
    change(config)
    return changed('3.15/merging.keras', (files) => files.set('config.json', text(config)))
  }
  const graph = (config: Record<string, never>): { layers: Record<string, unknown>[] } & Record<string, unknown> =>
    config['config']!

  it('must not have more layers than the limit', async () => {
    const bytes = await withConfig((config) => {
      const { layers } = graph(config)
      const last = layers.at(-1)!
      for (let i = 0; i < 10_000; i++) layers.push({ ...last, name: `more_${i}` })
    })
    await expect(loadModel(bytes)).rejects.toThrow(new FormatError('The model has more than 10000 layers'))
  })

  it('must not have calls in a circle', async () => {
    const bytes = await withConfig((config) => {
      const { layers } = graph(config)
      const [add, average] = layers.filter((layer) => ['Add', 'Average'].includes(String(layer['class_name'])))
      const history = (name: unknown) => [
        { args: [{ class_name: '__keras_tensor__', config: { keras_history: [name, 0, 0] } }], kwargs: {} },
      ]
      add!['inbound_nodes'] = history(average!['name'])
      average!['inbound_nodes'] = history(add!['name'])
    })
    await expect(readKeras(bytes)).rejects.toThrow(/calls in a circle/)
  })

  it('must refer to its own layers and calls', async () => {
    for (const end of [
      ['none', 0, 0],
      ['add', 5, 0],
      ['add', 0, 9],
      ['add', -1, 0],
    ])
      await expect(readKeras(await withConfig((config) => (graph(config)['output_layers'] = [end])))).rejects.toThrow(
        MyelinError,
      )
  })

  it.each([
    ['3.15/merging.keras', 'Add'],
    ['3.15/merging.keras', 'Dot'],
    ['3.15/attention.keras', 'Attention'],
    ['3.15/attention.keras', 'AdditiveAttention'],
  ])('must not have lists in a list of inputs: %s, %s', async (path, className) => {
    const config = (await configOf(path)) as Record<string, never>
    const layer = graph(config).layers.find((each) => each['class_name'] === className)!
    const [node] = layer['inbound_nodes'] as { args: unknown[][] }[]
    node!.args[0] = node!.args[0]!.map((each) => [each])
    const bytes = await changed(path, (files) => files.set('config.json', text(config)))
    await expect(readKeras(bytes)).rejects.toThrow(MyelinError)
  })

  it('must not have a record in place of the name of a dtype', async () => {
    const config = (await configOf('3.15/merging.keras')) as Record<string, never>
    for (const layer of graph(config).layers)
      (layer['config'] as Record<string, unknown>)['dtype'] = {
        class_name: 'Policy',
        config: { name: { toString: 1 } },
      }
    const bytes = await changed('3.15/merging.keras', (files) => files.set('config.json', text(config)))
    await readKeras(bytes).catch((error: unknown) => expect(error).toBeInstanceOf(MyelinError))
  })

  it('must not be nested without end', async () => {
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`
    const bytes = await changed('3.15/merging.keras', (files) =>
      files.set('config.json', new TextEncoder().encode(deep)),
    )
    await expect(readKeras(bytes)).rejects.toThrow(/levels/)
  })

  it('must not ask for more weights than the file has', async () => {
    const bytes = await changed('3.15/core.keras', (files) => {
      const config = new TextDecoder().decode(files.get('config.json'))
      files.set('config.json', new TextEncoder().encode(config.replaceAll('"units": 3', '"units": 1000000')))
    })
    await expect(readKeras(bytes)).rejects.toThrow(/larger than the content/)
  })
})

describe('changed bytes', () => {
  const paths = ['3.15/training/scaled.keras', '3.15/training/adam.h5', '2.15/former.keras']
  it.each(paths)('of %s give a typed error or a model', async (path) => {
    const bytes = bytesOf(path)
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        fc.option(fc.nat(bytes.length), { nil: bytes.length }),
        async (edits, length) => {
          const copy = Uint8Array.from(bytes.subarray(0, length))
          for (const [at, byte] of edits) if (at < length) copy[at] = byte
          await readKeras(copy).catch((error: unknown) => expect(error).toBeInstanceOf(MyelinError))
        },
      ),
      { numRuns: 150 },
    )
  })

  it('of the configuration, with a right checksum, give a typed error or a model', async () => {
    const files = await readArchive(bytesOf('3.15/graph.keras'))
    const config = files.get('config.json')!
    await fc.assert(
      fc.asyncProperty(fc.nat(config.length - 1), fc.constantFrom(...'019"[]{},:anx-'), async (at, character) => {
        const copy = Uint8Array.from(config)
        copy[at] = character.charCodeAt(0)
        const bytes = writeArchive(new Map([...files, ['config.json', copy]]))
        await readKeras(bytes).catch((error: unknown) => expect(error).toBeInstanceOf(MyelinError))
      }),
      { numRuns: 150 },
    )
  })
})

/** KERAS_MUTATIONS sets the number of mutations of each file. The default takes some seconds. */
const MUTATIONS = Number(process.env['KERAS_MUTATIONS'] ?? 30)

describe('changed values of configurations give a typed error or a model', () => {
  const paths = [
    ...filesIn('3.15', '.keras'),
    ...filesIn('2.15', '.keras'),
    '3.15/training/cosine.keras',
    '3.15/training/scaled.keras',
  ]
  it.each(paths)(
    '%s',
    async (path) => {
      const files = await readArchive(bytesOf(path))
      const config = JSON.parse(new TextDecoder().decode(files.get('config.json'))) as never
      await fc.assert(
        fc.asyncProperty(mutated(config), async (changed) => {
          const bytes = writeArchive(new Map([...files, ['config.json', text(changed)]]))
          await readKeras(bytes).catch((error: unknown) => {
            if (!(error instanceof MyelinError)) throw error
          })
        }),
        { numRuns: MUTATIONS },
      )
    },
    1e9,
  )
})
