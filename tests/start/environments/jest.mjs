// Jest: CommonJS, its default, with Node and with jsdom; ES modules with jsdom, which has no TextEncoder.
import { asCommonJs, asModule, bin, folder, found, output, version } from '../kit.mjs'

const test = `test('starts', async () => process.stdout.write('started: ' + (await start()) + '\\n'), 60_000)\n`
const run = (name, { file, text, args = [], env = {}, type }) => ({
  name,
  async run() {
    const cwd = folder(name, { [file]: text + test }, { type, jest: { rootDir: '.' } })
    return { version: version('jest'), result: found(await output(bin('jest'), args, { cwd, env })) }
  },
})
const modules = { NODE_OPTIONS: '--experimental-vm-modules' }
const jsdom = ['--env=jsdom']

export default [
  run('jest', { file: 'start.test.js', text: asCommonJs(), type: 'commonjs' }),
  run('jest-jsdom', { file: 'start.test.js', text: asCommonJs(), type: 'commonjs', args: jsdom }),
  run('jest-esm', { file: 'start.test.js', text: asModule(), type: 'module', env: modules }),
  run('jest-esm-jsdom', { file: 'start.test.js', text: asModule(), type: 'module', env: modules, args: jsdom }),
]
