// Serves a folder of static files, for examples and tests of pages.

import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { extname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'

const repository = fileURLToPath(new URL('../..', import.meta.url))
const CONTENT_TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.csv': 'text/csv; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.json': 'application/json',
  '.map': 'application/json',
  '.gz': 'application/gzip',
  '.wasm': 'application/wasm',
}

/**
 * A server of a folder on a free port of 127.0.0.1. A path that ends in / is that of its index.html.
 * @param headers of every file
 * @param isCompressed whether files are sent gzipped, with the content that they have at the first request
 * @param answer gets each URL first; true if it needs no file
 * @returns its address, which ends in /, and the numbers of bytes that it has sent, by path
 */
export async function serve({ folder = repository, headers = {}, isCompressed = false, answer = () => false } = {}) {
  const [sent, compressed] = [new Map(), new Map()]
  const server = createServer(async (request, response) => {
    const url = new URL(request.url, 'http://localhost')
    const requested = normalize(decodeURIComponent(url.pathname))
    if (requested === '/favicon.ico' || answer(url)) return response.writeHead(204).end()
    const path = requested.endsWith('/') ? `${requested}index.html` : requested
    const file = await readFile(join(folder, path)).catch(() => null)
    if (file === null) return response.writeHead(404).end()
    if (isCompressed && !compressed.has(path)) compressed.set(path, gzipSync(file, { level: 9 }))
    const body = compressed.get(path) ?? file
    sent.set(path, body.length)
    response
      .writeHead(200, {
        'Content-Type': CONTENT_TYPES[extname(path)] ?? 'application/octet-stream',
        ...(isCompressed && { 'Content-Encoding': 'gzip' }),
        ...headers,
      })
      .end(body)
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address()
  return {
    port,
    address: `http://127.0.0.1:${port}/`,
    sent,
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}
