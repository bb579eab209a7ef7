// Builds and runs one program in every environment (environments/), with the package as `npm pack` makes it from dist/: run
// `npm run build` first. `npm run test:start` runs all, `npm run test:start NAME …` those whose names begin with a NAME, and
// `npm run test:start -- --quick` those of CI, which need no tools besides the dependencies of package.json.

import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Skipped, root } from './kit.mjs'

/** The environments of CI: one of each kind. */
const QUICK = [
  `node-${process.versions.node.split('.')[0]}`,
  'workerd',
  'chromium',
  'esbuild',
  'jest',
  'typescript-6',
  'quickjs',
]

const repository = join(root, '../..')
if (!existsSync(join(repository, 'dist/script/myelin.global.js')))
  throw new Error('dist/ is incomplete. Run `npm run build` first.')
const given = process.argv.slice(2)
const isQuick = given.includes('--quick')
const wanted = isQuick ? QUICK : given

if (!existsSync(join(root, 'node_modules')))
  execFileSync('npm', ['ci', ...(isQuick ? ['--omit=dev'] : [])], { cwd: root, stdio: 'inherit' })
const build = join(root, 'build')
mkdirSync(build, { recursive: true })
const [{ filename }] = JSON.parse(
  execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', build], {
    cwd: repository,
    encoding: 'utf8',
  }),
)
const omitted = existsSync(join(root, 'node_modules/next')) ? [] : ['--omit=dev']
execFileSync('npm', ['install', '--no-save', '--no-package-lock', ...omitted, join(build, filename)], { cwd: root })

const files = readdirSync(join(root, 'environments')).sort()
const all = (await Promise.all(files.map((file) => import(`./environments/${file}`)))).flatMap((each) => each.default)
const chosen = wanted.length === 0 ? all : all.filter(({ name }) => wanted.some((each) => name.startsWith(each)))
if (chosen.length === 0)
  throw new Error(`No environment is called ${wanted.join(', ')}. There are: ${all.map(({ name }) => name).join(', ')}`)

const width = Math.max(...chosen.map(({ name }) => name.length))
let failures = 0
const start = performance.now()
for (const { name, run } of chosen) {
  const began = performance.now()
  const row = await run().then(
    ({ version, result }) => ['ok', version, result],
    (error) => (error instanceof Skipped ? ['skipped', '', error.message] : ['FAILED', '', error]),
  )
  const seconds = ((performance.now() - began) / 1000).toFixed(1)
  const [state, version, result] = row
  if (state === 'FAILED') failures++
  const text = result instanceof Error ? result.message : result
  console.log(`${name.padEnd(width)}  ${version.padEnd(18)}  ${state.padEnd(7)}  ${seconds.padStart(6)} s  ${text}`)
}
const seconds = ((performance.now() - start) / 1000).toFixed(0)
console.log(`start: ${chosen.length - failures} of ${chosen.length} environments, ${seconds} s`)
// Tools may have left processes of their own.
process.exit(failures === 0 ? 0 : 1)
