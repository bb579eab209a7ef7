// Drives an installed Firefox by WebDriver BiDi: the protocol of playwright-core needs a patched Firefox, and its BiDi sends
// commands that releases of Firefox lack. https://w3c.github.io/webdriver-bidi/
// Node 20 has WebSocket with --experimental-websocket.

import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** @returns one page of a Firefox without a window */
export async function openFirefox(path, { width = 1360, height = 900 } = {}) {
  const profile = mkdtempSync(join(tmpdir(), 'firefox-'))
  const child = spawn(path, ['--headless', '--no-remote', '--profile', profile, '--remote-debugging-port=0'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const ended = new Promise((resolve) => child.on('exit', resolve))
  const end = async () => {
    child.kill()
    await ended
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 })
  }
  try {
    return { ...(await connect(await addressOf(child), width, height)), close: end }
  } catch (error) {
    await end()
    throw error
  }
}

/** Where a Firefox waits for commands, as it prints. */
const addressOf = (child) =>
  new Promise((resolve, reject) => {
    let text = ''
    child.stderr.on('data', (chunk) => {
      text += chunk
      const [, found] = /WebDriver BiDi listening on (ws:\S+)/.exec(text) ?? []
      if (found !== undefined) resolve(found)
    })
    child.on('error', reject).on('exit', () => reject(new Error(`Firefox ended:\n${text}`)))
  })

async function connect(address, width, height) {
  const socket = new WebSocket(`${address}/session`)
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve)
    socket.addEventListener('error', () => reject(new Error(`${address} does not answer`)))
  })
  let last = 0
  const waiting = new Map()
  /** Errors and warnings that the page logged. */
  const complaints = []
  socket.addEventListener('message', ({ data }) => {
    const { id, type, result, message, method, params } = JSON.parse(data)
    if (method === 'log.entryAdded' && /error|warn/.test(params.level)) complaints.push(params.text)
    const [resolve, reject] = waiting.get(id) ?? []
    waiting.delete(id)
    if (type === 'error') reject?.(new Error(message))
    else resolve?.(result)
  })
  const send = (method, params) =>
    new Promise((resolve, reject) => {
      const id = ++last
      waiting.set(id, [resolve, reject])
      socket.send(JSON.stringify({ id, method, params }))
    })

  const { capabilities } = await send('session.new', { capabilities: {} })
  await send('session.subscribe', { events: ['log.entryAdded'] })
  const { contexts } = await send('browsingContext.getTree', {})
  const { context } = contexts[0]
  await send('browsingContext.setViewport', { context, viewport: { width, height } })

  /** Calls a function in the page, with values that are JSON. */
  async function evaluate(body, ...args) {
    const { type, result, exceptionDetails } = await send('script.callFunction', {
      functionDeclaration: `async (text) => JSON.stringify((await (${body})(...JSON.parse(text))) ?? null)`,
      arguments: [{ type: 'string', value: JSON.stringify(args) }],
      target: { context },
      awaitPromise: true,
      userActivation: true,
    })
    if (type === 'exception') throw new Error(exceptionDetails.text)
    return JSON.parse(result.value)
  }
  return {
    version: capabilities.browserVersion,
    complaints,
    evaluate,
    goto: (url) => send('browsingContext.navigate', { context, url, wait: 'complete' }),
    /** Clicks the button or tab with this text. */
    click: (text) =>
      evaluate((text) => {
        const all = [...document.querySelectorAll('button, label')]
        const found = all.find((each) => each.textContent.trim() === text)
        if (found === undefined) throw new Error(`no ${text}`)
        found.click()
      }, text),
    /** Waits until a function in the page returns something truthy. */
    async waitFor(body, ...args) {
      const until = Date.now() + 60_000
      while (!(await evaluate(body, ...args))) {
        if (Date.now() > until) throw new Error(`did not become true in a minute: ${body}`)
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    },
    async screenshot(file) {
      const { data } = await send('browsingContext.captureScreenshot', { context, origin: 'document' })
      writeFileSync(file, Buffer.from(data, 'base64'))
    },
  }
}
