// Trains a model here, then in Python on eight devices, then here again. Prints the losses of both sides, and fails if they
// differ by more than 1e-4: node grow/example.mjs PYTHON, an interpreter with grow/requirements.txt. Needs `npm run build`.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Dense, Sequential, loadModel, setRandomSeed } from 'myelin'
import { Dataset } from 'myelin/data'

const python = process.argv[2] ?? 'python3'
const folder = mkdtempSync(join(tmpdir(), 'growing-out-'))
const [started, rows, grown, history] = ['model.keras', 'rows.npz', 'grown.keras', 'history.json'].map((name) =>
  join(folder, name),
)

setRandomSeed(1)
const features = Array.from({ length: 512 }, (_, i) => Array.from({ length: 8 }, (_, j) => Math.sin(7 * i + 3.3 * j)))
const targets = features.map(([a, b, c]) => Math.sin(3 * a) + b * c)
const model = new Sequential([
  new Dense({ units: 32, activation: 'relu', inputShape: [8] }),
  new Dense({ units: 16, activation: 'tanh' }),
  new Dense({ units: 1 }),
])
model.compile({ optimizer: 'adam', loss: 'meanSquaredError' })
const options = { epochs: 3, batchSize: 64, shuffle: false, verbose: 0 }
await model.fit(features, targets, options)
await model.save(started)
await Dataset.from(features.map((x, i) => [x, targets[i]])).save(rows)

// Three epochs in Python, on eight virtual devices of this machine.
execFileSync(
  python,
  ['grow/train.py', started, rows, '--epochs', '3', '--batch-size', '64', '--out', grown, '--history', history],
  { stdio: 'inherit', env: { ...process.env, XLA_FLAGS: '--xla_force_host_platform_device_count=8' } },
)
const there = JSON.parse(readFileSync(history, 'utf8')).map(({ loss }) => loss)
const returned = await loadModel(grown)
const home = (await returned.fit(features, targets, options)).history.loss
rmSync(folder, { recursive: true })

// The same six epochs without a journey.
const expected = [
  ...(await model.fit(features, targets, options)).history.loss,
  ...(await model.fit(features, targets, options)).history.loss,
]
const found = [...there, ...home]
console.log(`here, without a journey: ${expected.map((loss) => loss.toFixed(6)).join(' ')}`)
console.log(`three in Python, then here: ${found.map((loss) => loss.toFixed(6)).join(' ')}`)
if (found.some((loss, i) => !(Math.abs(loss / expected[i] - 1) < 1e-4))) throw new Error('The losses differ')
