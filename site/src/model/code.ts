// A network as code to copy, in TypeScript and in Python with Keras. Both follow from the same calls.

import type { Form } from '../data/form'
import type { Call, Network, Value } from './network'

const SCHEDULES = new Set(['CosineDecay', 'ExponentialDecay'])
const OPTIMIZERS = new Set(['Adam', 'AdamW', 'SGD', 'RMSprop', 'Lion'])

const isCall = (value: Value): value is Call => typeof value === 'object' && !Array.isArray(value)

/** The names of the classes of some values, sorted. */
function classesIn(values: readonly Value[]): string[] {
  const found = new Set<string>()
  const visit = (value: Value): void => {
    if (Array.isArray(value)) return value.forEach(visit)
    if (!isCall(value)) return
    found.add(value.className)
    Object.values(value.options).forEach(visit)
  }
  values.forEach(visit)
  return [...found].sort()
}

function typescriptOf(value: Value): string {
  if (Array.isArray(value)) return `[${value.map(typescriptOf).join(', ')}]`
  if (isCall(value)) {
    // Schedules and penalties are in namespaces.
    const { className, options } = value
    const of = SCHEDULES.has(className) ? 'schedules.' : className === 'L2' ? 'regularizers.' : ''
    const args = Object.entries(options).map(([name, each]) => `${name}: ${typescriptOf(each)}`)
    return `new ${of}${className}(${args.length === 0 ? '' : `{ ${args.join(', ')} }`})`
  }
  return typeof value === 'string' ? `'${value}'` : String(value)
}

export function typescriptCode(network: Network, form: Form): string {
  const { layers, optimizer, loss, metrics, batchSize, seed, device } = network
  const all = classesIn([...layers, optimizer])
  const named = all.filter((name) => !SCHEDULES.has(name) && name !== 'L2')
  const spaces = [
    ...(all.includes('L2') ? ['regularizers'] : []),
    ...(all.some((name) => SCHEDULES.has(name)) ? ['schedules'] : []),
  ]
  const [first, ...rest] = layers
  const withShape =
    first === undefined ? [] : [{ ...first, options: { inputShape: network.inputShape, ...first.options } }]
  return `import { ${[...named, 'Sequential', ...spaces, 'setRandomSeed'].join(', ')} } from 'myelin'

setRandomSeed(${seed})
const model = new Sequential([
${[...withShape, ...rest].map((each) => `  ${typescriptOf(each)},`).join('\n')}
])
model.compile({
  optimizer: ${typescriptOf(optimizer)},
  loss: ${typescriptOf(loss)},
  metrics: ${typescriptOf(metrics)},
})

${rowsOf(form)}
${device === 'gpu' ? ON_GPU : ''}await model.fit(x, y, {
  epochs: 100,
  batchSize: ${batchSize},
  validationData: [xTest, yTest],
})
const answers = await model.predict(xTest)
await model.save('model.safetensors')
`
}

const ON_GPU = `const { useWebGPU } = await import('myelin/webgpu')
await useWebGPU()
`

const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

function pythonOf(value: Value): string {
  if (Array.isArray(value)) return `[${value.map(pythonOf).join(', ')}]`
  if (isCall(value)) {
    const { className, options } = value
    const of = SCHEDULES.has(className)
      ? 'optimizers.schedules'
      : OPTIMIZERS.has(className)
        ? 'optimizers'
        : className === 'L2'
          ? 'regularizers'
          : 'layers'
    const args = Object.entries(options).map(([name, each]) => `${snake(name)}=${pythonOf(each)}`)
    return `${of}.${className}(${args.join(', ')})`
  }
  if (typeof value === 'string') return `"${snake(value)}"`
  return typeof value === 'boolean' ? (value ? 'True' : 'False') : String(value)
}

export function kerasCode(network: Network, form: Form): string {
  const { inputShape, layers, optimizer, loss, metrics, batchSize, seed } = network
  const modules = ['layers', 'optimizers', ...(classesIn(layers).includes('L2') ? ['regularizers'] : [])]
  const shape = `(${inputShape.join(', ')}${inputShape.length === 1 ? ',' : ''})`
  return `import keras
from keras import ${modules.join(', ')}

keras.utils.set_random_seed(${seed})
model = keras.Sequential([
    keras.Input(shape=${shape}),
${layers.map((each) => `    ${pythonOf(each)},`).join('\n')}
])
model.compile(
    optimizer=${pythonOf(optimizer)},
    loss=${pythonOf(loss)},
    metrics=${pythonOf(metrics)},
)

# x: (rows, ${inputShape.join(', ')}), y: ${targets(form)}
model.fit(
    x, y, epochs=100, batch_size=${batchSize},
    validation_data=(x_test, y_test),
)
answers = model.predict(x_test)
model.save("model.keras")
`
}

/** The lines that make x and y. */
function rowsOf(form: Form): string {
  const shapes = `// x: [rows, ${form.inputShape.join(', ')}], y: ${targets(form)}`
  if (form.kind !== 'table') return shapes
  return `// x: the columns as numbers. From a file, with its columns and words in the model:
//   const rows = readCsv('table.csv', { missing: null })
//   const model = await tableModel(rows, { target: 'name' }) // of myelin/data
${shapes}`
}

const targets = ({ task }: Form): string =>
  task.kind === 'number' ? 'numbers' : `class numbers from 0 to ${task.names.length - 1}`
