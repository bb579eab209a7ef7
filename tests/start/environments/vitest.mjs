// Vitest with Node. Its configuration is empty, so that it does not find that of the repository.
import { asModule, bin, folder, found, output, version } from '../kit.mjs'

export default [
  {
    name: 'vitest',
    async run() {
      const test = `import { expect, it } from 'vitest'\nit('starts', async () => console.log('started: ' + (await start())), 60_000)\n`
      const cwd = folder('vitest', {
        'program.js': asModule(),
        'start.spec.js': asModule() + test,
        'vitest.config.js': 'export default {}',
      })
      const text = await output(bin('vitest'), ['run', '--root', '.'], { cwd })
      return { version: version('vitest'), result: found(text) }
    },
  },
]
