// Writes .keras files and checks them with the real Keras: npm run test:python. PYTHON names the interpreter, by default that of
// tests/golden/.venv.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const folder = mkdtempSync(join(tmpdir(), 'keras-files-'))
const python = process.env['PYTHON'] ?? 'tests/golden/.venv/bin/python'
const run = (command, args) =>
  spawnSync(command, args, { stdio: 'inherit', env: { ...process.env, KERAS_FILES: folder } }).status ?? 1
const written = run('npx', ['vitest', 'run', '--project', 'simd', 'tests/keras/write.test.ts'])
process.exitCode = written === 0 ? run(python, ['tests/golden/keras-files-check.py', folder]) : written
rmSync(folder, { recursive: true })
