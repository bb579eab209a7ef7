// Checks in a real Chromium that TensorFlow.js finds the models that myelin stores in a page, and the other way. Needs `npm run build`:
//
//   TFJS=/tmp/tfjs node tests/golden/tfjs-storage-check.mjs        see tfjs.mjs

import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'

const root = fileURLToPath(new URL('../../dist/', import.meta.url))
const types = { '.js': 'text/javascript', '.html': 'text/html', '.wasm': 'application/wasm' }
const server = createServer(async (request, response) => {
  const path = request.url
  if (path === '/')
    return response.writeHead(200, { 'content-type': 'text/html' }).end('<script src="/tf.js"></script>')
  const file =
    path === '/tf.js' ? join(process.env.TFJS, 'node_modules/@tensorflow/tfjs/dist/tf.min.js') : join(root, path)
  const bytes = await readFile(file).catch(() => null)
  response.writeHead(bytes === null ? 404 : 200, { 'content-type': types[extname(file)] ?? 'text/plain' }).end(bytes)
})
await new Promise((resolve) => server.listen(0, resolve))
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--headless', '--disable-gpu'],
})
try {
  const page = await browser.newPage()
  await page.goto(`http://localhost:${server.address().port}/`)
  const found = await page.evaluate(async () => {
    const { tf } = globalThis
    await tf.setBackend('cpu')
    const { Dense, Sequential } = await import('/index.js')
    const { readTfjs, writeTfjs } = await import('/tfjs.js')
    const [x, y] = [
      [
        [1, 2],
        [3, 4],
        [0, 1],
      ],
      [[1], [0], [1]],
    ]
    const differences = {}
    for (const scheme of ['indexeddb://', 'localstorage://']) {
      const ours = new Sequential([
        new Dense({ units: 3, activation: 'tanh', inputShape: [2], name: 'a' }),
        new Dense({ units: 1, name: 'b' }),
      ])
      ours.compile({ optimizer: 'adam', loss: 'meanSquaredError' })
      await ours.fit(x, y, { epochs: 2, verbose: 0, shuffle: false })
      await writeTfjs(ours, `${scheme}ours`)
      const theirs = await tf.loadLayersModel(`${scheme}ours`)
      const options = { epochs: 2, verbose: 0, shuffle: false }
      const { history } = await theirs.fit(tf.tensor(x), tf.tensor(y), options)
      const { history: own } = await ours.fit(x, y, options)
      differences[`${scheme} from myelin`] = Math.max(...own.loss.map((loss, i) => Math.abs(loss - history.loss[i])))
      await theirs.save(`${scheme}theirs`, { includeOptimizer: true })
      const again = await readTfjs(`${scheme}theirs`)
      const { history: repeated } = await again.fit(x, y, options)
      const { history: last } = await theirs.fit(tf.tensor(x), tf.tensor(y), options)
      differences[`${scheme} from TensorFlow.js`] = Math.max(
        ...repeated.loss.map((loss, i) => Math.abs(loss - last.loss[i])),
      )
    }
    differences.listed = Object.keys(await tf.io.listModels()).length
    return differences
  })
  console.log(found)
  const { listed, ...differences } = found
  if (listed !== 4 || Object.values(differences).some((each) => !(each < 1e-5)))
    throw new Error('the storage check failed')
} finally {
  await browser.close()
  server.close()
}
