// Models of TensorFlow.js in folders: saves that are killed, and readers while a model is replaced.
// modes: simd

import { spawn, spawnSync } from 'node:child_process'
import { createServer } from 'node:http'
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { Dense, Sequential, loadModel } from '../../../src'
import { temporaryName } from '../../../src/engine/runtime/temporary'
import { writeTfjs } from '../../../src/entries/tfjs'
import { builtEntries } from '../../helpers/built'

/** With 30, all moments of a save are met. */
const KILLS = Number(process.env['KILLS'] ?? 5)
const folder = mkdtempSync(join(tmpdir(), 'myelin-tfjs-'))
afterAll(() => rmSync(folder, { recursive: true }))

const model = (value: number): Sequential => {
  const made = new Sequential([new Dense({ units: 3, inputShape: [2] })])
  made.setWeights(
    made
      .getWeights()
      .map((each) => each.data.slice().fill(value))
      .map((data, i) => ({ data, shape: [...made.getWeights()[i]!.shape] }) as never),
  )
  return made
}

/** The list of a process that is gone. */
function leave(place: string, names: readonly string[]): void {
  const { pid } = spawnSync(process.execPath, ['-e', ''])
  writeFileSync(join(place, temporaryName('list').replace(`-${process.pid}-`, `-${pid}-`)), names.join('\n'))
  for (const name of names) writeFileSync(join(place, name), 'half')
}

describe('a folder with a model', () => {
  it('loses what killed saves left with the next one, and nothing else', async () => {
    const place = join(folder, 'killed')
    await writeTfjs(model(1), place)
    const [used] = readdirSync(place).filter((name) => name.endsWith('.bin'))
    leave(
      place,
      ['group1-12345678-shard1of2.bin', 'group1-12345678-shard2of2.bin', used!, '../model.json', 'notes.txt'].slice(
        0,
        3,
      ),
    )
    writeFileSync(join(place, 'group7-shard1of1.bin'), 'of somebody else')
    await writeTfjs(model(2), place)
    expect(
      readdirSync(place)
        .filter((name) => !/^group1-[0-9a-f]{8}-shard1of1\.bin$/.test(name))
        .toSorted(),
    ).toEqual(['group7-shard1of1.bin', 'model.json'])
    expect((await loadModel(place)).getWeights()[0]!.data[0]).toBe(2)
  })

  it('keeps the shards that another process is writing', async () => {
    const place = join(folder, 'alive')
    await writeTfjs(model(1), place)
    const own = temporaryName('list')
    writeFileSync(join(place, own), 'group1-abcdef01-shard1of1.bin')
    writeFileSync(join(place, 'group1-abcdef01-shard1of1.bin'), 'being written')
    await writeTfjs(model(2), place)
    expect(readdirSync(place)).toEqual(expect.arrayContaining([own, 'group1-abcdef01-shard1of1.bin']))
  })

  it('is read while it is replaced', async () => {
    const place = join(folder, 'replaced')
    await writeTfjs(model(0), place)
    const progress = { isDone: false }
    const saving = (async () => {
      for (let i = 1; i <= 25; i++) await writeTfjs(model(i), place)
      progress.isDone = true
    })()
    const found: number[] = []
    while (!progress.isDone) {
      const weights = (await loadModel(place)).getWeights()
      const values = new Set(weights.flatMap(({ data }) => [...data]))
      expect(values.size).toBe(1)
      found.push([...values][0]!)
    }
    await saving
    expect(found).toEqual(found.toSorted((a, b) => a - b))
    expect(readdirSync(place)).toHaveLength(2)
  })

  it(
    'is whole for readers while processes that save are killed, and has nothing of them after the next save',
    { timeout: 120_000 },
    async () => {
      const place = join(folder, 'killed-for-real')
      const { node, tfjs } = await builtEntries(join(folder, 'built'), ['node', 'tfjs'])
      const script = join(folder, 'save.mjs')
      writeFileSync(
        script,
        `import { Dense, Sequential, tensor } from ${JSON.stringify(node)}
      import { writeTfjs } from ${JSON.stringify(tfjs)}
      const model = new Sequential([new Dense({ units: 1500, inputShape: [1000] })])
      for (let i = 1; ; i++) {
        model.setWeights(model.getWeights().map(({ data, shape }) => tensor(data.slice().fill(i), shape)))
        await writeTfjs(model, ${JSON.stringify(place)})
        if (i === 1) console.log('saved')
      }`,
      )
      for (let kill = 0; kill < KILLS; kill++) {
        const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] })
        const ended = new Promise<NodeJS.Signals | null>((resolve) =>
          child.on('exit', (_code, signal) => resolve(signal)),
        )
        await new Promise((resolve) => child.stdout.once('data', resolve))
        setTimeout(() => child.kill('SIGKILL'), (kill * 37) % 150)
        while (child.exitCode === null && child.signalCode === null) {
          const [kernel, bias] = (await loadModel(place)).getWeights()
          expect([kernel!.data.at(-1), bias!.data[0]]).toEqual([kernel!.data[0], kernel!.data[0]])
        }
        expect(await ended).toBe('SIGKILL')
      }
      await writeTfjs(model(7), place)
      expect(readdirSync(place)).toHaveLength(2)
      expect((await loadModel(place)).getWeights()[0]!.data[0]).toBe(7)
    },
  )

  it('is read from another host to which a shard leads only if the model itself led there', async () => {
    const place = join(folder, 'redirected')
    await writeTfjs(model(1), place)
    const files = (name: string): Buffer => readFileSync(join(place, name.split('/').at(-1)!))
    const other = createServer((request, response) => response.end(files(request.url!)))
    const server = createServer((request, response) => {
      const name = request.url!.slice(1)
      const { port } = other.address() as AddressInfo
      const isAway = name.startsWith('all/') || (name.startsWith('away/') && name.endsWith('.bin'))
      if (isAway) response.writeHead(302, { location: `http://127.0.0.1:${port}/${name}` }).end()
      else if (name.startsWith('here/') && name.endsWith('.bin'))
        response.writeHead(307, { location: `/${name.slice(5)}` }).end()
      else response.end(files(name))
    })
    const listen = (each: typeof server): Promise<void> =>
      new Promise((resolve) => each.listen(0, '127.0.0.1', resolve))
    await Promise.all([listen(server), listen(other)])
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const firstOf = async (source: Parameters<typeof loadModel>[0]): Promise<number | undefined> =>
      (await loadModel(source)).getWeights()[0]!.data[0]
    try {
      const refused = loadModel(`${base}/away/model.json`)
      await expect(refused).rejects.toThrow(/leads to another host.*pass them as a list: loadModel\(\[new File/)
      // What the error says to do.
      const listed = readdirSync(place).map((name) => new File([readFileSync(join(place, name))], name))
      expect(await firstOf(listed)).toBe(1)
      expect(await firstOf(`${base}/here/model.json`)).toBe(1)
      expect(await firstOf(`${base}/all/model.json`)).toBe(1)
    } finally {
      server.close()
      other.close()
    }
  })
})
