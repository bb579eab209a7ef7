// The code of the documents that needs a page, in a Chromium: every block in HTML, and the program of docs/worker.md with its
// worker. tests/docs/pages.test.ts runs all other code.

import assert from 'node:assert/strict'
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { launch } from '../../examples/shared/browser.js'
import { serve } from '../../examples/shared/serve.js'
import { documents, filesOf, htmlOf, programOf } from '../../scripts/pages.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = join(root, 'build/documented')

/** Pages have an import map, or a bundler. */
const MAP = `<script type="importmap">
  { "imports": { "myelin": "/node_modules/myelin/dist/index.js", "myelin/data": "/node_modules/myelin/dist/data.js" } }
</script>
`
const DONE = 'window.testResult ??= true'

/** The pages, by their names: those in HTML, and one for the program of docs/worker.md. */
function pages() {
  const own = documents.flatMap((document) =>
    htmlOf(document).map((html, i) => {
      const mapped = html.includes('importmap') ? html : MAP + html
      const end = mapped.lastIndexOf('</script>')
      return [`${document.replace(/\W/g, '-')}-${i}`, `${mapped.slice(0, end)}\n  ${DONE}\n${mapped.slice(end)}`]
    }),
  )
  return [...own, ['worker', `${MAP}<script type="module" src="page.js"></script>`]]
}

function write() {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(join(folder, 'node_modules'), { recursive: true })
  symlinkSync(root, join(folder, 'node_modules/myelin'))
  for (const [name, html] of pages()) writeFileSync(join(folder, `${name}.html`), html)
  const results = '{ lines, answer, loss: (await learnt.evaluate(points, labels, { verbose: 0 })).loss }'
  writeFileSync(join(folder, 'page.js'), `${programOf('docs/worker.md')}\nwindow.testResult = ${results}\n`)
  // Workers have no import map, as the page says.
  for (const [name, code] of filesOf('docs/worker.md'))
    writeFileSync(join(folder, name), code.replace("'myelin'", "'/node_modules/myelin/dist/index.js'"))
}

/** @throws for a page that fails */
export async function runDocumented(executablePath) {
  write()
  // A camera that shows a pattern, and no question whether the page may use it.
  const camera = ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream']
  const [server, browser] = [await serve({ folder }), await launch(executablePath, camera)]
  try {
    for (const [name] of pages()) {
      const page = await browser.newPage()
      const complaints = []
      page.on('pageerror', (error) => complaints.push(error.message))
      await page.goto(`${server.address}${name}.html`)
      const handle = await page
        .waitForFunction(() => window.testResult, undefined, { timeout: 60_000 })
        .catch((error) => {
          throw new Error([name, error.message, ...complaints].join('\n'))
        })
      assert.deepEqual(complaints, [], name)
      if (name !== 'worker') continue
      const { lines, answer, loss } = await handle.jsonValue()
      assert.equal(lines.length, 6)
      for (const line of lines) assert.match(line, /^epoch [123]: loss 0\.\d{3}$/)
      assert.ok(answer > 0 && answer < 1 && loss > 0, `answer ${answer}, loss ${loss}`)
      await page.close()
    }
    return pages().length
  } finally {
    await browser.close()
    server.close()
    rmSync(folder, { recursive: true })
  }
}
