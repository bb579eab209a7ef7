// Programs in the manner of keras.io, each beside the Keras program in tests/golden/programs: from equal weights they
// report equal histories and predictions.

import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { Tensor } from '../../src'
import type { FixtureTensor } from '../golden/format'
import type { Program, Reported } from '../golden/programs/program'
import * as autoencoder from '../golden/programs/autoencoder'
import * as convnet from '../golden/programs/convnet'
import * as credit from '../golden/programs/credit'
import * as distillation from '../golden/programs/distillation'
import * as residual from '../golden/programs/residual'
import * as sentiment from '../golden/programs/sentiment'
import * as seq2seq from '../golden/programs/seq2seq'
import * as siamese from '../golden/programs/siamese'
import * as tickets from '../golden/programs/tickets'
import * as transformer from '../golden/programs/transformer'
import * as vae from '../golden/programs/vae'
import * as weather from '../golden/programs/weather'
import { expectNear, expectTensor, toTensor } from '../helpers/golden'

type Stored = FixtureTensor | number | readonly number[] | { readonly [name: string]: Stored }

interface ProgramFile {
  /** The weights with which each model begins. */
  readonly weights: Readonly<Record<string, readonly FixtureTensor[]>>
  readonly reported: Readonly<Record<string, Stored>>
}

const programs: Readonly<Record<string, { readonly run: Program }>> = {
  autoencoder,
  convnet,
  credit,
  distillation,
  residual,
  sentiment,
  seq2seq,
  siamese,
  tickets,
  transformer,
  vae,
  weather,
}

const TOLERANCE = 1e-5

function expectAlike(received: Reported | undefined, expected: Stored, where: string): void {
  expect(received, where).toBeDefined()
  if (typeof expected === 'number') expectNear([received as number], [expected], where, TOLERANCE)
  else if (Array.isArray(expected)) expectNear(received as readonly number[], expected, where, TOLERANCE)
  else if (received instanceof Tensor) expectTensor(received, expected as FixtureTensor, where, TOLERANCE)
  else {
    expect(Object.keys(received!).sort(), `${where}: names`).toEqual(Object.keys(expected).sort())
    for (const [name, value] of Object.entries(expected))
      expectAlike((received as Readonly<Record<string, Reported>>)[name], value, `${where}.${name}`)
  }
}

it.each(Object.entries(programs))('%s', async (name, { run }) => {
  const path = new URL(`../golden/programs/${name}.json`, import.meta.url)
  const { weights, reported }: ProgramFile = JSON.parse(readFileSync(path, 'utf8'))
  const begun: string[] = []
  const results = await run((models) => {
    for (const [key, model] of Object.entries(models)) {
      model.setWeights(weights[key]!.map(toTensor))
      begun.push(key)
    }
  })
  expect(begun.sort()).toEqual(Object.keys(weights).sort())
  expectAlike(results, reported, name)
})
