// What stands in place of a file: the page with which a server answers a wrong path, and the pointer of a checkout without Git LFS.
// Every reader of every format says so, and refuses no file that begins alike.
// modes: simd

import { mkdtempSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Dense, Sequential, loadModel } from '../../../src'
import { misplaced } from '../../../src/core/misplaced'
import {
  audioDatasetFromDirectory,
  imageFolder,
  readCsv,
  readImage,
  readJsonLines,
  readNpy,
  readNpz,
  readText,
  readWav,
  textDatasetFromDirectory,
} from '../../../src/entries/data'
import { loadKerasWeights, modelFromJSON, readKeras } from '../../../src/entries/keras'
import { loadOnnx } from '../../../src/entries/onnx'
import { loadModel as loadToPredict } from '../../../src/entries/predict'
import { readTfjs, writeTfjs } from '../../../src/entries/tfjs'
import { readWeights, torchMapping } from '../../../src/entries/weights'

const PAGE =
  '\n<!DOCTYPE html>\n<html lang="en"><head><title>Not found</title></head><body>it\'s not here</body></html>\n'
const POINTER = `version https://git-lfs.github.com/spec/v1\noid sha256:${'4d7a'.repeat(16)}\nsize 12345\n`
const IS_PAGE = 'the server sent a web page: is the path right?'
const IS_POINTER = 'this is a pointer of Git LFS. Run git lfs pull'

const pages = {
  'a page': PAGE,
  'a page with a byte order mark': `\ufeff${PAGE.trim()}`,
  'a page without a doctype': '<html><body>x</body></html>',
  'a fragment': '<pre>Cannot GET /model</pre>',
  'an error of a store': '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>NoSuchKey</Code></Error>',
  'a comment': '<!-- index --><html></html>',
}

const made = (): Sequential => new Sequential([new Dense({ units: 1, inputShape: [2] })])
type Reader = (source: string) => unknown
const binary: Readonly<Record<string, Reader>> = {
  loadModel: (source) => loadModel(source),
  'loadModel of myelin/predict': (source) => loadToPredict(source, { layers: [Dense] }),
  loadWeights: (source) => made().loadWeights(source),
  readWeights: (source) => readWeights(made(), source),
  torchMapping: (source) => torchMapping(made(), source),
  readKeras: (source) => readKeras(source),
  loadKerasWeights: (source) => loadKerasWeights(made(), source),
  loadOnnx: (source) => loadOnnx(source),
  readTfjs: (source) => readTfjs(source),
  readNpy: (source) => readNpy(source),
  readNpz: (source) => readNpz(source),
  readImage: (source) => readImage(source),
  readWav: (source) => readWav(source),
  readJsonLines: (source) => readJsonLines(source).toArray(),
}
const texts: Readonly<Record<string, Reader>> = {
  readCsv: (source) => readCsv(source).toArray(),
  'readText by lines': (source) => readText(source).toArray(),
  'readText by files': (source) => readText(source, { by: 'file' }).toArray(),
}

const messageOf = async (read: () => unknown): Promise<string> => {
  try {
    await read()
    return 'no error'
  } catch (error) {
    return String(error)
  }
}

let server: Server
let [address, answer] = ['', PAGE]
const shards = new Map<string, Uint8Array>()
const folder = mkdtempSync(join(tmpdir(), 'misplaced-'))
beforeAll(async () => {
  server = createServer((request, response) => response.end(shards.get(request.url!) ?? answer))
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => void server.close())

describe('a web page in place of a file', () => {
  it.each(Object.keys(binary))('is named by %s', async (name) => {
    for (const [kind, page] of Object.entries(pages)) {
      answer = page
      const message = await messageOf(() => binary[name]!(`${address}/there`))
      expect.soft(message, kind).toContain(IS_PAGE)
      expect.soft(message, kind).toContain(`${address}/there`)
    }
    const path = join(folder, 'saved.bin')
    writeFileSync(path, PAGE)
    const message = await messageOf(() => binary[name]!(path))
    expect(message).toContain(IS_PAGE)
    expect(message).toContain(path)
  })

  it('is named by readers of tables for whole pages', async () => {
    answer = PAGE
    expect(await messageOf(() => readCsv(`${address}/table`).toArray())).toContain(`${address}/table: ${IS_PAGE}`)
  })

  it('is named for bytes, Files and the text of a model', async () => {
    expect(await messageOf(() => loadModel(new TextEncoder().encode(PAGE)))).toContain(`loadModel: ${IS_PAGE}`)
    const message = await messageOf(() => loadModel([new File([PAGE], 'net.keras')]))
    expect(message).toContain(`'net.keras': ${IS_PAGE}`)
    expect(await messageOf(() => modelFromJSON(PAGE))).toContain(IS_PAGE)
  })

  it('is named in place of a shard, with its address', async () => {
    shards.set('/model.json', (await writeTfjs(made())).json)
    answer = PAGE
    const message = await messageOf(() => loadModel(`${address}/model.json`))
    expect(message).toMatch(/\/[\w.-]+\.bin'/)
    expect(message).toContain(IS_PAGE)
  })

  it('is named in folders of pictures and sounds', async () => {
    for (const ending of ['png', 'wav']) {
      mkdirSync(join(folder, ending, 'cat'), { recursive: true })
      writeFileSync(join(folder, ending, 'cat', `a.${ending}`), PAGE)
    }
    const pictures = async () => (await imageFolder(join(folder, 'png'), { imageSize: [4, 4] })).toArray()
    expect(await messageOf(pictures)).toContain(IS_PAGE)
    const sounds = async () =>
      (await audioDatasetFromDirectory(join(folder, 'wav'), { outputSequenceLength: 4 })).toArray()
    expect(await messageOf(sounds)).toContain(IS_PAGE)
  })
})

describe('a pointer of Git LFS', () => {
  it.each(Object.keys({ ...binary, ...texts }))('is named by %s', async (name) => {
    const path = join(folder, 'pointer.bin')
    writeFileSync(path, POINTER)
    const message = await messageOf(() => ({ ...binary, ...texts })[name]!(path))
    expect(message).toContain(IS_POINTER)
    expect(message).toContain(path)
  })

  it('is named in a folder of texts', async () => {
    mkdirSync(join(folder, 'texts', 'good'), { recursive: true })
    writeFileSync(join(folder, 'texts', 'good', 'a.txt'), POINTER)
    const read = async () => (await textDatasetFromDirectory(join(folder, 'texts'))).toArray()
    expect(await messageOf(read)).toContain(IS_POINTER)
  })
})

describe('what only begins alike', () => {
  it('is read: a table whose first name is in angle brackets, a text that is a page', async () => {
    const rows = await readCsv({ text: '<id>,b\n1,2\n' }).toArray()
    expect(rows).toEqual([{ '<id>': 1, b: 2 }])
    expect(await readCsv({ text: '<html>,2\n<body>,3\n' }, { header: false }).toArray()).toHaveLength(2)
    expect(await readText({ text: PAGE }, { by: 'file' }).toArray()).toEqual([PAGE])
  })

  it('is read: a header of 60 bytes, and weights of any bytes', () => {
    expect(misplaced(new Uint8Array([0x3c, 0, 0, 0, 0, 0, 0, 0, 0x7b]))).toBeNull()
    expect(misplaced(new Uint8Array([0x20, 0x3c, 0, 0, 0, 0, 0, 0, 0x7b]))).toBeNull()
    // 0.2192 as float32 is the text '<ax>'.
    expect(misplaced(new Uint8Array(new Float32Array(1).buffer).map((_, i) => '<ax>'.charCodeAt(i)))).toBeNull()
    expect(misplaced(new Uint8Array(64).fill(0x3c))).toBeNull()
    expect(misplaced(readFileSync('package.json'))).toBeNull()
  })
})
