// Bun, with `import` and with `require`.
import { asCommonJs, asModule, bin, folder, found, main, output, version } from '../kit.mjs'

const files = { import: { 'program.mjs': asModule() + main }, require: { 'program.cjs': asCommonJs() + main } }

export default Object.entries(files).map(([form, written]) => ({
  name: `bun-${form}`,
  async run() {
    const cwd = folder(`bun-${form}`, written)
    return { version: version('bun'), result: found(await output(bin('bun'), Object.keys(written), { cwd })) }
  },
}))
