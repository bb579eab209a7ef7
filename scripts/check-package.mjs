// Checks the package as a user would receive it: packs it, lints the tarball, looks at its types, its size
// and what it imports. Builds nothing: run `npm run build` first.
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'

const sizeLimit = 120_000 // bytes of JavaScript, wasm included, gzipped

const root = fileURLToPath(new URL('..', import.meta.url))
process.chdir(root)
if (!existsSync('dist/index.js')) throw new Error('dist/index.js does not exist. Did you run `npm run build`?')

const manifest = JSON.parse(readFileSync('package.json', 'utf8'))
mkdirSync('build', { recursive: true })
const packed = execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', 'build'], { encoding: 'utf8' })
const [{ filename, files }] = JSON.parse(packed)
const tarball = readFileSync(join('build', filename))

let failures = 0
function report(check, problems, note = '') {
  console.log(`${problems.length === 0 ? 'ok    ' : 'FAILED'}  ${check}${note && `: ${note}`}`)
  for (const problem of problems) console.log(`        ${problem}`)
  if (problems.length > 0) failures++
}

const lint = await publint({ pack: { tarball: new Uint8Array(tarball).buffer }, strict: true })
report(
  'publint',
  lint.messages.filter((message) => message.type !== 'suggestion').map((message) => formatMessage(message, manifest)),
)

// This package is ESM only, so CommonJS resolution is not expected to work; Node ≥ 22 can `require` it all the same.
const types = await checkPackage(createPackageFromTarballData(tarball))
const expected = (problem) => problem.resolutionKind === 'node10' || problem.kind === 'CJSResolvesToESM'
report(
  'types',
  types.types === false
    ? ['the tarball contains no types']
    : types.problems.filter((problem) => !expected(problem)).map((problem) => `${problem.kind} ${JSON.stringify(problem)}`),
)

const scripts = readdirSync('dist').filter((name) => name.endsWith('.js'))
const gzipped = scripts.reduce((sum, name) => sum + gzipSync(readFileSync(join('dist', name)), { level: 9 }).length, 0)
report(
  'size',
  gzipped > sizeLimit ? [`expected at most ${sizeLimit} bytes gzipped, received ${gzipped}`] : [],
  `${(gzipped / 1000).toFixed(1)} of ${sizeLimit / 1000} kB gzipped; tarball ${(tarball.length / 1000).toFixed(0)} kB, ${files.length} files`,
)

const forbidden = [
  [/^\s*(?:import|export)\b[^'"\n]*['"](?!\.)[^'"\n]+['"]/m, 'a static import from another package or from Node'],
  [/\bimport\(\s*['"]node:/, 'a dynamic import of a Node module'],
  [/^(?:(?:const|let|var)\b[^={]*=\s*)?await\b/m, 'a top-level await'],
]
report(
  'imports',
  scripts.flatMap((name) => {
    const code = readFileSync(join('dist', name), 'utf8')
    return forbidden.flatMap(([pattern, what]) => {
      const found = pattern.exec(code)
      return found === null ? [] : [`${name} has ${what}: ${found[0].trim()}`]
    })
  }),
)

const names = Object.keys(await import('myelin'))
report('loads in Node', names.length > 0 ? [] : ['exports nothing'], `${names.length} exports`)

console.log(failures === 0 ? 'package: all checks passed' : `package: ${failures} failed`)
process.exitCode = failures === 0 ? 0 : 1
