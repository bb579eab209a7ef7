// Trains two models in the page and measures whether the page stays responsive meanwhile. Leaves its results in
// window.testResult; run.mjs asserts them.
import { fromPixels, readCsv, readImage, readJsonLines } from '../../dist/data.js'
import {
  BackupAndRestore,
  BrowserStore,
  Dense,
  Sequential,
  configure,
  dispose,
  ops,
  runtimeInfo,
  setRandomSeed,
  threadsReady,
} from '../../dist/index.js'

const element = (id) => document.getElementById(id)

try {
  window.testResult = await main()
} catch (error) {
  element('status').textContent = String(error)
  window.testResult = { error: error?.stack ?? String(error) }
}

async function main() {
  const { x, y } = await loadPenguins()
  const positives = y.filter(([label]) => label === 1).length
  const baseline = Math.max(positives, y.length - positives) / y.length
  element('baseline').textContent = percent(baseline)
  element('status').textContent = `${y.length} penguins, 8 features, one small network`

  const penguins = await trainPenguins(x, y)
  const wide = await trainWide()
  const takenUp = await takeUp(x, y)
  const threads = await useThreads()
  const pictures = await readPictures()
  element('status').textContent += ` · trained in ${penguins.milliseconds.toFixed(0)} ms`
  return {
    crossOriginIsolated: window.crossOriginIsolated,
    baseline,
    accuracy: penguins.accuracy,
    loss: penguins.loss,
    responsiveness: [penguins.responsiveness, wide],
    takenUp,
    threads,
    pictures,
  }
}

// Decoding and drawing in the browser: an image from a URL, the same from bytes, and from a canvas; values and rows of
// a Blob.
async function readPictures() {
  const address = new URL('../golden/data/rgb.png', import.meta.url)
  const [fetched, uploaded] = [await readImage(address), await readImage(await (await fetch(address)).blob())]
  const canvas = document.createElement('canvas')
  const bitmap = await createImageBitmap(await (await fetch(address)).blob())
  Object.assign(canvas, { width: bitmap.width, height: bitmap.height }).getContext('2d').drawImage(bitmap, 0, 0)
  const values = await readJsonLines(new Blob(['{"a":1}\n{"a":2}'])).toArray()
  const table = await readCsv(new Blob(['day,note,size\n2024-02-29,"a, ""b""\nc",1.5\n2024-03-01,d,2\n'])).toArray()
  return { table, images: [fetched, uploaded, fromPixels(canvas)].map((image) => image.toArray()), values }
}

// A run that is interrupted and resumed from a store of the page, and one without interruption.
async function takeUp(x, y) {
  const store = new BrowserStore('taken-up')
  const run = async (callbacks) => {
    setRandomSeed(3)
    const model = new Sequential([
      new Dense({ units: 4, activation: 'relu', inputShape: [8] }),
      new Dense({ units: 1, activation: 'sigmoid' }),
    ])
    model.compile({ optimizer: 'adam', loss: 'binaryCrossentropy' })
    await model.fit(x, y, { epochs: 6, verbose: 0, callbacks }).catch((error) => {
      if (error.message !== 'interrupted') throw error
    })
    return model.getWeights().flatMap(({ data }) => [...data])
  }
  const backup = () => new BackupAndRestore({ backupDir: 'run', saveFreq: 4, store })
  const whole = await run([])
  let steps = 0
  await run([
    backup(),
    {
      onTrainBatchEnd() {
        if (++steps === 40) throw new Error('interrupted')
      },
    },
  ])
  const kept = (await store.read('run/backup.safetensors')).length
  const second = backup()
  const weights = await run([second])
  const left = await store.read('run/backup.safetensors')
  return { epoch: second.takenUp?.epoch, kept, left, same: weights.every((value, i) => Object.is(value, whole[i])) }
}

// The model most people start with: many tiny steps, a callback after each epoch.
async function trainPenguins(x, y) {
  const epochs = 2000
  const model = new Sequential([
    new Dense({ units: 10, activation: 'relu', inputShape: [8] }),
    new Dense({ units: 8, activation: 'relu' }),
    new Dense({ units: 1, activation: 'sigmoid' }),
  ])
  model.compile({ optimizer: 'adam', loss: 'binaryCrossentropy', metrics: ['accuracy'] })

  const loss = []
  let accuracy = 0
  let drawing = 0
  const draw = () => {
    drawing = 0
    element('progress').value = loss.length / epochs
    element('epoch').textContent = String(loss.length)
    element('loss').textContent = loss[loss.length - 1].toFixed(3)
    element('accuracy').textContent = percent(accuracy)
    drawCurve(loss, epochs)
  }
  const live = {
    onEpochEnd(epoch, logs) {
      loss.push(logs.loss)
      accuracy = logs.accuracy
      drawing ||= requestAnimationFrame(draw)
    },
  }
  drawCurve([1], epochs) // the first use of a canvas initializes it, which does not belong to fit's time
  const { result: history, ...responsiveness } = await watch('8→10→8→1', () =>
    model.fit(x, y, { epochs, batchSize: 32, verbose: 0, callbacks: [live] }),
  )
  cancelAnimationFrame(drawing)
  draw()
  return {
    loss: history.history.loss,
    accuracy: history.history.accuracy.at(-1),
    milliseconds: responsiveness.milliseconds,
    responsiveness,
  }
}

// One epoch takes far longer than 50 ms here, so fit has to yield to the page between batches.
async function trainWide() {
  const rows = 4096
  const columns = 256
  const next = randomNumbers(7)
  const pixels = Float32Array.from({ length: rows * columns }, () => next() - 0.5)
  const labels = Float32Array.from({ length: rows }, (_, row) =>
    Number(pixels[row * columns] + pixels[row * columns + 1] > 0),
  )
  const x = { data: pixels, shape: [rows, columns] }
  const y = { data: labels, shape: [rows, 1] }
  const model = new Sequential([
    new Dense({ units: 256, activation: 'relu', inputShape: [columns] }),
    new Dense({ units: 256, activation: 'relu' }),
    new Dense({ units: 1, activation: 'sigmoid' }),
  ])
  model.compile({ optimizer: 'adam', loss: 'binaryCrossentropy', metrics: ['accuracy'] })
  const { result: _history, ...responsiveness } = await watch('256→256→256→1', () =>
    model.fit(x, y, { epochs: 5, batchSize: 32, verbose: 0 }),
  )
  return responsiveness
}

// A product on one thread and on two, if the page may have threads.
async function useThreads() {
  const product = () => {
    const x = ops.reshape(ops.sin(ops.arange(0, 90000, 1, 'float32')), [300, 300])
    return ops.matmul(x, x).data
  }
  const expected = product()
  configure({ threads: 2 })
  const { threads, threadsNote } = await threadsReady()
  const before = runtimeInfo().counters.threadedRuns
  const same = product().every((value, i) => Object.is(value, expected[i]))
  const runs = runtimeInfo().counters.threadedRuns - before
  await dispose()
  configure({ threads: 1 })
  return { threads, threadsNote, same, runs }
}

// Runs `work` while two heartbeats tick, a message loop and a timer loop. A gap is the time between two beats of any
// kind: how long the page could not have answered a click.
async function watch(model, work) {
  const tasks = []
  const observer = new PerformanceObserver((list) => tasks.push(...list.getEntries()))
  observer.observe({ entryTypes: ['longtask'] })

  let running = true
  let lastBeat = performance.now()
  const gaps = []
  const beat = () => {
    const now = performance.now()
    gaps.push(now - lastBeat)
    lastBeat = now
  }
  const channel = new MessageChannel()
  channel.port1.onmessage = () => {
    if (!running) return
    beat()
    channel.port2.postMessage(null)
  }
  const tick = () => {
    if (!running) return
    beat()
    setTimeout(tick, 0)
  }
  await new Promise((resolve) => setTimeout(resolve, 500)) // let earlier work settle
  lastBeat = performance.now()
  channel.port2.postMessage(null)
  setTimeout(tick, 0)

  const start = performance.now()
  const result = await work()
  const end = performance.now()
  gaps.push(end - lastBeat)
  running = false
  channel.port1.close()

  await new Promise((resolve) => setTimeout(resolve, 100)) // entries arrive late
  tasks.push(...observer.takeRecords())
  observer.disconnect()

  const sorted = gaps.toSorted((a, b) => a - b)
  const measured = {
    model,
    milliseconds: end - start,
    longTasks: tasks
      .filter((task) => task.startTime + task.duration > start && task.startTime < end)
      .map((task) => task.duration),
    gaps: { count: sorted.length, median: sorted[sorted.length >> 1], max: sorted[sorted.length - 1] },
  }
  const row = element('responsiveness').insertRow()
  const { milliseconds, longTasks, gaps: gap } = measured
  for (const text of [
    model,
    `${milliseconds.toFixed(0)} ms`,
    String(longTasks.length),
    `${gap.median.toFixed(1)} ms`,
    `${gap.max.toFixed(1)} ms`,
  ]) {
    row.insertCell().textContent = text
  }
  return { ...measured, result }
}

// Eight features: four measurements (standardised), the sex, and one column per island. Label 1: an Adélie.
async function loadPenguins() {
  const response = await fetch('/examples/data/penguins.csv')
  if (!response.ok) throw new Error(`penguins.csv: ${response.status}`)
  const [header, ...lines] = (await response.text()).trim().split('\n')
  const columns = header.split(',')
  const rows = lines.map((line) => Object.fromEntries(line.split(',').map((value, i) => [columns[i], value])))

  const measurements = ['bill_length_mm', 'bill_depth_mm', 'flipper_length_mm', 'body_mass_g'].map((name) => {
    const values = rows.map((row) => Number(row[name]))
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length
    const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length)
    return values.map((value) => (value - mean) / deviation)
  })
  const islands = ['Biscoe', 'Dream', 'Torgersen']
  return {
    x: rows.map((row, i) => [
      ...measurements.map((values) => values[i]),
      row.sex === 'male' ? 1 : 0,
      ...islands.map((island) => (row.island === island ? 1 : 0)),
    ]),
    y: rows.map((row) => [row.species === 'Adelie' ? 1 : 0]),
  }
}

function drawCurve(loss, epochs) {
  const canvas = element('curve')
  const context = canvas.getContext('2d')
  const { width, height } = canvas
  const margin = 24
  const top = Math.max(...loss)
  context.clearRect(0, 0, width, height)
  context.strokeStyle = getComputedStyle(document.documentElement).getPropertyValue('--line')
  context.lineWidth = 4
  context.lineJoin = 'round'
  context.beginPath()
  const stride = Math.max(1, Math.floor(loss.length / 500))
  for (let i = 0; i < loss.length; i += stride) {
    context.lineTo(
      margin + (i / epochs) * (width - 2 * margin),
      height - margin - (loss[i] / top) * (height - 2 * margin),
    )
  }
  context.stroke()
}

function percent(fraction) {
  return `${(100 * fraction).toFixed(1)} %`
}

// mulberry32: the same numbers in every run.
function randomNumbers(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0
    let t = Math.imul(seed ^ (seed >>> 15), seed | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}
