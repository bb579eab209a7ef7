// Models whose masks Keras does not pass by itself: the files state them, and are read again with the same predictions. KERAS_MASKS=FOLDER
// keeps the files with what Keras must predict.
// modes: simd

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import {
  Add,
  Bidirectional,
  Concatenate,
  Dense,
  Embedding,
  GRU,
  GlobalAveragePooling1D,
  Input,
  LSTM,
  Masking,
  Model,
  Multiply,
  Sequential,
  TimeDistributed,
  tensor,
  type Tensor,
} from '../../../src'
import { readKeras, writeKeras } from '../../../src/entries/keras'
import { typed } from '../../../src/core/tree'

const kept = process.env['KERAS_MASKS']

type Steps = (sequences: Tensor, others: Tensor, ids: Tensor, state: Tensor) => Tensor

const masked: Steps = (x) => new Masking().apply(x)
const joined: Steps = (x, others) => new Concatenate().apply([new Masking().apply(x), others])
const withStates =
  (steps: Steps): Steps =>
  (x, others, ids, state) =>
    new GRU({ units: 2 }).apply(steps(x, others, ids, state), { initialState: [state] })

const cases: Readonly<Record<string, Steps>> = {
  'states after Masking': withStates(masked),
  'states after Masking and TimeDistributed': withStates((x) =>
    new TimeDistributed(new Dense(2)).apply(new Masking().apply(x)),
  ),
  'states after Concatenate': withStates(joined),
  'states after Concatenate of steps': withStates((x, others) =>
    new Concatenate({ axis: 1 }).apply([new Masking().apply(x), others]),
  ),
  'states after Add': withStates((x, others) =>
    new Add().apply([new Masking().apply(x), new Masking({ maskValue: 1 }).apply(others)]),
  ),
  'states after Add of an unmasked tensor': withStates((x, others) =>
    new Add().apply([new Masking().apply(x), others]),
  ),
  'states after a model that makes a mask': withStates((_x, _others, ids) =>
    new Sequential([new Embedding({ inputDim: 4, outputDim: 3, maskZero: true, inputShape: [4] }), new Dense(2)]).apply(
      ids,
    ),
  ),
  'states after both directions': withStates(
    (x) =>
      typed<readonly Tensor[]>(
        new Bidirectional(new LSTM({ units: 2, returnSequences: true }), { mergeMode: null }).apply(
          new Masking().apply(x),
        ),
      )[1]!,
  ),
  'LSTM after Concatenate': (...inputs) => new LSTM(2).apply(joined(...inputs)),
  'both directions after two Concatenate': (x, others, ids, state) =>
    new Bidirectional(new GRU(2)).apply(
      new Multiply().apply([
        new Concatenate().apply([joined(x, others, ids, state), others]),
        new Masking().apply(new Concatenate().apply([x, x, x])),
      ]),
    ),
  'a mean after Concatenate': (...inputs) => new GlobalAveragePooling1D().apply(new Dense(2).apply(joined(...inputs))),
  'a model after Concatenate': (...inputs) =>
    new Sequential([new LSTM({ units: 2, inputShape: [4, 6] })]).apply(joined(...inputs)),
}

const values = (n: number): number[] => Array.from({ length: n }, (_, i) => ((37 * i) % 101) / 50 - 1)
const steps = (missing: number, value: number): number[] =>
  values(24).map((each, i) => (Math.floor(i / 3) % 4 === missing ? value : each))
const data = (): Tensor[] => [
  tensor(steps(3, 0), [2, 4, 3]),
  tensor(steps(3, 1), [2, 4, 3]),
  tensor([1, 2, 0, 0, 3, 0, 1, 0], [2, 4], 'int32'),
  tensor(values(4), [2, 2]),
]

it.each(Object.entries(cases))('%s: files of both formats predict the same', async (name, outputs) => {
  const inputs = [
    Input({ shape: [4, 3] }),
    Input({ shape: [4, 3] }),
    Input({ shape: [4], dtype: 'int32' }),
    Input({ shape: [2] }),
  ] as const
  // Keras drops no input that an output has.
  const model = new Model({
    inputs: [...inputs],
    outputs: [outputs(...inputs), inputs[2], inputs[3], inputs[1], inputs[0]],
  })
  const predict = async (some: Model): Promise<number[]> =>
    Array.from(typed<readonly Tensor[]>(await some.predict(typed(data())))[0]!.data)
  model.setWeights(model.getWeights().map((each) => tensor(values(each.data.length), each.shape)))
  const expected = await predict(typed(model))
  const file = join(kept ?? '', name.replaceAll(' ', '-'))
  for (const format of ['keras', 'h5'] as const) {
    const write = (some: Model): Promise<Uint8Array> => writeKeras(typed(some), null, { format })
    const bytes = await write(typed(model))
    const again: Model = typed(await readKeras(bytes))
    expect(await predict(again)).toEqual(expected)
    expect(await predict(typed(await readKeras(await write(again))))).toEqual(expected)
    if (kept !== undefined) writeFileSync(`${file}.${format}`, bytes)
  }
  if (kept !== undefined) writeFileSync(`${file}.json`, JSON.stringify(expected))
})
