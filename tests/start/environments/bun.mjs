// Bun, with `import` and with `require`.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { asCommonJs, asModule, folder, found, main, output, root, version } from '../kit.mjs'

const files = { import: { 'program.mjs': asModule() + main }, require: { 'program.cjs': asCommonJs() + main } }

export default Object.entries(files).map(([form, written]) => ({
  name: `bun-${form}`,
  async run() {
    const cwd = folder(`bun-${form}`, written)
    const scope = join(root, 'node_modules/@oven')
    const bun = join(scope, readdirSync(scope)[0], 'bin/bun')
    return { version: version('bun'), result: found(await output(bun, Object.keys(written), { cwd })) }
  },
}))
