// Responses that end early, are damaged or have no end: a typed error with the address. And addresses that are no paths.
// modes: simd

import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { ArgumentError, Dense, Sequential, StateError, loadModel } from '../../../src'
import { readCsv } from '../../../src/entries/data'
import { readFile, requirePath } from '../../../src/engine/runtime/platform'
import { readWeights } from '../../../src/entries/weights'

let server: Server
let address: string
beforeAll(async () => {
  server = createServer((request, response) => {
    if (request.url === '/cut') {
      response.writeHead(200, { 'content-length': 1000 })
      response.write('a,b\n1,2\n', () => response.destroy())
    } else if (request.url === '/chunked') {
      response.writeHead(200)
      response.write('a,b\n1,2\n', () => response.destroy())
    } else {
      response.writeHead(200, { 'content-encoding': 'gzip' })
      response.end('this is no gzip')
    }
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => void server.close())
afterEach(() => void vi.unstubAllGlobals())

const readers: Readonly<Record<string, (url: string) => Promise<unknown>>> = {
  loadModel: (url) => loadModel(url),
  loadWeights: (url) => new Sequential([new Dense({ units: 1, inputShape: [2] })]).loadWeights(url),
  readWeights: (url) => readWeights(new Sequential([new Dense({ units: 1, inputShape: [2] })]), url),
  readCsv: (url) => readCsv(url).toArray(),
  readFile: (url) => readFile(url, 'a test'),
}

describe('a response', () => {
  it.each(Object.keys(readers).flatMap((name) => ['cut', 'chunked', 'gzip'].map((path) => [name, path] as const)))(
    '%s: of /%s is an error with the address',
    async (name, path) => {
      const error: unknown = await readers[name]!(`${address}/${path}`).catch((cause: unknown) => cause)
      expect(error).toBeInstanceOf(StateError)
      expect(String(error)).toContain(`${address}/${path}: the response ended before it was complete, or is damaged`)
    },
  )

  it('without an end, or a stated length, is not read for long', async () => {
    const part = new Uint8Array(2 ** 25)
    let count = 0
    const endless = (): Response =>
      new Response(
        new ReadableStream({
          pull(controller) {
            count++
            controller.enqueue(part)
          },
        }),
      )
    vi.stubGlobal('fetch', async () => endless())
    await expect(readFile('https://example.org/endless', 'a test')).rejects.toThrow(
      /endless: the response has more than 1073741824 bytes. Let the server state/,
    )
    expect(count).toBeLessThan(40)
  })
})

describe('an address of another kind', () => {
  it.each(['ftp:', 'mailto:a', 'javascript:1', 'FTP:x', 's3:bucket/x', 'ssh:x', 'foo://x', new URL('foo:x')])(
    'is refused as a path: %s',
    async (path) => {
      const model = new Sequential([new Dense({ units: 1, inputShape: [2] })])
      await expect(model.save(path)).rejects.toThrow(ArgumentError)
      await expect(model.saveWeights(path)).rejects.toThrow(/is an address of a kind that is not supported/)
      await expect(loadModel(path)).rejects.toThrow(/is an address of a kind that is not supported/)
    },
  )

  it.each(['run:1.keras', 'C:\\x', 'c:x', 'a/ftp:x'])('is no name of a file: %s may be one', (path) => {
    expect(() => requirePath(path, 'save')).not.toThrow()
  })
})
