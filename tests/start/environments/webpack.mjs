// webpack, for a page and for Node, where the program uses `require`.
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { bundled } from '../bundled.mjs'
import { asCommonJs, folder, found, main, output, version } from '../kit.mjs'

function bundle(cwd, options) {
  const webpack = createRequire(import.meta.url)('webpack')
  const config = { mode: 'production', context: cwd, performance: false, ...options }
  return new Promise((done, fail) =>
    webpack(config, (error, stats) => {
      const problems = error ?? (stats.hasErrors() || stats.hasWarnings() ? new Error(stats.toString()) : null)
      if (problems === null) done()
      else fail(problems)
    }),
  )
}

export default [
  bundled('webpack', 'webpack', (cwd) =>
    bundle(cwd, { entry: './program.js', output: { path: join(cwd, 'out'), filename: 'program.js' } }),
  ),
  {
    name: 'webpack-node',
    async run() {
      const cwd = folder('webpack-node', { 'program.cjs': asCommonJs() + main })
      const to = { path: join(cwd, 'out'), filename: 'program.cjs' }
      await bundle(cwd, { target: 'node', entry: './program.cjs', output: to })
      return { version: version('webpack'), result: found(await output('node', ['out/program.cjs'], { cwd })) }
    },
  },
]
