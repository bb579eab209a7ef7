// Writes .keras and ONNX files and checks them with the real Keras and ONNX Runtime: npm run test:python. PYTHON names the interpreter, by
// default that of tests/golden/.venv; PYTHON_ONNX another one for ONNX files.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const python = process.env['PYTHON'] ?? 'tests/golden/.venv/bin/python'

/** What is checked: the variable that names the folder, the tests that write into it, and the script that reads it. */
const formats = [
  { variable: 'KERAS_FILES', tests: ['keras/write'], script: 'keras-files-check.py', python },
  {
    variable: 'ONNX_FILES',
    tests: ['onnx/write', 'onnx/write-models', 'onnx/write-ops'],
    script: 'onnx-files-check.py',
    python: process.env['PYTHON_ONNX'] ?? python,
  },
]

function check({ variable, tests, script, python: interpreter }) {
  const folder = mkdtempSync(join(tmpdir(), 'written-files-'))
  const run = (command, args) =>
    spawnSync(command, args, { stdio: 'inherit', env: { ...process.env, [variable]: folder } }).status ?? 1
  const files = tests.map((name) => `tests/${name}.test.ts`)
  const written = run('npx', ['vitest', 'run', '--project', 'simd', ...files])
  const found = written === 0 ? run(interpreter, [`tests/golden/${script}`, folder]) : written
  rmSync(folder, { recursive: true })
  return found
}

process.exitCode = Math.max(...formats.map(check))
