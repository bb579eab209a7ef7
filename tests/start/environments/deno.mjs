// Deno, which finds the package in node_modules and needs no permission to use it.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { asModule, folder, found, main, output, root, version } from '../kit.mjs'

export default [
  {
    name: 'deno',
    async run() {
      const cwd = folder('deno', { 'program.mjs': asModule() + main })
      const scope = join(root, 'node_modules/@deno')
      const deno = join(scope, readdirSync(scope)[0], 'deno')
      const text = await output(deno, ['run', '--no-prompt', '--node-modules-dir=manual', 'program.mjs'], { cwd })
      return { version: version('deno'), result: found(text) }
    },
  },
]
