// Deno, which finds the package in node_modules and needs no permission to use it, but one to read files.
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { asModule, folder, found, main, output, root, version } from '../kit.mjs'

/** What consoles and notebooks show of a tensor. */
const shows = `import { tensor } from 'myelin'
const matrix = tensor([[1, 2], [3, 4]])
const texts = [Deno.inspect(matrix), matrix[Symbol.for('Jupyter.display')]()['text/plain']]
const isShown = texts.every((text) => text.startsWith('Tensor float32 [2, 2]') && text.includes('[1, 2]'))
console.log(isShown ? 'started: loss ' + texts[0].replaceAll('\\n', ' ') : texts)
`
/** Reads pictures, which the canvases of Deno cannot draw, also in threads. */
const pictures = `import { imageFolder, readImage } from 'myelin/data'
const shapes = []
for (const name of ['photo.png', 'photo.jpg']) shapes.push((await readImage('all/' + name, { imageSize: [8, 9] })).shape)
const images = await imageFolder('.', { imageSize: 16, labels: null, shuffle: false })
const [plain, ahead] = [await images.toArray(), await images.prefetch(1).toArray()].map(([batch]) => batch.toArray().join())
console.log(String(shapes) === '8,9,3,8,9,3' && plain === ahead ? 'started: loss of no bit in pictures' : [shapes, plain === ahead])
`
const photos = ['photo.png', 'photo.jpg'].map((name) => [
  `all/${name}`,
  readFileSync(join(root, '../../bench/pictures', name)),
])
const programs = {
  deno: { program: asModule() + main },
  'deno-console': { program: shows },
  'deno-pictures': { program: pictures, permissions: ['--allow-read'], files: Object.fromEntries(photos) },
}

export default Object.entries(programs).map(([name, { program, permissions = [], files = {} }]) => ({
  name,
  async run() {
    const cwd = folder(name, { 'program.mjs': program, ...files })
    const scope = join(root, 'node_modules/@deno')
    const deno = join(scope, readdirSync(scope)[0], 'deno')
    const text = await output(
      deno,
      ['run', '--no-prompt', ...permissions, '--node-modules-dir=manual', 'program.mjs'],
      { cwd },
    )
    return { version: version('deno'), result: found(text) }
  },
}))
