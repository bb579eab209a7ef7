// Finds browsers, and runs a page of the repository in a Chromium without a window, for examples and tests of pages.

import { existsSync } from 'node:fs'
import { chromium } from 'playwright-core'
import { serve } from './serve.js'

const PATHS = {
  chromium: [
    process.env.CHROMIUM_PATH,
    '/usr/bin/chromium',
    '/usr/bin/chromium-browser',
    '/usr/bin/google-chrome',
    '/usr/bin/google-chrome-stable',
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  ],
  firefox: [
    process.env.FIREFOX_PATH,
    '/usr/bin/firefox-esr',
    '/usr/bin/firefox',
    '/Applications/Firefox.app/Contents/MacOS/firefox',
  ],
}

/** The path of a browser; undefined if there is none. */
export const findBrowser = (name) => PATHS[name].find((path) => path && existsSync(path))

/** The path of a Chromium; null if none is installed and REQUIRE_BROWSER is not 1. */
export function findChromium() {
  const path = findBrowser('chromium')
  if (path !== undefined) return path
  console.log('No Chromium was found. Set CHROMIUM_PATH to its executable.')
  if (process.env.REQUIRE_BROWSER === '1') process.exit(1)
  return null
}

/** @param more arguments for the browser */
export const launch = (executablePath, more = []) =>
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
      ...more,
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
    await page.goto(server.address + path)
    const done = page.waitForFunction(() => window.testResult, undefined, { timeout: milliseconds })
    // The race below throws the first error.
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
