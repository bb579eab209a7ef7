// Builds the documentation as a site of static files in build/docs-site: `npm run docs`.
//
//   node docs/.vitepress/build.mjs            builds, and checks that every link and anchor has a target
//   node docs/.vitepress/build.mjs --serve    serves the pages and follows changes of docs/

import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, readdirSync, watch, writeFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { pathToFileURL } from 'node:url'
import { writeReference } from './reference.mjs'
import { copyDocuments, pages, removePages, root } from './sources.mjs'

const docs = join(root, 'docs')
const site = join(root, 'build/docs-site')
const say = (text) => console.log(`${(performance.now() / 1000).toFixed(1).padStart(5)} s  ${text}`)

/** Installs VitePress if the lock file has changed. */
function install() {
  const lock = createHash('sha256')
    .update(readFileSync(join(docs, 'package-lock.json')))
    .digest('hex')
  const mark = join(docs, 'node_modules/.lock-hash')
  if (existsSync(mark) && readFileSync(mark, 'utf8') === lock) return
  say('installing VitePress')
  execFileSync('npm', ['ci', '--prefix', docs, '--loglevel', 'error'], { stdio: 'inherit' })
  writeFileSync(mark, lock)
}

/** Links of the built pages whose anchor no heading has. VitePress itself checks that their pages exist. */
function missingAnchors() {
  const files = readdirSync(site, { recursive: true }).filter((file) => file.endsWith('.html'))
  const texts = new Map(files.map((file) => [file, readFileSync(join(site, file), 'utf8')]))
  const anchors = new Map(
    [...texts].map(([file, text]) => [file, new Set([...text.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id))]),
  )
  return [...texts].flatMap(([file, text]) =>
    [...text.matchAll(/<a[^>]*\shref="([^"]*)#([^"]+)"/g)].flatMap(([, to, anchor]) => {
      if (/^[a-z]+:/.test(to)) return []
      const path = to === '' ? file : to.startsWith('/') ? to.slice(1) : posix.join(posix.dirname(file), to)
      const target = path === '' || path.endsWith('/') ? `${path}index.html` : path
      return anchors.get(target)?.has(decodeURIComponent(anchor)) ? [] : [`${file}: ${to}#${anchor}`]
    }),
  )
}

install()
removePages()
mkdirSync(pages, { recursive: true })
copyDocuments()
const { written, empty } = writeReference(join(pages, 'api'))
say(`reference: ${written.length} pages`)
if (empty.length > 0) {
  console.error(`Public names without a docstring:\n${empty.join('\n')}`)
  process.exit(1)
}
const { build, createServer } = await import(
  pathToFileURL(join(docs, 'node_modules/vitepress/dist/node/index.js')).href
)
if (process.argv.includes('--serve')) {
  watch(docs, { recursive: true }, (_event, file) => /\.(?:md|svg)$/.test(file ?? '') && copyDocuments())
  const server = await createServer(docs)
  await server.listen()
  server.printUrls()
} else {
  await build(docs)
  const missing = missingAnchors()
  if (missing.length > 0) {
    console.error(`Links without a target:\n${missing.join('\n')}`)
    process.exit(1)
  }
  say(`build/docs-site: open it with a server of static files, for example npx vitepress preview docs`)
}
