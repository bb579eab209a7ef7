// npm run demo: builds what the demo needs, once and quietly, and runs examples/penguins.

import { spawn } from 'node:child_process'
import { register } from 'node:module'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
process.chdir(root)

console.log(
  'A neural network learns to tell the sex of penguins from a CSV file: 250 birds to learn from, 83 to test with.\n',
)
await build()
// The example imports the library by its name.
register(
  `data:text/javascript,${encodeURIComponent(`
    const files = { myelin: 'index', 'myelin/data': 'data', 'myelin/plot': 'plot', 'myelin/thrift': 'thrift' }
    export const resolve = (name, context, next) =>
      Object.hasOwn(files, name)
        ? { url: new URL(\`build/demo/\${files[name]}.mjs\`, ${JSON.stringify(new URL('..', import.meta.url).href)}).href, shortCircuit: true }
        : next(name, context)
  `)}`,
)
await import('../examples/penguins/index.js')

/** Compiles the kernels and bundles the sources, with one line that shows the seconds. */
async function build() {
  const started = performance.now()
  const seconds = () => ((performance.now() - started) / 1000).toFixed(0)
  const show = () => process.stdout.isTTY && process.stdout.write(`\rBuilding the library, once: ${seconds()} s `)
  const timer = setInterval(show, 250)
  await run('scripts/build-wasm.mjs', '--core')
  await run('scripts/demo-bundle.mjs')
  clearInterval(timer)
  const line = `Built the library in ${seconds()} s.`
  console.log(process.stdout.isTTY ? `\r${line.padEnd(40)}\n` : `${line}\n`)
}

/** Runs a script, whose output is shown only if it fails. */
function run(...args) {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk))
  return new Promise((resolve) => {
    child.on('close', (code) => {
      if (code === 0) return resolve()
      console.error(`\n${args[0]} failed:\n${output}`)
      process.exit(1)
    })
  })
}
