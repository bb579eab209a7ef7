// Pages without a bundler: modules, workers of both kinds, a strict policy, a script tag, file://; in Chromium and Firefox.
import { join } from 'node:path'
import { findBrowser } from '../../../examples/shared/browser.js'
import { asModule, asScript, folder, found, opened, output, page, report, unbundled } from '../kit.mjs'

const map = `<script type="importmap">{"imports":{"myelin":"/node_modules/myelin/dist/index.js","myelin/data":"/node_modules/myelin/dist/data.js"}}</script>`
const GLOBAL = '/node_modules/myelin/dist/script/myelin.global.js'
const waits = (kind) =>
  `const start = () => new Promise((done, fail) => {
  const worker = new Worker('./worker.js'${kind === 'module' ? ", { type: 'module' }" : ''})
  worker.onmessage = ({ data }) => (data.error === undefined ? done(data.found) : fail(data.error))
  worker.onerror = ({ message }) => fail(message)
})\n`
const posts = `start().then((found) => postMessage({ found }), (error) => postMessage({ error: String(error?.stack ?? error) }))\n`

/** The files of each page, for the port to which it reports. */
const pages = {
  module: (port) => ({
    'index.html': page(`${map}<script type="module" src="./program.js"></script>`),
    'program.js': asModule() + report(port),
  }),
  csp: (port) => ({
    'index.html': page('<script type="module" src="./program.js"></script>'),
    'program.js': asModule(unbundled) + report(port),
  }),
  'module-worker': (port) => ({
    'index.html': page('<script src="./page.js"></script>'),
    'page.js': waits('module') + report(port),
    'worker.js': asModule(unbundled) + posts,
  }),
  'classic-worker': (port) => ({
    'index.html': page('<script src="./page.js"></script>'),
    'page.js': waits('classic') + report(port),
    'worker.js': `importScripts('${GLOBAL}')\n${asScript()}${posts}`,
  }),
  script: (port) => ({
    'index.html': page(`<script src="${GLOBAL}"></script><script src="./program.js"></script>`),
    'program.js': asScript() + report(port),
  }),
  file: (port) => ({
    'index.html': page(`<script src="../..${GLOBAL}"></script><script src="./program.js"></script>`),
    'program.js': asScript() + report(port),
  }),
}
const POLICY = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; object-src 'none'; base-uri 'none'"

export default ['chromium', 'firefox'].flatMap((name) =>
  Object.entries(pages).map(([kind, files]) => ({
    name: `${name}-${kind}`,
    async run() {
      const make = (port) => join(folder(`${name}-${kind}`, files(port)), 'index.html').replace(/^.*\/(?=build\/)/, '')
      const options = {
        isFile: kind === 'file',
        headers: kind === 'csp' ? { 'Content-Security-Policy': POLICY } : {},
      }
      const text = await opened(name, make, options)
      const version = /\d+\.[\d.]+\w*/.exec(await output(findBrowser(name), ['--version']))[0]
      return { version, result: found(text) }
    },
  })),
)
