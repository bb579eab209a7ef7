// Folders with what is no picture of a class: folders of programs, pipes, links that lead nowhere.
// modes: simd

import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { DataError } from '../../src'
import { audioDatasetFromDirectory, imageFolder, readText, textDatasetFromDirectory } from '../../src/entries/data'

const animals = new URL('../golden/data/animals', import.meta.url).pathname
const folder = mkdtempSync(join(tmpdir(), 'myelin-folders-'))
afterAll(() => rmSync(folder, { recursive: true }))

const options = { imageSize: [4, 4], batchSize: null, shuffle: false } as const

it('a folder whose name begins with a point is no class, and its files are not read', async () => {
  const root = join(folder, 'hidden')
  cpSync(animals, root, { recursive: true })
  const expected = await imageFolder(root, options)
  mkdirSync(join(root, '.ipynb_checkpoints'))
  cpSync(join(animals, 'cat'), join(root, 'cat', '.ipynb_checkpoints'), { recursive: true })
  writeFileSync(join(root, 'cat', '._0.png'), 'not a picture')
  const found = await imageFolder(root, options)
  expect([found.classNames, found.files]).toEqual([expected.classNames, expected.files])
  expect((await imageFolder(root, { ...options, labels: null })).files).toEqual(expected.files)
})

it('a pipe and a link that leads nowhere are broken files, which end the pass or are collected', async () => {
  const root = join(folder, 'odd')
  cpSync(animals, root, { recursive: true })
  const count = (await imageFolder(root, options)).files.length
  execFileSync('mkfifo', [join(root, 'cat', 'y.png')])
  symlinkSync(join(root, 'nowhere.png'), join(root, 'cat', 'z.png'))
  symlinkSync(join(root, 'dog'), join(root, 'cat', 'x.png'))
  await expect((await imageFolder(root, options)).toArray()).rejects.toThrow(DataError)
  const collected = await imageFolder(root, { ...options, onError: 'collect' })
  expect((await collected.toArray()).length).toBe(count)
  expect(collected.errors.map(({ message }) => message).sort()).toEqual([
    `${join(root, 'cat', 'x.png')} is not a regular file: it is a link to something else`,
    `${join(root, 'cat', 'y.png')} is not a regular file`,
    `${join(root, 'cat', 'z.png')} is a link that leads nowhere`,
  ])
})

it('a link to a folder is a class, as in Keras; one that leads nowhere or around in a circle adds no files', async () => {
  const root = join(folder, 'links')
  cpSync(animals, root, { recursive: true })
  const count = (await imageFolder(root, options)).files.length
  symlinkSync(join(animals, 'dog'), join(root, 'hound'))
  symlinkSync('/nowhere', join(root, 'ghost'))
  symlinkSync('..', join(root, 'cat', 'up'))
  const found = await imageFolder(root, options)
  expect(found.classNames).toEqual(['cat', 'dog', 'elk', 'hound'])
  expect(found.files.length).toBe(count + 3)
  expect((await found.toArray()).map((element) => element[1])).toEqual([0, 0, 1, 1, 1, 2, 3, 3, 3])
})

it('sparse files of any size are broken files', async () => {
  const root = join(folder, 'sparse')
  cpSync(animals, root, { recursive: true })
  const sizes = { 'w.png': 2 ** 31, 'x.png': 2 ** 43, 'y.wav': 2 ** 31, 'z.txt': 2 ** 31 }
  for (const [name, size] of Object.entries(sizes)) {
    writeFileSync(join(root, 'cat', name), '')
    truncateSync(join(root, 'cat', name), size)
  }
  const message = (name: keyof typeof sizes) =>
    `${join(root, 'cat', name)} has ${sizes[name]} bytes. At most 2147483647 are read`
  const collected = await imageFolder(root, { ...options, onError: 'collect' })
  expect((await collected.toArray()).length).toBe(collected.files.length - 2)
  expect(collected.errors.map((error) => error.message).sort()).toEqual([message('w.png'), message('x.png')])
  const others = [
    ['y.wav', await audioDatasetFromDirectory(root)],
    ['z.txt', await textDatasetFromDirectory(root)],
  ] as const
  for (const [name, dataset] of others) await expect(dataset.toArray()).rejects.toThrow(message(name))
})

it.runIf(existsSync('/proc/self/mounts'))(
  'a link to a file of /proc, which may be endless, is a broken file',
  async () => {
    const root = join(folder, 'special')
    cpSync(animals, root, { recursive: true })
    for (const name of ['y.png', 'z.txt']) symlinkSync('/proc/self/mounts', join(root, 'cat', name))
    const message = (name: string) => `${join(root, 'cat', name)} is a link to a special file, which has no size`
    const collected = await imageFolder(root, { ...options, onError: 'collect' })
    expect((await collected.toArray()).length).toBe(collected.files.length - 1)
    expect(collected.errors.map((error) => error.message)).toEqual([message('y.png')])
    await expect((await textDatasetFromDirectory(root)).toArray()).rejects.toThrow(message('z.txt'))
  },
)

it('a file that is gone when it is read is a broken file', async () => {
  const root = join(folder, 'gone')
  cpSync(animals, root, { recursive: true })
  writeFileSync(join(root, 'cat', 'y.png'), '')
  const collected = await imageFolder(root, { ...options, onError: 'collect' })
  rmSync(join(root, 'cat', 'y.png'))
  expect((await collected.toArray()).length).toBe(collected.files.length - 1)
  expect(collected.errors.map((error) => error.message)).toEqual([
    expect.stringContaining(`'${join(root, 'cat', 'y.png')}' cannot be read: there is no such file`),
  ])
})

it('the same for texts', async () => {
  const root = join(folder, 'texts')
  mkdirSync(join(root, 'a'), { recursive: true })
  execFileSync('mkfifo', [join(root, 'a', 'y.txt')])
  await expect((await textDatasetFromDirectory(root)).toArray()).rejects.toThrow('y.txt is not a regular file')
})

it('a text that is too long for a string is said to be so', async () => {
  const bytes = new Uint8Array(2 ** 29).fill(97)
  bytes[1] = 10
  await expect(readText(bytes, { by: 'file' }).toArray()).rejects.toThrow(/a text of 536870912 bytes is longer than/)
})
