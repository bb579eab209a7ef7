// esbuild, for a page and for Node.
import { join } from 'node:path'
import { bundled } from '../bundled.mjs'
import { asModule, folder, found, main, output, tool, version } from '../kit.mjs'

async function bundle(cwd, options) {
  const { build } = await tool('esbuild')
  await build({ entryPoints: [join(cwd, 'program.js')], bundle: true, minify: true, format: 'esm', ...options })
}

export default [
  bundled('esbuild', 'esbuild', (cwd) => bundle(cwd, { outdir: join(cwd, 'out') })),
  {
    name: 'esbuild-node',
    async run() {
      const cwd = folder('esbuild-node', { 'program.js': asModule() + main })
      await bundle(cwd, { platform: 'node', outfile: join(cwd, 'out.mjs') })
      return { version: version('esbuild'), result: found(await output('node', ['out.mjs'], { cwd })) }
    },
  },
]
