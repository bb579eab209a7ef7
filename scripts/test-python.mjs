// Checks files that this library wrote with the programs that read them: npm run test:python [NAME …]. Tests write the files, and a Python
// script reads them. PYTHON_NAME, such as PYTHON_KERAS, or else PYTHON names the interpreter; by default it is that of tests/golden/.venv.

import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A check: tests write files to the folder in the variable `folder`, if it is set, and the script reads those in its argument. */
const checks = [
  {
    name: 'keras',
    tests: [
      'tests/files/keras/write.test.ts',
      'tests/files/keras/operations.test.ts',
      'tests/files/keras/operations-made.test.ts',
    ],
    folder: 'KERAS_FILES',
    script: 'tests/golden/keras-files-check.py',
    packages: ['keras', 'jax', 'h5py', 'numpy'],
    install: 'pip install -r tests/golden/requirements.txt',
  },
  {
    // Legacy files, where Keras 2 has the classes.
    name: 'keras2',
    tests: ['tests/files/keras/write.test.ts'],
    folder: 'KERAS_FILES',
    script: 'tests/golden/keras-files-check.py',
    packages: ['tensorflow', 'keras', 'h5py', 'numpy'],
    install: 'pip install tensorflow-cpu==2.15.1 (Python 3.11)',
    isOptional: true,
  },
  {
    name: 'onnx',
    tests: [
      'tests/files/onnx/write.test.ts',
      'tests/files/onnx/write-models.test.ts',
      'tests/files/onnx/write-ops.test.ts',
    ],
    folder: 'ONNX_FILES',
    script: 'tests/golden/onnx-files-check.py',
    packages: ['onnx', 'onnxruntime', 'numpy'],
    install: 'pip install -r tests/golden/requirements-onnx.txt',
  },
  {
    name: 'wasm',
    tests: ['tests/standalone/export-module.test.ts'],
    folder: 'WASM_FILES',
    script: 'tests/golden/wasm-files-check.py',
    packages: ['wasmtime'],
    install: 'pip install wasmtime==50.0.1',
  },
]

const names = process.argv.slice(2)
const unknown = names.filter((name) => !checks.some((check) => check.name === name))
if (unknown.length > 0) {
  console.error(`There is no check ${unknown.join(', ')}; there are ${checks.map(({ name }) => name).join(', ')}`)
  process.exit(2)
}

function interpreter(name) {
  const named = process.env[`PYTHON_${name.toUpperCase()}`] ?? process.env.PYTHON
  if (named !== undefined) return named
  const ofGolden = 'tests/golden/.venv/bin/python'
  return existsSync(ofGolden) ? ofGolden : 'python3'
}

/** Why an interpreter cannot run a check; null if it can. */
function missing(python, packages) {
  const code = `import importlib.util as u, sys; print(sys.version.split()[0], *(n for n in sys.argv[1:] if u.find_spec(n) is None))`
  const { status, stdout, error } = spawnSync(python, ['-c', code, ...packages], { encoding: 'utf8' })
  if (error !== undefined || status !== 0) return { version: null, why: `${python} cannot be run` }
  const [version, ...lacking] = stdout.trim().split(' ')
  return { version, why: lacking.length === 0 ? null : `it lacks ${lacking.join(', ')}` }
}

function run({ name, tests, folder, script, packages, install, isOptional = false }) {
  // An optional check runs if it is named, or if a variable names an interpreter for it alone.
  const isChosen = names.includes(name) || process.env[`PYTHON_${name.toUpperCase()}`] !== undefined
  if (isOptional && !isChosen) return `not run: npm run test:python ${name}`
  const python = interpreter(name)
  const { version, why } = missing(python, packages)
  console.log(`${name}: ${python}${version === null ? '' : `, Python ${version}`}`)
  if (why !== null)
    return `FAILED: ${why}. Install: ${install}; then set PYTHON_${name.toUpperCase()} or PYTHON to its interpreter`
  const files = mkdtempSync(join(tmpdir(), `${name}-files-`))
  try {
    const options = { stdio: 'inherit', env: { ...process.env, [folder]: files } }
    if (spawnSync('npx', ['vitest', 'run', '--project', 'simd', ...tests], options).status !== 0)
      return 'FAILED: the tests that write the files'
    return spawnSync(python, [script, files], options).status === 0 ? 'ok' : 'FAILED'
  } finally {
    rmSync(files, { recursive: true })
  }
}

const results = checks
  .filter(({ name }) => names.length === 0 || names.includes(name))
  .map((check) => ({ name: check.name, result: run(check) }))
for (const { name, result } of results) console.log(`${name}: ${result}`)
process.exitCode = results.some(({ result }) => result.startsWith('FAILED')) ? 1 : 0
