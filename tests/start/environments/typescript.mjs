// TypeScript 6 and 7: the types of a module, as bundlers and as Node resolve them, and of .cts files, also where Node cannot require modules.
import { join } from 'node:path'
import { folder, output, root, version } from '../kit.mjs'

const program = `import { Dense, Sequential, loadModel } from 'myelin'
import { readCsv } from 'myelin/data'
const model = new Sequential([new Dense({ units: 1, inputShape: [2] })])
model.compile({ optimizer: 'adam', loss: 'meanSquaredError' })
const rows: number[][] = (await model.predict([[1, 2]])).toArray<number[][]>()
const sizes = readCsv('a.csv', { types: { size: 'number' } }).map(({ size }) => size + 1)
export { rows, sizes, loadModel }
`
const cts = `import myelin = require('myelin')
import data = require('myelin/data')
const model = new myelin.Sequential([new myelin.Dense({ units: 1, inputShape: [2] })])
export = { model, readCsv: data.readCsv }
`
const options = (module, moduleResolution) => ({
  compilerOptions: {
    strict: true,
    target: 'es2022',
    lib: ['es2023', 'dom', 'dom.asynciterable'],
    types: [],
    noEmit: true,
    module,
    moduleResolution,
  },
})

export default [6, 7].flatMap((major) =>
  [
    ['nodenext', { 'program.mts': program }],
    ['bundler', { 'program.ts': program }],
    ['cts', { 'program.cts': cts }],
    ['node16', { 'program.cts': cts, 'program.mts': program }],
  ].map(([form, files]) => ({
    name: `typescript-${major}-${form}`,
    async run() {
      const node = form === 'node16' ? 'node16' : 'nodenext'
      const config = form === 'bundler' ? options('esnext', 'bundler') : options(node, node)
      const name = `typescript-${major}-${form}`
      const cwd = folder(name, { ...files, 'tsconfig.json': JSON.stringify({ ...config, files: Object.keys(files) }) })
      await output(process.execPath, [join(root, `node_modules/typescript-${major}/bin/tsc`), '-p', '.'], { cwd })
      return { version: version(`typescript-${major}`), result: 'no errors' }
    },
  })),
)
