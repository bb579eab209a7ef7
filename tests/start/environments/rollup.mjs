// rollup with the plugins that find packages and read CommonJS, which most configurations have.
import { join } from 'node:path'
import { bundled } from '../bundled.mjs'
import { tool } from '../kit.mjs'

export default [
  bundled('rollup', 'rollup', async (cwd) => {
    const { rollup } = await tool('rollup')
    const { nodeResolve } = await tool('@rollup/plugin-node-resolve')
    const { default: commonjs } = await tool('@rollup/plugin-commonjs')
    const plugins = [nodeResolve({ browser: true }), commonjs()]
    const bundle = await rollup({ input: join(cwd, 'program.js'), plugins })
    await bundle.write({ dir: join(cwd, 'out'), format: 'es' })
  }),
]
