// Writes docs/keras.md from scripts/keras-table.mjs and tests/golden/keras-names.json.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { LEFT_OUT, NAMESPACES, camelCase, entriesOf } from './keras-table.mjs'
import { OTHER_NAMES, WITHOUT } from './members-table.mjs'

const root = new URL('..', import.meta.url)
const head = `# Keras's names

To port a program from Keras, you mostly change its spelling. This page lists every public name of
Keras VERSION with its name in this library. \`npm run keras\` writes the page, and a test compares it with the exports.

## How to spell a program

- Names in snake_case are written in camelCase: \`keras.ops.nan_to_num\` is \`ops.nanToNum\`, \`model.train_on_batch\` is
  \`model.trainOnBatch\`. Names of classes do not change: \`keras.layers.Conv2D\` is \`layers.Conv2D\`, or \`Conv2D\`, because the package
  also exports layers, optimizers, schedules and callbacks directly.
- A capital letter begins a word only where Keras has an underscore: \`logsumexp\`, \`moveaxis\`, \`isnan\`.
- Functions have the same arguments in the same order. Python's \`f(x, axis=1)\` is \`f(x, { axis: 1 })\`: the last argument may be an
  object with the options that are not passed in order. So \`ops.sum(x, 1, true)\` is \`ops.sum(x, { axis: 1, keepDims: true })\` and
  \`ops.sum(x, 1, { keepDims: true })\`.
- That object may also contain arguments of ops that have no default, with the names of Keras: \`keras.ops.one_hot(x, num_classes=3)\`
  is \`ops.oneHot(x, 3)\` or \`ops.oneHot(x, { numClasses: 3 })\`, and \`keras.ops.matmul(x1=a, x2=b)\` is
  \`ops.matmul({ x1: a, x2: b })\`. A record that is an operand is not read as such an object: \`{ data, shape }\`, \`{ real, imag }\`, and
  where an op takes a tree, as in \`ops.map(f, { a, b })\`, each record with a key that is not the name of a parameter. If an op
  has only one operand, or a pair such as \`x1\` and \`x2\`, the types of TypeScript do not include calls with such an object.
- Options are accepted in snake_case and in camelCase. Values that are names are accepted in both spellings, too:
  \`'binary_crossentropy'\`, \`'binaryCrossentropy'\`.
- You can pass every default of Keras, even for an option with only one supported value, such as \`sparse: false\`,
  \`loraRank: null\` and \`dataFormat: 'channelsLast'\`. For other values of such an option, an error says what to do.
  The only exception is \`returnDict: false\`, which is refused, because results of methods are always records.
- An object is made with \`new\`, and a layer is called with \`apply\`: \`layers.Dense(4)(x)\` is
  \`new layers.Dense(4).apply(x)\`.
- \`None\` becomes \`null\`, also for an open extent. A tuple becomes an array. Operators of tensors become ops: \`a + b\` is
  \`ops.add(a, b)\`.
- \`fit\`, \`evaluate\` and \`predict\` return promises.
- Functions that read files or split data are in a separate module, \`myelin/data\`: \`keras.utils.split_dataset\` is
  \`import { splitDataset } from 'myelin/data'\`.
- The dtypes are float32, int32 and bool, and int8 for weights.

## Complex numbers

There is no complex dtype. A complex tensor is a record of two float32 tensors of the same shape, \`{ real, imag }\`:

\`\`\`js
import { ops } from 'myelin'

const spectrum = ops.fft({ real: [1, 2, 3, 4], imag: [0, 0, 0, 0] })
ops.sqrt(ops.add(ops.square(spectrum.real), ops.square(spectrum.imag))) // [10, 2.828, 2, 2.828], the absolute values
\`\`\`

- The Fourier transforms, such as \`ops.fft\`, \`ops.rfft\` and \`ops.stft\`, \`ops.polar\` and \`ops.viewAsComplex\` return such records.
- The inverse transforms, \`ops.real\`, \`ops.imag\`, \`ops.conj\`, \`ops.angle\`, \`ops.isreal\` and \`ops.viewAsReal\` take them.
- All other ops take tensors, so a program must compute with the two parts. Gradients pass through both parts.
`

/** The text of the document. */
export function kerasDocument() {
  const { keras, modules } = JSON.parse(readFileSync(new URL('tests/golden/keras-names.json', root), 'utf8'))
  const entries = entriesOf(modules)
  const sections = Object.keys(NAMESPACES).map((module) => {
    const rows = entries.filter((each) => each.module === module && each.ours !== null)
    return [`## ${codeOf(module)}`, '', ...tableOf(rows), ''].join('\n')
  })
  const left = LEFT_OUT.map(({ module, names = [], why }) => {
    const what = module === undefined ? names.map(codeOf).join(', ') : `all of ${codeOf(`keras.${module}`)}`
    return `| ${what} | ${why} |`
  })
  return [
    head.replace('VERSION', keras),
    ...sections,
    '## Left out',
    '',
    'Sparse and ragged tensors, the complex dtype and tensors of strings inside ops are left out, and so are these names:',
    '',
    '| names | why |',
    '|---|---|',
    ...left,
    '',
    ...members(),
  ].join('\n')
}

/** The members of objects that have another name, or none. */
function members() {
  const owners = (of) => of.map((each) => (/^[a-z]/.test(each) ? each : `\`${each}\``)).join(', ')
  return [
    '## Members of objects',
    '',
    'Models, layers, optimizers, losses, metrics, callbacks, variables, symbols and the other objects have the methods and',
    'properties of Keras, in camelCase: `model.output_shape` is `model.outputShape`. A test compares them with the objects of',
    'Keras. Only these names differ:',
    '',
    '| objects | Keras | here |',
    '|---|---|---|',
    ...OTHER_NAMES.flatMap(({ of, names }) =>
      Object.entries(names).map(([name, here]) => `| ${owners(of)} | \`${name}\` | \`${here}\` |`),
    ),
    '',
    'These members have no counterpart:',
    '',
    '| objects | members | why |',
    '|---|---|---|',
    ...WITHOUT.map(
      ({ of, names, why }) => `| ${owners(of)} | ${names.map((name) => `\`${name}\``).join(', ')} | ${why} |`,
    ),
    '',
  ]
}

/** A name of Keras in full. */
const codeOf = (name) => `\`${/^keras\b/.test(name) ? name : `keras.${name}`}\``

/** `myelin/data.splitDataset` → `splitDataset` of `myelin/data` */
function placeOf(path) {
  const [entry, name] = path.startsWith('myelin/') ? path.split('.') : [null, path]
  return entry === null ? `\`${name}\`` : `\`${name}\` of \`${entry}\``
}

function tableOf(rows) {
  return [
    '| Keras | here |',
    '|---|---|',
    ...rows.map(({ name, first, ours }) => {
      const also = first === undefined ? '' : `, the same as \`${camelCase(first)}\``
      return `| \`${name}\` | ${placeOf(ours)}${also} |`
    }),
  ]
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(new URL('docs/keras.md', root), kerasDocument())
