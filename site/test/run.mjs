// Drives the built page in Chromium: builds a model, trains it, prunes it, asks why, saves, reloads and opens it; checks
// accessibility, requests, frames, long tasks and sizes; and takes pictures of every tab. A short run is in Firefox, if there is one.
// Needs `npm run site`. An argument is a part of the name of the tests to run: `npm run test:site -- looks`. Without a Chromium it
// skips, or fails if REQUIRE_BROWSER=1.

import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync, gzipSync } from 'node:zlib'
import { encode } from 'fast-png'
import { CausalLM, trainTokenizer } from 'myelin/language'
import { findBrowser, findChromium, launch } from '../../examples/shared/browser.js'
import { serve } from '../../examples/shared/serve.js'
import { openFirefox } from './firefox.mjs'

const folder = fileURLToPath(new URL('..', import.meta.url))
const dist = join(folder, 'dist')
const pictures = join(folder, 'screenshots')
const TABS = ['Learn', 'Units', 'Weights', 'Balance', 'Explain', 'Code', 'Files']
/** Bytes that the page may load until it trains, gzipped. */
const MOST_BYTES = 400_000
/** Milliseconds of a task while the model trains: 50, and ten times that on a busy machine. */
const LONG = 500
/** Milliseconds between two frames while models train, in the median: 17 on a quiet machine, and ten times that on a busy one. */
const SLOWEST_FRAME = 170
/** Milliseconds within which 95 % of the frames come while an adapter trains. */
const SMOOTH = 50
const timeout = 60_000

const executablePath = findChromium()
if (executablePath === null) process.exit(0)
if (!existsSync(join(dist, 'index.html'))) {
  console.log('site test FAILED: site/dist does not exist. Did you run `npm run site`?')
  process.exit(1)
}

const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/
  .exec(readFileSync(join(dist, 'index.html'), 'utf8'))?.[1]
  .replaceAll('&#39;', "'")
assert.ok(policy !== undefined, 'the page has no policy')
assert.match(policy, /^default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'/)
const axe = readFileSync(join(folder, 'node_modules/axe-core/axe.min.js'), 'utf8')
const server = await serve({ folder: dist, headers: { 'Content-Security-Policy': policy }, isCompressed: true })
const { sent, address } = server
const browser = await launch(executablePath)
const complaints = []

/** A page whose errors and requests are recorded. */
async function open(hash, options = {}) {
  const { throttle = 1, from = browser, until = ready, ...viewport } = options
  const context = await from.newContext({
    viewport: { width: 1360, height: 900 },
    serviceWorkers: 'block',
    ...viewport,
  })
  const page = await context.newPage()
  page.setDefaultTimeout(timeout)
  page.on('pageerror', (error) => complaints.push(error.stack ?? error.message))
  page.on('console', (message) => {
    const isOwn =
      !/Service Worker registration blocked/.test(message.text()) && !message.location().url.includes('/test-model/')
    if (isOwn && /error|warning/.test(message.type())) complaints.push(message.text())
  })
  page.on('request', (request) => {
    const url = request.url()
    if (!url.startsWith(address) && !/^(?:data|blob):/.test(url)) complaints.push(`request to ${url}`)
  })
  await page.addInitScript(() => {
    window.longTasks = []
    new PerformanceObserver((list) =>
      window.longTasks.push(...list.getEntries().map(({ duration }) => duration)),
    ).observe({ type: 'longtask', buffered: true })
    window.shifts = []
    new PerformanceObserver((list) =>
      window.shifts.push(
        ...list
          .getEntries()
          .filter((each) => !each.hadRecentInput)
          .map(({ value }) => value),
      ),
    ).observe({ type: 'layout-shift', buffered: true })
  })
  if (throttle !== 1)
    await (await context.newCDPSession(page)).send('Emulation.setCPUThrottlingRate', { rate: throttle })
  await page.goto(address + hash)
  await until(page)
  return page
}

const ready = (page) => page.waitForFunction(() => performance.getEntriesByName('model').length > 0)
const tab = (page, name) => page.getByRole('tab', { name }).click()
const button = (page, name) => page.getByRole('button', { name, exact: true })
const percents = (text) => Number(/([\d.]+) %/.exec(text)?.[1])
const epochOf = async (page) => Number(await page.textContent('.epoch b'))
const accuracyOf = async (page) =>
  percents(await page.locator('section[aria-label="Curves"] .second .legend li').nth(1).textContent())

/** Trains until the accuracy on test rows is high when training pauses. */
async function train(page, least) {
  for (;;) {
    await trainOnce(page, least)
    if ((await accuracyOf(page)) >= least) return
  }
}

async function trainOnce(page, least) {
  await button(page, 'Train').click()
  await page.waitForFunction((least) => {
    const text = document.querySelectorAll('section[aria-label="Curves"] .second .legend li')[1]?.textContent ?? ''
    return Number(/([\d.]+) %/.exec(text)?.[1]) >= least
  }, least)
  await button(page, 'Pause').click()
  await page.waitForTimeout(200)
}

let failed = 0
const only = process.argv[2] ?? ''
async function test(name, body) {
  if (!name.includes(only)) return
  const started = performance.now()
  try {
    const note = await body()
    assert.deepEqual(complaints.splice(0), [], 'errors of the page')
    console.log(
      `✓ ${name}${note === undefined ? '' : `: ${note}`} (${((performance.now() - started) / 1000).toFixed(1)} s)`,
    )
  } catch (error) {
    failed++
    console.log(`✗ ${name}\n${error instanceof Error ? error.stack : error}`)
    complaints.length = 0
  }
}

async function loads() {
  const page = await open('', { throttle: 4 })
  const times = await page.evaluate(() => ({
    paint: performance.getEntriesByName('first-contentful-paint')[0]?.startTime,
    interactive: performance.getEntriesByName('interactive')[0].startTime,
    model: performance.getEntriesByName('model')[0].startTime,
  }))
  await page.context().close()
  return Object.entries(times)
    .map(([name, value]) => `${name} ${value?.toFixed(0)} ms`)
    .join(', ')
}

async function learns() {
  const page = await open('')
  // Another layer of four units, and the second one removed.
  await button(page, 'Add layer').click()
  await page.getByLabel('Layer 3, Dense: units').fill('4')
  await page.getByLabel('Layer 3, Dense: units').press('Enter')
  await button(page, 'Layer 2, Dense: remove').click()
  await page.getByLabel('Layer 2, Dense: activation').selectOption('tanh')
  await page.waitForFunction(() => location.hash.includes('layers=dense-10-relu%2Cdense-4-tanh'))
  await page.waitForTimeout(500)
  await page.evaluate(() => (window.longTasks.length = 0))
  await page.getByText('max', { exact: true }).click()
  await train(page, 95)
  const accuracy = await accuracyOf(page)
  const longest = Math.max(0, ...(await page.evaluate(() => window.longTasks)))
  const bytes = [...sent.values()].reduce((sum, each) => sum + each, 0)
  assert.ok(accuracy >= 95, `accuracy ${accuracy} %`)
  assert.ok(longest < LONG, `a task of ${longest} ms while the model trained`)
  assert.ok(bytes <= MOST_BYTES, `${bytes} bytes were loaded`)
  const shift = (await page.evaluate(() => window.shifts)).reduce((sum, each) => sum + each, 0)
  assert.ok(shift < 0.1, `layout shift ${shift}`)

  // Back to an earlier epoch, and on from there.
  const before = await epochOf(page)
  await page.getByLabel('Return to an epoch').fill('1')
  await page.waitForFunction((before) => Number(document.querySelector('.epoch b').textContent) < before, before)
  const returned = await epochOf(page)
  await button(page, 'Step').click()
  await page.waitForFunction(
    (returned) => Number(document.querySelector('.epoch b').textContent) === returned + 1,
    returned,
  )
  await page.context().close()
  return `${accuracy} % on test rows after ${before} epochs, longest task ${longest.toFixed(0)} ms, layout shift ${shift.toFixed(3)}, ${(bytes / 1000).toFixed(0)} kB loaded`
}

/** Changes the activation and clicks a button in one task, before a new run begins. */
const changeAndClick = (page, activation, name) =>
  page.evaluate(
    ({ activation, name }) => {
      const select = document.querySelector('[aria-label="Layer 1, Dense: activation"]')
      select.value = activation
      select.dispatchEvent(new Event('change', { bubbles: true }))
      const buttons = [...document.querySelectorAll('button')]
      buttons.find(({ textContent }) => textContent.trim() === name).click()
    },
    { activation, name },
  )

async function stepTwice(page) {
  for (const epoch of [1, 2]) {
    await button(page, 'Step').click()
    await page.waitForFunction((epoch) => document.querySelector('.epoch b').textContent === String(epoch), epoch)
  }
}

/** A new run begins a moment after a change; Step and Train before that moment are meant for the new run. */
async function stepsTheNewRun() {
  const page = await open('')
  await stepTwice(page)
  await changeAndClick(page, 'tanh', 'Step')
  await page.waitForFunction(() => document.querySelector('.epoch b').textContent === '1')
  await page.waitForTimeout(600)
  assert.equal(await epochOf(page), 1, 'the new run has one epoch')
  await changeAndClick(page, 'relu', 'Train')
  await page.waitForTimeout(600)
  await page.waitForFunction(() => Number(document.querySelector('.epoch b').textContent) > 3)
  await button(page, 'Pause').click()
  await page.context().close()
}

/** The run that is shown is kept, with its layers and epochs; the new one has what was changed. */
async function keepsTheShownRun() {
  const page = await open('')
  await stepTwice(page)
  await changeAndClick(page, 'tanh', 'Keep to compare')
  const kept = page.locator('section[aria-label="Kept run"] header .soft')
  assert.equal(await kept.textContent(), '10 relu, 8 relu; adam 0.01, epoch 2')
  await page.waitForFunction(() => document.querySelector('.epoch b').textContent === '0')
  await button(page, 'Step').click()
  await page.getByText('adam 0.01, epoch 3').waitFor()
  await button(page, 'Forget kept run').click()
  await page.waitForFunction(() => document.querySelector('.epoch b').textContent === '1')
  await button(page, 'Keep to compare').click()
  assert.equal(await kept.textContent(), '10 tanh, 8 relu; adam 0.01, epoch 1')
  await page.context().close()
}

/** What the page does in two seconds of training. */
async function framesOf(page) {
  const { at, longest } = await timesOfFrames(page)
  assert.ok(at(0.5) < SLOWEST_FRAME, `${at(0.5).toFixed(0)} ms between frames`)
  assert.ok(longest < LONG, `a task of ${longest} ms while models trained`)
  return `${(1000 / at(0.5)).toFixed(0)} frames a second (95 % within ${at(0.95).toFixed(0)} ms), longest task ${longest.toFixed(0)} ms`
}

/** The times between frames in two seconds, and the longest task. */
async function timesOfFrames(page) {
  const { frames, longTasks } = await page.evaluate(async () => {
    window.longTasks.length = 0
    const times = [performance.now()]
    while (times.at(-1) - times[0] < 2000) times.push(await new Promise(requestAnimationFrame))
    return { frames: times.slice(1).map((time, i) => time - times[i]), longTasks: window.longTasks }
  })
  const sorted = frames.sort((a, b) => a - b)
  const at = (share) => sorted[Math.floor(share * (sorted.length - 1))]
  return { at, longest: Math.max(0, ...longTasks) }
}

async function trainsTwo() {
  const page = await open('#data=spirals&rows=600')
  await page.getByText('max', { exact: true }).click()
  await button(page, 'Train').click()
  const one = await framesOf(page)
  await button(page, 'Pause').click()
  await button(page, 'Keep to compare').click()
  const kept = page.locator('section[aria-label="Kept run"]')
  const epochs = async () => [
    await epochOf(page),
    Number(/epoch (\d+)/.exec(await kept.locator('header .soft').textContent())[1]),
  ]
  await page.waitForFunction(() => document.querySelector('.epoch b').textContent === '0')
  const [, before] = await epochs()
  assert.ok(before > 0, 'the kept run has its epochs')
  assert.equal(page.workers().length, 2)
  assert.match(await kept.locator('header .soft').textContent(), /^10 relu, 8 relu; adam 0\.01, epoch \d+$/)

  // Both train, and the kept one keeps its model.
  await page.getByLabel('Layer 1, Dense: activation').selectOption('tanh')
  await page.waitForFunction(() => location.hash.includes('tanh'))
  await page.waitForTimeout(500)
  await button(page, 'Train').click()
  const two = await framesOf(page)
  const [present, later] = await epochs()
  assert.ok(present > 0 && later > before, `epochs ${present} and ${before} → ${later}`)
  await page.screenshot({ path: join(pictures, 'learn-two-runs.png'), fullPage: true, animations: 'disabled' })

  // The kept one rests.
  await page.getByLabel('trains with the new run').uncheck()
  await page.waitForTimeout(300)
  const [from, resting] = await epochs()
  await page.waitForFunction((from) => Number(document.querySelector('.epoch b').textContent) > from, from)
  assert.equal((await epochs())[1], resting)
  await button(page, 'Pause').click()

  // Both begin again.
  await page.getByLabel('trains with the new run').check()
  await button(page, 'Reset').click()
  await kept.getByText(', epoch 0').waitFor()
  await button(page, 'Step').click()
  await kept.getByText(', epoch 1').waitFor()
  await page.waitForFunction(() => document.querySelector('.epoch b').textContent === '1')
  await button(page, 'Forget kept run').click()
  await kept.waitFor({ state: 'detached' })
  await page.waitForTimeout(100)
  assert.equal(page.workers().length, 1)
  await page.context().close()
  return `one run ${one}; two runs ${two}`
}

/** Chromium has a camera that shows a moving picture. */
async function usesCamera() {
  const camera = await launch(executablePath, ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'])
  try {
    const page = await open('', { from: camera })
    await page.locator('aside').getByLabel('data set').selectOption('images')
    await button(page, 'Use the camera').click()
    await page.waitForFunction(() => document.querySelector('video').videoWidth > 0)
    for (const name of ['first', 'second']) {
      await page.getByRole('button', { name: new RegExp(`^${name} `) }).hover()
      await page.mouse.down()
      await page.getByRole('button', { name: new RegExp(`^${name} \\(1\\d\\)`) }).waitFor()
      await page.mouse.up()
    }
    await page.getByRole('button', { name: /^Use \d+ pictures$/ }).click()
    await page.locator('.layers').getByText('24 × 24 × 3').waitFor()
    await button(page, 'Step').click()
    await page.waitForFunction(() => document.querySelector('.epoch b').textContent === '1')
    await page.screenshot({ path: join(pictures, 'learn-camera.png'), fullPage: true, animations: 'disabled' })
    await page.context().close()
  } finally {
    await camera.close()
  }
}

async function inFirefox() {
  const path = findBrowser('firefox')
  if (path === undefined) return 'no Firefox was found'
  const page = await openFirefox(path)
  try {
    await page.goto(address)
    await page.waitFor(() => performance.getEntriesByName('model').length > 0)
    await page.click('max')
    await page.click('Train')
    await page.waitFor(() => {
      const text = document.querySelectorAll('section[aria-label="Curves"] .second .legend li')[1]?.textContent ?? ''
      return Number(/([\d.]+) %/.exec(text)?.[1]) >= 95
    })
    await page.click('Pause')
    await page.screenshot(join(pictures, 'learn-firefox.png'))
    await page.click('Balance')
    await page.click('Prune')
    await page.waitFor(() => document.querySelectorAll('.results tbody tr').length === 3)
    await page.click('Explain')
    await page.waitFor(() => document.querySelectorAll('.bars').length > 0)
    assert.deepEqual(page.complaints, [])
    return page.version
  } finally {
    await page.close()
  }
}

async function becomesSmaller() {
  const page = await open('')
  await page.getByText('max', { exact: true }).click()
  await train(page, 95)
  await tab(page, 'Balance')
  const rows = page.locator('.results tbody tr')
  for (const [name, label] of [
    ['Prune', '… and trained'],
    ['Quantize', 'Weights in 8 bits'],
    ['Distil', 'A student'],
    ['Regenerate', 'After regeneration'],
  ]) {
    await button(page, name).click()
    await rows.filter({ hasText: label }).waitFor()
    await page.waitForFunction(
      () => document.querySelector('[aria-label="Smaller models"]').getAttribute('aria-busy') === 'false',
    )
  }
  const texts = await rows.allTextContents()
  const weights = (text) => Number(/ % ?([\d.]+)/.exec(text)?.[1])
  const [now, , pruned] = texts
  assert.ok(weights(pruned) < weights(now), `pruned: ${pruned}, before: ${now}`)
  assert.ok(percents(pruned.replace('50 %', '')) > 85, pruned)
  await rows.filter({ hasText: '… and trained' }).getByRole('button').click()
  await page.waitForFunction(() => location.hash.includes('dense-5-relu'))
  await button(page, 'Start the stream').click()
  await page.waitForFunction(
    () => document.querySelector('[aria-label="A stream that drifts"] .legend b').textContent !== '–',
  )
  await button(page, 'Stop').click()
  await page.context().close()
  return `${weights(now)} → ${weights(pruned)} weights`
}

async function givesReasons() {
  const page = await open('')
  await page.getByText('max', { exact: true }).click()
  await train(page, 95)
  await page.locator('.plane').click({ position: { x: 120, y: 100 } })
  const bars = page.locator('section[aria-label="Why"] .bars')
  await bars.nth(2).waitFor()
  const numbers = async (i) =>
    (await bars.nth(i).locator('.value').allTextContents()).map((text) =>
      Number(text.replace('−', '-').replace(' %', '')),
    )
  const [value, base] = (await page.locator('section[aria-label="Why"] > .soft').textContent())
    .replaceAll('−', '-')
    .match(/is ([\d.e-]+) here and ([\d.e-]+) for/)
    .slice(1)
    .map(Number)
  for (const i of [1, 2]) assert.equal((await numbers(i)).length, 2)
  const sum = (await numbers(1)).reduce((a, b) => a + b, 0)
  assert.ok(Math.abs(value - base - sum) < 0.02, `${value} − ${base} ≠ ${sum}`)
  await page.context().close()
}

async function savesAndOpens() {
  const page = await open('#layers=dense-6-tanh&seed=3')
  await page.getByText('max', { exact: true }).click()
  await train(page, 95)
  await tab(page, 'Balance')
  const now = page.locator('.results tbody tr').first()
  await now.waitFor()
  const figures = async () => (await now.locator('td').allTextContents()).slice(0, 2).join(' ')
  const trained = await figures()
  await tab(page, 'Files')
  const saved = {}
  for (const [name, count] of [
    ['safetensors', 1],
    ['.keras', 1],
    ['.onnx', 1],
    ['model.json', 2],
  ]) {
    const downloads = []
    const collect = (each) => downloads.push(each)
    page.on('download', collect)
    await button(page, name).click()
    while (downloads.length < count) await page.waitForEvent('download')
    page.off('download', collect)
    saved[name] = await Promise.all(
      downloads.map(async (each) => {
        const parts = []
        for await (const part of await each.createReadStream()) parts.push(part)
        return { name: each.suggestedFilename(), mimeType: 'application/octet-stream', buffer: Buffer.concat(parts) }
      }),
    )
  }
  for (const [name, files] of Object.entries(saved)) {
    await page.reload()
    await ready(page)
    assert.match(page.url(), /layers=dense-6-tanh/)
    await tab(page, 'Files')
    await page.locator('section[aria-label="Open"] input').setInputFiles(files)
    await page.getByText('takes the place of the model').waitFor()
    await tab(page, 'Balance')
    await now.waitFor()
    assert.equal(await figures(), trained, name)
  }
  // A file that is not a model, and a model for other data.
  await tab(page, 'Files')
  await page
    .locator('section[aria-label="Open"] input')
    .setInputFiles({ name: 'x.onnx', mimeType: '', buffer: Buffer.from('nothing') })
  await page.locator('.notices .error').waitFor()
  await page.context().close()
  return `${Object.keys(saved).join(', ')}: ${trained}`
}

async function readsTables() {
  const page = await open('#data=table&layers=dense-8-relu')
  const rows = Array.from(
    { length: 120 },
    (_, i) =>
      `${i % 7};${i % 3 === 0 ? '' : (i / 10).toFixed(1).replace('.', ',')};${i % 2 ? 'red' : 'green'};${i % 2 ? 'yes' : 'no'}`,
  )
  await page.locator('aside input[type=file]').setInputFiles({
    name: 'a.csv',
    mimeType: 'text/csv',
    buffer: Buffer.from(['day;size;colour;bought', ...rows].join('\n')),
  })
  await page.getByText('120 rows, 5 inputs, to predict bought.').waitFor()
  await page.getByText('max', { exact: true }).click()
  await train(page, 99)
  await page.locator('aside').getByLabel('predict', { exact: true }).selectOption('size')
  await page.getByText('80 rows, 5 inputs, to predict size.').waitFor()
  await page.context().close()
}

/** A network that learnt eight digits by their images learns two classes of a folder. */
async function transfers() {
  const page = await open('#data=digits&layers=conv-8-3-relu%2Cpool-2%2Cdense-32-relu&tab=files')
  await button(page, 'Step').click()
  await page.waitForFunction(() => document.querySelector('.epoch b').textContent === '1')
  const saving = page.waitForEvent('download')
  await button(page, '.keras').click()
  const folder = mkdtempSync(join(tmpdir(), 'playground-'))
  try {
    await (await saving).saveAs(join(folder, 'digits.keras'))
    for (const name of ['rising', 'falling']) {
      mkdirSync(join(folder, 'lines', name), { recursive: true })
      for (let i = 0; i < 15; i++) {
        const data = new Uint8Array(20 * 20).map((_, at) => {
          const [row, column] = [Math.floor(at / 20), at % 20]
          return Math.abs((name === 'rising' ? 19 - row : row) - column + (i % 5) - 2) < 2 ? 255 : 0
        })
        writeFileSync(join(folder, 'lines', name, `${i}.png`), encode({ width: 20, height: 20, data, channels: 1 }))
      }
    }
    await tab(page, 'Learn')
    await page.locator('aside').getByLabel('data set').selectOption('images')
    await page.locator('aside input[webkitdirectory]').setInputFiles(join(folder, 'lines'))
    await page.getByText('softmax of').waitFor({ state: 'detached' })
    await page.locator('aside input[type=file]').last().setInputFiles(join(folder, 'digits.keras'))
    await page.getByText('The layers of digits.keras are frozen').waitFor()
    await train(page, 99)
  } finally {
    rmSync(folder, { recursive: true })
  }
  await page.context().close()
}

/** Gives Chromium WebGPU, with a driver in software. */
const WEBGPU = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader']

/** Whether the page or a worker has loaded the code for the GPU. */
const hasLoadedGpu = () => [...sent.keys()].some((path) => path.includes('webgpu-'))

/** The switch loads the code for the GPU, says what was found, and is part of the address. */
async function trainsOnGpu() {
  const withGpu = await launch(executablePath, WEBGPU)
  try {
    assert.ok(!hasLoadedGpu(), 'the code for the GPU is loaded without need')
    const notes = []
    for (const from of [browser, withGpu]) {
      const page = await open('', { from })
      const isOn = page.getByLabel('Train on the GPU')
      assert.equal(await isOn.isChecked(), false)
      await isOn.check()
      await page.waitForFunction(() => location.hash.includes('device=gpu'))
      await page.locator('.gpu').waitFor()
      assert.ok(hasLoadedGpu(), 'the code for the GPU is loaded')
      notes.push((await page.locator('.gpu').textContent()).replace(/ Measure.*/, ''))
      await page.reload()
      await page.locator('.gpu').waitFor()
      assert.equal(await isOn.isChecked(), true)
      await button(page, 'Step').click()
      await page.waitForFunction(() => document.querySelector('.epoch b').textContent === '1')
      await tab(page, 'Code')
      await page.getByText('await useWebGPU()').waitFor()
      await isOn.uncheck()
      await page.waitForFunction(() => !location.hash.includes('device'))
      await page.locator('.gpu').waitFor({ state: 'detached' })
      await page.context().close()
    }
    // Neither has a GPU: one finds none, the other has a driver in software.
    assert.match(notes[0], /no WebGPU|no adapter/)
    return notes.join(' ')
  } finally {
    await withGpu.close()
  }
}

/** The page that measures a GPU, where there is none: it says so. With a driver in software, it counts. */
async function measuresGpu() {
  const withGpu = await launch(executablePath, WEBGPU)
  try {
    const statuses = []
    for (const from of [browser, withGpu]) {
      const page = await open('', { from })
      await page.goto(`${address}gpu.html`)
      await button(page, 'Measure').click()
      await page.waitForFunction(
        () =>
          document.querySelector('[role=status]').textContent.startsWith('Nothing to measure') ||
          document.querySelectorAll('tbody tr').length > 0,
      )
      statuses.push(await page.locator('[role=status]').textContent())
      const cells = await page.locator('tbody tr:first-child td').allTextContents()
      if (cells.length > 0) assert.ok(Number(cells[0]) >= 1, `dispatches of a product: ${cells}`)
      await page.evaluate(axe)
      const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }))
      assert.deepEqual(
        violations.filter(({ impact }) => impact === 'serious' || impact === 'critical').map(({ id }) => id),
        [],
      )
      await page.screenshot({ path: join(pictures, 'gpu.png'), fullPage: true, animations: 'disabled' })
      await page.context().close()
    }
    return statuses[0]
  } finally {
    await withGpu.close()
  }
}

// ---- language models

const begun = (page) => page.waitForFunction(() => performance.getEntriesByName('interactive').length > 0)
const openLanguage = (options = {}) => open('language.html', { until: begun, ...options })
const card = (page, name) => page.locator(`section[aria-label="${name}"]`)
const idle = (page) => page.waitForFunction(() => document.querySelector('.progress, [aria-busy="true"]') === null)

async function makeSmallModel(page, weights = 'float32') {
  await page.getByRole('radio', { name: weights }).check()
  await button(page, 'Make a small model').click()
  await card(page, 'Continuation').waitFor()
}

/** What the model says after a text, once it has said it. */
async function continued(page, text) {
  const before = await page.locator('.log .continued').count()
  await page.getByLabel('Begin of a text').fill(text)
  await page.getByLabel('Begin of a text').press('Enter')
  await page.waitForFunction(
    ([text, before]) =>
      document.querySelector('.log').getAttribute('aria-busy') === 'false' &&
      document.querySelectorAll('.log .continued').length > before &&
      document.querySelector('.log .continued:last-child')?.textContent.startsWith(text),
    [text, before],
  )
  return page.locator('.log .continued').last().textContent()
}

/** Sets a slider over a list to one of its values. */
async function slide(page, label, at) {
  await card(page, 'Training').getByLabel(label, { exact: true }).fill(String(at))
}

async function serious(page) {
  await page.evaluate(axe)
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }))
  const found = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
  assert.deepEqual(
    found.map(({ id, nodes }) => `${id} ${nodes.map(({ html }) => html.slice(0, 120)).join('; ')}`),
    [],
  )
  const overflow = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  )
  assert.ok(overflow <= 0, `the page is ${overflow} pixels too wide`)
}

/** The two files of an adapter. */
async function downloadedAdapter(page) {
  const downloads = []
  page.on('download', (each) => downloads.push(each))
  await button(page, 'Download the adapter').click()
  while (downloads.length < 2) await page.waitForEvent('download')
  return Object.fromEntries(
    await Promise.all(
      downloads.map(async (each) => {
        const parts = []
        for await (const part of await each.createReadStream()) parts.push(part)
        return [each.suggestedFilename(), Buffer.concat(parts)]
      }),
    ),
  )
}

/** A small model learns from three examples; it then answers otherwise, and its adapter has the files of peft. */
async function teachesSmallModel() {
  const page = await openLanguage()
  await makeSmallModel(page)
  assert.equal(await continued(page, 'The sky is'), 'The sky is blue.')

  // Three examples, one of them pasted as a row of a spreadsheet.
  const examples = card(page, 'Examples')
  await button(page, 'Remove all').click()
  await examples.getByLabel('Prompt of example 1', { exact: true }).evaluate((field) => {
    const clipboardData = new DataTransfer()
    clipboardData.setData('text/plain', 'The sky is\tblue, my friend!\nThe cat says\tmeow, my friend!')
    field.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }))
  })
  await examples.getByLabel('Prompt of example 2').waitFor()
  await button(page, 'Add example').click()
  await examples.getByLabel('Prompt of example 3').fill('The grass is')
  await examples.getByLabel('Response of example 3').fill('green, my friend!')
  await button(page, 'Add example').click()
  await button(page, 'Remove example 4').click()
  await examples.getByLabel('Prompt of example 4').waitFor({ state: 'detached' })
  assert.equal(await examples.locator('tbody tr').count(), 3)

  // Many epochs, which are stopped, so that there is time to measure frames.
  await slide(page, 'epochs', 10)
  await button(page, 'Train the adapter').click()
  await card(page, 'Training').locator('progress').waitFor()
  const { at, longest } = await timesOfFrames(page)
  assert.ok(at(0.95) <= SMOOTH, `95 % of the frames within ${at(0.95)} ms`)
  assert.ok(longest < LONG, `a task of ${longest} ms while the adapter trained`)
  if (await card(page, 'Training').locator('progress').isVisible())
    await card(page, 'Training').getByRole('button', { name: 'Stop' }).click()
  await card(page, 'Training')
    .getByText(/(?:Stopped after|Trained for) \d+ epochs of 3 examples/)
    .waitFor()
  await slide(page, 'epochs', 6)
  await button(page, 'Train it anew').click()
  await card(page, 'Training').getByText('Trained for 30 epochs of 3 examples').waitFor()

  await page.getByLabel('Prompt to compare').fill('The rose is')
  await button(page, 'Compare').click()
  const side = (name) => card(page, 'Comparison').getByRole('group', { name }).locator('.continued')
  await side('After').waitFor()
  await idle(page)
  const [before, after] = [await side('Before').textContent(), await side('After').textContent()]
  assert.equal(before, 'The rose is red.')
  assert.match(after, /^The rose is .*my friend!$/)
  // The conversation uses it as well, until it is switched off.
  assert.match(await continued(page, 'The cat says'), /meow, my friend!$/)
  await page.getByLabel('with the adapter').uncheck()
  assert.equal(await continued(page, 'The cat says'), 'The cat says meow.')

  const files = await downloadedAdapter(page)
  assert.deepEqual(Object.keys(files).sort(), ['adapter_config.json', 'adapter_model.safetensors'])
  const config = JSON.parse(files['adapter_config.json'].toString())
  assert.equal(config.peft_type, 'LORA')
  assert.equal(config.r, 4)
  const weights = files['adapter_model.safetensors']
  const header = JSON.parse(weights.subarray(8, 8 + Number(weights.readBigUInt64LE())).toString())
  assert.deepEqual(header['base_model.model.model.layers.1.self_attn.q_proj.lora_A.weight'].shape, [4, 64])

  const costs = await card(page, 'Costs').locator('dd').allTextContents()
  for (const figure of costs) assert.ok(parseFloat(figure) > 0, `costs: ${costs}`)
  await card(page, 'Costs')
    .getByText(/Joules are an estimate.*× 12 W.*If the core takes 4 W/)
    .waitFor()
  await page.context().close()
  return `“${before}” → “${after}”; 95 % of the frames within ${at(0.95).toFixed(0)} ms while it trains, longest task ${longest.toFixed(0)} ms; ${costs.join(', ')}`
}

/** A preset with a chat template, as files by name. */
async function chatPreset() {
  const tokenizer = await trainTokenizer(['Who are you?', 'I am a model.', 'What is the sky?'], { vocabularySize: 300 })
  const config = {
    model_type: 'llama',
    hidden_size: 64,
    intermediate_size: 96,
    num_hidden_layers: 2,
    num_attention_heads: 4,
    max_position_embeddings: 1024,
  }
  const files = new Map(await CausalLM.fromConfig(config, tokenizer, { seed: 1 }).saveToPreset())
  const settings = JSON.parse(Buffer.from(files.get('tokenizer_config.json') ?? '{}').toString())
  const template = "{% for m in messages %}{{ m['role'] + ': ' + m['content'] + '\n' }}{% endfor %}assistant:"
  files.set('tokenizer_config.json', Buffer.from(JSON.stringify({ ...settings, chat_template: template })))
  return files
}

/** A folder with a chat template; then folders that cannot be opened, beside which the page stays usable. */
async function opensPresets() {
  const folder = mkdtempSync(join(tmpdir(), 'playground-'))
  const files = await chatPreset()
  const put = (name, changes) => {
    mkdirSync(join(folder, name))
    for (const [file, bytes] of new Map([...files, ...Object.entries(changes)]))
      writeFileSync(join(folder, name, file), bytes)
    return join(folder, name)
  }
  const page = await openLanguage()
  const choose = async (path) => {
    await page.getByText('Files', { exact: true }).click()
    await page.locator('input[webkitdirectory]').setInputFiles(path)
  }
  try {
    await choose(put('small-chat', {}))
    await page.getByText(/small-chat: llama, [\d.]+ k numbers/).waitFor()
    const sizes = await page.locator('.weights b').allTextContents()
    const [float32, int8, int4] = sizes.map((text) => parseFloat(text))
    assert.ok(float32 > 3 * int8 && int8 > int4 && int4 > 0, `sizes: ${sizes}`)
    await page.getByRole('radio', { name: 'int8' }).check()
    await button(page, 'Open the model').click()
    await card(page, 'Conversation').waitFor()
    await page.getByLabel('Message').fill('Who are you?')
    await button(page, 'Send').click()
    await page.locator('.bubble.assistant').waitFor()
    await page.waitForFunction(() => /^\d+ tokens?/.test(document.querySelector('.caption').textContent))
    await card(page, 'Training').getByLabel('epochs', { exact: true }).fill('4')
    await button(page, 'Train the adapter').click()
    await card(page, 'Training').getByText('Trained for 10 epochs of 10 examples').waitFor()

    const whole = files.get('model.safetensors')
    const config = JSON.parse(Buffer.from(files.get('config.json')).toString())
    for (const [name, changes, message] of [
      [
        'cut',
        { 'model.safetensors': whole.subarray(0, whole.length / 2) },
        /no model that can be opened here.*damaged or truncated/,
      ],
      [
        'family',
        { 'config.json': JSON.stringify({ ...config, model_type: 'mamba' }) },
        /mamba.* is not supported.*llama/,
      ],
      ['empty', { 'config.json': '{' }, /config\.json/],
    ]) {
      if (!(await page.locator('input[webkitdirectory]').count())) await button(page, 'Another model').click()
      await choose(put(name, changes))
      const error = page.locator('.notices .error')
      await error.waitFor()
      assert.match(await error.textContent(), message)
      await error.getByRole('button').click()
      await idle(page)
    }
    // The model from before goes on.
    await page.getByLabel('Message').fill('And now?')
    await button(page, 'Send').click()
    await page.locator('.bubble.assistant').nth(1).waitFor()
    await idle(page)

    // From an address of this server.
    await page.route(`${address}test-model/*`, (route) => {
      const body = files.get(route.request().url().split('/').at(-1))
      return route.fulfill(body === undefined ? { status: 404 } : { body: Buffer.from(body) })
    })
    await page.getByText('Address', { exact: true }).click()
    await page.getByLabel('Address of the model').fill(`${address}test-model`)
    await button(page, 'Look it up').click()
    await page.getByText(/test-model: llama/).waitFor()
    await page.getByRole('radio', { name: 'int4' }).check()
    await button(page, 'Open the model').click()
    await page
      .locator('.figures')
      .getByText(/int4: /)
      .waitFor()
    await card(page, 'Conversation').waitFor()

    // A GGUF file.
    await button(page, 'Another model').click()
    await page.getByText('Files', { exact: true }).click()
    const gguf = gunzipSync(readFileSync(new URL('../../tests/golden/language/gguf/qwen2.gguf.gz', import.meta.url)))
    const file = { name: 'qwen2.gguf', mimeType: '', buffer: gguf }
    await page.locator('.drops input').nth(1).setInputFiles(file)
    await page.getByText(/qwen2\.gguf: qwen2/).waitFor()
    await button(page, 'Open the model').click()
    await page.locator('.figures').getByText('qwen2.gguf').waitFor()
    return sizes.join(', ')
  } finally {
    rmSync(folder, { recursive: true })
    await page.context().close()
  }
}

async function languageLooks(name, options) {
  const page = await openLanguage(options)
  await serious(page)
  await page.screenshot({ path: join(pictures, `language-begin-${name}.png`), fullPage: true, animations: 'disabled' })
  await makeSmallModel(page)
  await continued(page, 'The sky is')
  await continued(page, 'What does the dog say?')
  await button(page, 'Train the adapter').click()
  await card(page, 'Training').getByText('Trained for 30 epochs').waitFor()
  await button(page, 'Compare').click()
  await card(page, 'Comparison').getByRole('group', { name: 'After' }).locator('.continued').waitFor()
  await idle(page)
  await serious(page)
  await page.evaluate(() => scrollTo(0, 0))
  await page.screenshot({ path: join(pictures, `language-${name}.png`), fullPage: true, animations: 'disabled' })
  await page.context().close()
}

/** The first page leads to it, and has none of its code. */
async function leadsToLanguageModels() {
  sent.clear()
  const page = await open('')
  assert.deepEqual(
    [...sent.keys()].filter((path) => path.includes('language')),
    [],
  )
  await page.getByRole('link', { name: 'Language models' }).click()
  await page.waitForURL(/language\.html$/)
  await begun(page)
  await page.getByRole('link', { name: 'Playground' }).click()
  await ready(page)
  await page.context().close()
}

async function worksOffline() {
  const page = await open('', { serviceWorkers: 'allow' })
  await page.evaluate(() => navigator.serviceWorker.ready.then(({ active }) => active.state))
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null)
  // What few pages need is kept once it was loaded.
  await page.goto(`${address}language.html`)
  await makeSmallModel(page)
  await page.context().setOffline(true)
  await page.reload()
  await makeSmallModel(page)
  assert.equal(await continued(page, 'The sky is'), 'The sky is blue.')
  await page.goto(address)
  await ready(page)
  await train(page, 80)
  await page.context().close()
}

/** Data, a name for its pictures, and what is done first. */
const SCENES = [
  { hash: '', name: 'light', options: { colorScheme: 'light' } },
  { hash: '#data=circles&layers=dense-8-tanh%2Cdense-4-tanh', name: 'dark', options: { colorScheme: 'dark' } },
  {
    hash: '',
    name: 'phone',
    options: { colorScheme: 'light', viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true },
  },
  {
    hash: '#data=digits&layers=conv-8-3-relu%2Cpool-2%2Cdense-32-relu',
    name: 'digits-dark',
    options: { colorScheme: 'dark' },
    tabs: ['Learn', 'Units', 'Weights', 'Explain'],
  },
  {
    hash: '#data=penguins&layers=dense-8-relu',
    name: 'penguins-light',
    options: { colorScheme: 'light' },
    tabs: ['Learn', 'Units', 'Explain'],
  },
]

async function looks({ hash, name, options, tabs = TABS }) {
  const page = await open(hash, options)
  await page.getByText('max', { exact: true }).click()
  await train(page, 90)
  await page.evaluate(axe)
  for (const each of tabs) {
    await tab(page, each)
    if (each === 'Explain') await page.locator('.bars').first().waitFor()
    if (each === 'Units') {
      // Health is measured while the tab is seen.
      await button(page, 'Step').click()
      await page.locator('.figures').first().waitFor()
    }
    if (each === 'Balance') {
      await page.locator('.results tbody tr').first().waitFor()
      await button(page, 'Prune').click()
      await page.locator('.results tbody tr').nth(2).waitFor()
      if (name === 'light') {
        await button(page, 'Start the stream').click()
        await page.waitForTimeout(2000)
        await button(page, 'Stop').click()
      }
    }
    await page.waitForTimeout(250)
    const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }))
    const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
    assert.deepEqual(
      serious.map(
        ({ id, nodes }) =>
          `${each}: ${id} ${nodes.map(({ html, failureSummary }) => `${html.slice(0, 120)} ${failureSummary}`).join('; ')}`,
      ),
      [],
    )
    const overflow = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    )
    assert.ok(overflow <= 0, `${each}: the page is ${overflow} pixels too wide`)
    await page.screenshot({
      path: join(pictures, `${each.toLowerCase()}-${name}.png`),
      fullPage: true,
      animations: 'disabled',
    })
  }
  await page.context().close()
}

mkdirSync(pictures, { recursive: true })
try {
  await test('builds, trains and rewinds a model', learns)
  await test('steps the new run after a change', stepsTheNewRun)
  await test('keeps the run that is shown', keepsTheShownRun)
  await test('trains two runs side by side', trainsTwo)
  await test('paints (processor throttled four times)', loads)
  await test('prunes, quantizes, distils and regenerates', becomesSmaller)
  await test('explains a point', givesReasons)
  await test('saves, reloads and opens', savesAndOpens)
  await test('reads a table', readsTables)
  await test('learns images of the user with the layers of a trained network', transfers)
  await test('learns pictures of a camera', usesCamera)
  await test('trains on the GPU', trainsOnGpu)
  await test('measures a GPU', measuresGpu)
  await test('leads to language models', leadsToLanguageModels)
  await test('language models: makes a small one, and teaches it', teachesSmallModel)
  await test('language models: opens presets, and refuses damaged ones', opensPresets)
  for (const { name, options } of SCENES.slice(0, 3))
    await test(`language models: looks right and is accessible: ${name}`, () => languageLooks(name, options))
  await test('works offline', worksOffline)
  await test('works in Firefox', inFirefox)
  const files = readdirSync(dist, { recursive: true, withFileTypes: true }).filter((each) => each.isFile())
  const total = files.reduce(
    (sum, { parentPath, path, name }) => sum + gzipSync(readFileSync(join(parentPath ?? path, name))).length,
    0,
  )
  console.log(`  all files, with those that are loaded when they are needed: ${(total / 1000).toFixed(0)} kB gzipped`)
  for (const scene of SCENES) await test(`looks right and is accessible: ${scene.name}`, () => looks(scene))
} finally {
  await browser.close()
  server.close()
}
console.log(`site: ${failed === 0 ? 'passed' : `${failed} FAILED`} (Chromium ${browser.version()})`)
process.exitCode = failed === 0 ? 0 : 1
