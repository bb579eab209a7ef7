// Damaged files of functional models: flipped bytes, and modified descriptions. Each must give an error of this library
// or a usable model; no other error may be thrown, and nothing may hang.
// modes: simd
import { array, assert, asyncProperty, constantFrom, integer, nat, oneof, record } from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  Dense,
  Dropout,
  Input,
  Model,
  MyelinError,
  Sequential,
  loadModel,
  modelFromJSON,
  ops,
  setRandomSeed,
  tensor,
} from '../../src'
import { decodeContainer, encodeContainer } from '../../src/files/containers/safetensors'

type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

const data = {
  image: [
    [1, 2, 3, 4],
    [5, 6, 7, 8],
  ],
  tags: [
    [0, 1],
    [1, 0],
  ],
}

/** Two inputs, a shared layer, ops with constants, a nested model, two outputs, and a step of training. */
async function saved(): Promise<Uint8Array> {
  setRandomSeed(1)
  const image = Input({ shape: [4], name: 'image' })
  const tags = Input({ shape: [2], dtype: 'int32', name: 'tags' })
  const shared = new Dense({ units: 4, activation: 'relu', name: 'shared' })
  const nested = new Sequential([new Dense({ units: 3, inputShape: [4], kernelRegularizer: 'l2' }), new Dropout(0.1)], {
    name: 'nested',
  })
  const trunk = shared.apply(ops.multiply(shared.apply(image), 4))
  const joined = ops.concatenate(
    [nested.apply(trunk), ops.cast(tags, 'float32'), ops.where(tensor([[true, false, true, false]]), trunk, 0)],
    1,
  )
  const model = new Model({
    inputs: { image, tags },
    outputs: {
      price: new Dense({ units: 1, name: 'p' }).apply(joined),
      kind: [new Dense({ units: 3, name: 'k' }).apply(ops.clip(joined, -1, Infinity))],
    },
    name: 'damaged',
  })
  model.compile({
    optimizer: 'adam',
    loss: { price: 'huber', kind: 'mse' },
    lossWeights: { price: 0.5 },
    metrics: { price: ['mae'] },
  })
  model.trainOnBatch(data, {
    price: [[1], [2]],
    kind: [
      [
        [1, 0, 0],
        [0, 1, 0],
      ],
    ],
  })
  return model.save()
}

/** Loads a model and uses it. */
async function use(bytes: Uint8Array): Promise<void> {
  try {
    const model = await loadModel(bytes)
    expect(model).toBeInstanceOf(Model)
    model.summary({ printFn: () => {} })
    JSON.stringify(model)
    // Damage may have changed the inputs; then the model reports it.
    model.predictOnBatch(data as never)
    model.dispose()
  } catch (error) {
    if (!(error instanceof MyelinError)) throw error
  }
}

describe('damaged files of functional models', () => {
  it('the file itself is sound', async () => {
    const model = await loadModel<{ image: unknown; tags: unknown }, unknown>(await saved())
    expect(model.predictOnBatch(data as never)).toHaveProperty('price')
  })

  it('a flipped byte', async () => {
    const bytes = await saved()
    const header = 8 + new DataView(bytes.buffer).getUint32(0, true)
    await assert(
      asyncProperty(nat(header - 1), integer({ min: 1, max: 255 }), async (at, flip) => {
        const damaged = bytes.slice()
        damaged[at] = damaged[at]! ^ flip
        await use(damaged)
      }),
      { numRuns: 200, seed: 1 },
    )
  })

  it('a removed or repeated piece', async () => {
    const bytes = await saved()
    await assert(
      asyncProperty(
        nat(bytes.length - 1),
        integer({ min: 1, max: 64 }),
        nat(bytes.length - 1),
        async (from, length, to) => {
          await use(Uint8Array.from([...bytes.subarray(0, from), ...bytes.subarray(from + length)]))
          const copied = bytes.slice()
          copied.set(bytes.subarray(from, from + Math.min(length, bytes.length - to)), to)
          await use(copied)
        },
      ),
      { numRuns: 100, seed: 2 },
    )
  })

  it.each<[string, RegExp, RegExp, string]>([
    [
      'a constant with too few elements',
      /constant of shape \[1, 4\] has 2 elements/,
      /"data":\[1,0,1,0\]/,
      '"data":[1,0]',
    ],
    [
      'a constant whose shape has a gap',
      /constant is incomplete/,
      /"tensor":\{"shape":\[1,4\]/,
      '"tensor":{"shape":[1,null]',
    ],
    ['an invalid number', /\{"number":"many"\} is not a number/, /"number":"Infinity"/, '"number":"many"'],
    [
      'a call without a layer',
      /a call names layer null, which is not there/,
      /"calls":\[\{"layer":\d+/,
      '"calls":[{"layer":null',
    ],
    ['a result used before it is made', /refers to result 0 of call 40/, /"ref":\[0,0\]/, '"ref":[40,0]'],
    [
      'a call without an input of the model',
      /a call of Dense "shared" has no input that the model makes/,
      /"input":\{"ref":\[0,0\]\}/,
      '"input":3',
    ],
    [
      'an op with no list of arguments',
      /the list of arguments of ops\.multiply/,
      /"input":\[(\{"ref":\[2,0\]\}),4\]/,
      '"input":$1',
    ],
    [
      'a layer whose configuration is a string',
      /a layer has no class name/,
      /"className":"Dense","config":\{/,
      '"className":"Dense","config":"","other":{',
    ],
    [
      'an order of samples without a seed',
      /order of the samples is incomplete/,
      /"shuffle":\{"seed":-?\d+/,
      '"shuffle":{"seed":null',
    ],
  ])('%s', async (_title, message, text, other) => {
    const { metadata, tensors } = decodeContainer(await saved())
    const description = metadata['description']!
    expect(description).toMatch(text)
    const bytes = encodeContainer([...tensors.values()], { ...metadata, description: description.replace(text, other) })
    await expect(loadModel(bytes)).rejects.toThrow(message)
    await expect(loadModel(bytes)).rejects.toBeInstanceOf(MyelinError)
  })

  const replacement = oneof(
    constantFrom<Json>(
      null,
      true,
      false,
      0,
      1,
      -1,
      1.5,
      7,
      1e9,
      1e300,
      '',
      'x',
      'relu',
      'constructor',
      '__proto__',
      [],
      {},
      [null],
      { ref: [0, 0] },
      { ref: [99, 1] },
      { tensor: {} },
      { number: 'y' },
    ),
  )
  const edits = array(
    record({
      at: nat(100_000),
      how: constantFrom('replace', 'delete', 'copy', 'repeat', 'reverse'),
      value: replacement,
      from: nat(100_000),
    }),
    { minLength: 1, maxLength: 3 },
  )

  it('a modified description', async () => {
    const { metadata, tensors } = decodeContainer(await saved())
    await assert(
      asyncProperty(edits, async (list) => {
        const description: Json = JSON.parse(metadata['description']!)
        for (const edit of list) change(description, edit)
        await use(encodeContainer([...tensors.values()], { ...metadata, description: JSON.stringify(description) }))
      }),
      { numRuns: 700, seed: 3 },
    )
  })

  it('a modified architecture without weights', async () => {
    const { metadata } = decodeContainer(await saved())
    const whole: { model: Json } = JSON.parse(metadata['description']!)
    await assert(
      asyncProperty(edits, async (list) => {
        const description = structuredClone(whole)
        for (const edit of list) change(description, edit)
        try {
          expect(modelFromJSON(JSON.stringify(description.model))).toBeInstanceOf(Model)
        } catch (error) {
          if (!(error instanceof MyelinError)) throw error
        }
      }),
      { numRuns: 700, seed: 4 },
    )
  })
})

interface Edit {
  readonly at: number
  readonly how: string
  readonly value: Json
  readonly from: number
}

/** Changes one position of a JSON tree. */
function change(tree: Json, { at, how, value, from }: Edit): void {
  const places: { parent: Json[] | { [key: string]: Json }; key: string }[] = []
  const walk = (node: Json): void => {
    if (typeof node !== 'object' || node === null) return
    for (const key of Object.keys(node)) {
      places.push({ parent: node, key })
      walk(Reflect.get(node, key) as Json)
    }
  }
  walk(tree)
  const { parent, key } = places[at % places.length]!
  const own: Json = Reflect.get(parent, key)
  const other = places[from % places.length]!
  if (how === 'delete') {
    if (Array.isArray(parent)) parent.splice(Number(key), 1)
    else delete parent[key]
  } else if (how === 'copy') {
    Reflect.set(parent, key, structuredClone(Reflect.get(other.parent, other.key)))
  } else if (how === 'repeat' && Array.isArray(own)) {
    own.push(...structuredClone(own))
  } else if (how === 'reverse' && Array.isArray(own)) {
    own.reverse()
  } else {
    Reflect.set(parent, key, structuredClone(value))
  }
}
