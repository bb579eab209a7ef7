// npm run site: builds the playground into site/dist, from the package as users receive it. One line of output per step.
//   --dev    serves the sources in place of building them
//   --fresh  builds the package again, also where dist/ exists

import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const site = join(root, 'site')
/** The hash of the package that is installed in site/. */
const mark = join(site, 'node_modules/.myelin-package')
const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'

if (process.argv.includes('--fresh') || !existsSync(join(root, 'dist/index.js')))
  await step('the package', npm, ['run', 'build'], root)
const lock = readFileSync(join(site, 'package-lock.json'))
const wanted = hash([lock, ...filesIn(join(root, 'dist')).map((path) => readFileSync(path))])
if (!existsSync(mark) || readFileSync(mark, 'utf8') !== wanted) {
  await step('the tools', npm, ['ci'], site)
  await step('the archive of the package', npm, ['pack', '--ignore-scripts', '--pack-destination', 'build'], root)
  const { name, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const archive = join(root, `build/${name}-${version}.tgz`)
  await step('the package in site/', npm, ['install', '--no-save', '--no-package-lock', archive], site)
  writeFileSync(mark, wanted)
}
const vite = join(site, 'node_modules/vite/bin/vite.js')
if (process.argv.includes('--dev')) spawn(process.execPath, [vite], { cwd: site, stdio: 'inherit' })
else await step('site/dist', process.execPath, [vite, 'build', '--logLevel', 'warn'], site)

/** Runs a command, whose output is shown only if it fails. */
async function step(what, command, args, cwd) {
  const started = performance.now()
  const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk))
  const code = await new Promise((resolve) => child.on('close', resolve))
  if (code !== 0) {
    console.error(`site: ${what} failed:\n${output}`)
    process.exit(1)
  }
  console.log(`site: ${what} (${((performance.now() - started) / 1000).toFixed(0)} s)`)
}

function filesIn(folder) {
  return readdirSync(folder, { recursive: true })
    .map((path) => join(folder, String(path)))
    .filter((path) => statSync(path).isFile())
    .sort()
}

function hash(parts) {
  const made = createHash('sha256')
  for (const part of parts) made.update(part)
  return made.digest('hex')
}
