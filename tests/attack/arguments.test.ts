// Functions that are given something other than what they take: errors of the library, not of JavaScript.
// modes: simd

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { Dense, Input, MyelinError, Sequential, activations, customObjectScope, saving, utils } from '../../src'
import { consolidate } from '../../src/entries/balance'
import * as data from '../../src/entries/data'
import { writeKeras, writeKerasWeights } from '../../src/entries/keras'
import { writeTfjs } from '../../src/entries/tfjs'
import { fakeQuantize } from '../../src/entries/thrift'
import { torchMapping, writeWeights } from '../../src/entries/weights'
import { errorOf } from '../helpers/training'

type AnyFunction = (...inputs: unknown[]) => unknown
const folder = mkdtempSync(join(tmpdir(), 'myelin-arguments-'))
afterAll(() => rmSync(folder, { recursive: true }))

const OTHERS = [undefined, null, 3, 'x', {}, [], () => 1, Dense, new Date(0), Symbol('s')]

describe.each<[string, Function, readonly unknown[]]>([
  ['writeKeras', writeKeras, []],
  ['writeKerasWeights', writeKerasWeights, []],
  ['writeTfjs', writeTfjs, []],
  ['writeWeights', writeWeights, [null]],
  ['torchMapping', torchMapping, [new Uint8Array(3)]],
  ['consolidate', consolidate, [[[1]], [[1]]]],
])('%s', (name, of, others) => {
  it.each(OTHERS.map((value) => [String(value), value]))('needs a model, not %s', async (_text, value) => {
    const error = await errorOf(() => (of as AnyFunction)(value, ...others))
    expect(error).toBeInstanceOf(MyelinError)
    expect(error.message).toContain(`${name} needs a model, received `)
  })
})

const cyclic: unknown[] = []
cyclic.push(cyclic)

it.each<[string, string, AnyFunction]>([
  ['arrays', 'writeNpz needs a record of arrays', () => (data.writeNpz as AnyFunction)(null)],
  ['a list', 'writeNpz needs a record of arrays', () => (data.writeNpz as AnyFunction)([[1]])],
  ...(['imageDatasetFromDirectory', 'textDatasetFromDirectory', 'audioDatasetFromDirectory'] as const).map(
    (name): [string, string, AnyFunction] => [
      `options of ${name}`,
      'options',
      () => (data[name] as AnyFunction)('.', null),
    ],
  ),
  ['axes', 'fakeQuantize: axes must be a list', () => (fakeQuantize as AnyFunction)([1, 2])],
  ['an activation', 'activations.serialize needs a function', () => (activations.serialize as AnyFunction)('relu')],
  ['a scope without a function', 'customObjectScope needs', () => (customObjectScope as AnyFunction)({ Dense })],
  ['a value that contains itself', 'contains itself', () => saving.serializeKerasObject(cyclic)],
  ['a saved value that contains itself', 'contains itself', () => saving.deserializeKerasObject(cyclic)],
  [
    'a file in place of a folder',
    'writeTfjs',
    () => {
      writeFileSync(join(folder, 'file'), '')
      const model = new Sequential([Input({ shape: [2] }), new Dense(1)])
      return writeTfjs(model as Parameters<typeof writeTfjs>[0], join(folder, 'file'))
    },
  ],
])('%s', async (_what, message, run) => {
  const error = await errorOf(run)
  expect(error).toBeInstanceOf(MyelinError)
  expect(error.message).toContain(message)
})

it('null stands for the number of classes that is not given', () => {
  expect(utils.toCategorical([0, 1], null).shape).toEqual([2, 2])
})
