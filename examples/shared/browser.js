// Serves the repository and runs a page of it in a Chromium without a window, for examples and tests of pages.

import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { extname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'

const root = fileURLToPath(new URL('../..', import.meta.url))
const CANDIDATES = [
  process.env.CHROMIUM_PATH,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
]
const CONTENT_TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.map': 'application/json',
  '.csv': 'text/csv; charset=utf-8',
  '.png': 'image/png',
  '.gz': 'application/gzip',
  '.keras': 'application/octet-stream',
}

/** Serves the repository on a free port of 127.0.0.1, with these headers. */
export async function serve(headers = {}) {
  const server = createServer(async (request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url, 'http://localhost').pathname))
    const contentType = CONTENT_TYPES[extname(path)]
    try {
      if (contentType === undefined) throw new Error('not served')
      const body = await readFile(join(root, path))
      response.writeHead(200, { 'Content-Type': contentType, ...headers }).end(body)
    } catch {
      response.writeHead(path === '/favicon.ico' ? 204 : 404).end()
    }
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}

/** The path of a Chromium; null if none is installed and REQUIRE_BROWSER is not 1. */
export function findChromium() {
  const path = CANDIDATES.find((each) => each !== undefined && each !== '' && existsSync(each))
  if (path !== undefined) return path
  console.log('No Chromium was found. Set CHROMIUM_PATH to its executable.')
  if (process.env.REQUIRE_BROWSER === '1') process.exit(1)
  return null
}

export const launch = (executablePath) =>
  chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--headless',
      '--disable-gpu',
      '--disable-background-networking',
      '--no-first-run',
      '--disable-component-update',
      '--disable-sync',
    ],
  })

/**
 * Opens a page of the repository, and waits until it sets `window.testResult`. Prints the texts of its element with the
 * role status meanwhile, and saves a picture of the page.
 * @returns what it set; null without a Chromium
 * @throws an error that the page does not catch
 */
export async function runPage(path, { screenshot, milliseconds = 300_000 }) {
  const executablePath = findChromium()
  if (executablePath === null) return null
  const [server, browser] = [await serve(), await launch(executablePath)]
  try {
    const page = await browser.newPage({ viewport: { width: 760, height: 800 } })
    const failed = new Promise((_, reject) => page.on('pageerror', reject))
    await page.goto(`http://127.0.0.1:${server.address().port}/${path}`)
    const done = page.waitForFunction(() => window.testResult, undefined, { timeout: milliseconds })
    // The first error counts, which the race below throws.
    for (const each of [failed, done]) each.catch(() => {})
    let isDone = false
    for (let last = ''; !isDone;) {
      isDone = await Promise.race([
        failed,
        done.then(() => true),
        new Promise((resolve) => setTimeout(resolve, 1000, false)),
      ])
      const text = await page.locator('[role=status]').textContent()
      if (text !== last) console.log(text)
      last = text
    }
    await page.screenshot({ path: screenshot, fullPage: true })
    return await (await done).jsonValue()
  } finally {
    await browser.close()
    server.close()
  }
}
