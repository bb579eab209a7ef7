// workerd, the runtime of Cloudflare's Workers. esbuild bundles as wrangler does: with its conditions, and .wasm as modules.
import { copyFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { answer, asModule, bin, folder, found, serving, tool, version } from '../kit.mjs'

const PORT = 18787
const handler = `
export default { fetch: () => start().then((found) => new Response('started: ' + found), (error) => new Response(String(error?.stack))) }
`

export default [
  {
    name: 'workerd',
    async run() {
      const cwd = folder('workerd', { 'program.js': asModule() + handler })
      const { build } = await tool('esbuild')
      const modules = []
      const wasm = {
        name: 'wasm',
        setup({ onResolve }) {
          onResolve({ filter: /\.wasm$/ }, ({ path, importer }) => {
            copyFileSync(join(dirname(importer), path), join(cwd, basename(path)))
            modules.push(basename(path))
            return { path: `./${basename(path)}`, external: true }
          })
        },
      }
      await build({
        entryPoints: [join(cwd, 'program.js')],
        outfile: join(cwd, 'worker.js'),
        bundle: true,
        format: 'esm',
        platform: 'browser',
        conditions: ['workerd', 'worker', 'browser'],
        plugins: [wasm],
      })
      const list = modules.map((name) => `(name = "./${name}", wasm = embed "${name}")`)
      const config = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .worker)],
  sockets = [(name = "http", address = "127.0.0.1:${PORT}", http = (), service = "main")]
);
const worker :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed "worker.js"), ${list.join(', ')}],
  compatibilityDate = "2026-01-01",
);`
      writeFileSync(join(cwd, 'config.capnp'), config)
      const text = await serving(bin('workerd'), ['serve', 'config.capnp'], { cwd }, () =>
        answer(`http://127.0.0.1:${PORT}/`),
      )
      return { version: version('workerd'), result: found(text) }
    },
  },
]
