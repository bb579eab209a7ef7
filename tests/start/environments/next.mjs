// Next: a route on the server, and a page whose component runs in the browser.
import { join } from 'node:path'
import { findBrowser } from '../../../examples/shared/browser.js'
import { answer, asModule, bin, folder, found, output, serving, version } from '../kit.mjs'

const PORT = 18788
const files = {
  'app/layout.js': `export default ({ children }) => <html lang="en"><body>{children}</body></html>\n`,
  'app/program.js': asModule(),
  'app/api/route.js': `import { start } from '../program'
export const dynamic = 'force-dynamic'
export const GET = () => start().then((found) => new Response('started: ' + found), (error) => new Response(String(error?.stack)))
`,
  'app/page.js': `'use client'
import { useEffect, useState } from 'react'
import { start } from './program'
export default function Page() {
  const [text, setText] = useState('…')
  useEffect(() => void start().then((found) => setText('started: ' + found), (error) => setText(String(error?.stack))), [])
  return <p>{text}</p>
}
`,
  'next.config.mjs': `import { fileURLToPath } from 'node:url'
export default { turbopack: { root: fileURLToPath(new URL('../..', import.meta.url)) } }
`,
}

async function textOfPage(url) {
  const { chromium } = await import('playwright-core')
  const opened = await chromium.launch({ executablePath: findBrowser('chromium'), args: ['--no-sandbox'] })
  try {
    const page = await opened.newPage()
    await page.goto(url)
    await page.waitForFunction(() => document.querySelector('p')?.textContent !== '…', undefined, { timeout: 60_000 })
    return await page.textContent('p')
  } finally {
    await opened.close()
  }
}

export default [
  {
    name: 'next',
    async run() {
      const cwd = folder('next', files)
      const env = { NEXT_TELEMETRY_DISABLED: '1' }
      await output(bin('next'), ['build'], { cwd, env })
      return serving(process.execPath, [join(bin('next')), 'start', '-p', String(PORT)], { cwd }, async () => {
        const server = found(await answer(`http://127.0.0.1:${PORT}/api`))
        const page = found(await textOfPage(`http://127.0.0.1:${PORT}/`))
        return { version: version('next'), result: `server: ${server}; page: ${page}` }
      })
    },
  },
]
