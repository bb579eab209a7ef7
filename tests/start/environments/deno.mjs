// Deno, which finds the package in node_modules and needs no permission to use it.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { asModule, folder, found, main, output, root, version } from '../kit.mjs'

/** What consoles and notebooks show of a tensor. */
const shows = `import { tensor } from 'myelin'
const matrix = tensor([[1, 2], [3, 4]])
const texts = [Deno.inspect(matrix), matrix[Symbol.for('Jupyter.display')]()['text/plain']]
const isShown = texts.every((text) => text.startsWith('Tensor float32 [2, 2]') && text.includes('[1, 2]'))
console.log(isShown ? 'started: loss ' + texts[0].replaceAll('\\n', ' ') : texts)
`
const programs = { deno: asModule() + main, 'deno-console': shows }

export default Object.entries(programs).map(([name, program]) => ({
  name,
  async run() {
    const cwd = folder(name, { 'program.mjs': program })
    const scope = join(root, 'node_modules/@deno')
    const deno = join(scope, readdirSync(scope)[0], 'deno')
    const text = await output(deno, ['run', '--no-prompt', '--node-modules-dir=manual', 'program.mjs'], { cwd })
    return { version: version('deno'), result: found(text) }
  },
}))
