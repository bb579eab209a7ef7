// Serves the built page with its policy as a header, which holds for its workers, too.

import { readFileSync, readdirSync } from 'node:fs'
import { createServer } from 'node:http'
import { extname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'

export const dist = fileURLToPath(new URL('../dist', import.meta.url))

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.bin': 'application/octet-stream',
}

/** A server on a free port, and the numbers of bytes that it has sent, by path. */
export async function serve(policy) {
  const sent = new Map()
  const compressed = new Map()
  for (const each of readdirSync(dist, { recursive: true }).map(String))
    if (extname(each) in TYPES) compressed.set(`/${each}`, gzipSync(readFileSync(join(dist, each)), { level: 9 }))
  const server = createServer((request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url, 'http://localhost').pathname))
    const file = path.endsWith('/') ? `${path}index.html` : path
    const body = compressed.get(file)
    if (body === undefined) return response.writeHead(404).end()
    sent.set(file, body.length)
    response
      .writeHead(200, {
        'Content-Type': TYPES[extname(file)],
        'Content-Encoding': 'gzip',
        'Content-Security-Policy': policy,
      })
      .end(body)
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { server, sent, address: `http://127.0.0.1:${server.address().port}/` }
}
