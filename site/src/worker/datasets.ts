// Data sets by their specification, divided into rows for training and for testing.

import type { DataSet, Task } from '../data/form'
import { pointsOf, type Point } from '../data/points'
import { divided } from '../data/split'
import digitsAddress from '../data/digits.bin?url'
import penguins from '../../../examples/data/penguins.csv?raw'
import type { UserFiles, Prepared, Recipe } from './protocol'
import { imagesOf } from './images'
import { tableOf } from './table'

const DIGIT_SIDE = 14

export async function prepare({ data, training }: Recipe, files: UserFiles): Promise<Prepared> {
  const { kind, rows, noise, points } = data
  const plain = (set: DataSet): Prepared => ({ data: set, notes: [], targets: [], columns: [] })
  switch (kind) {
    case 'moons':
    case 'circles':
    case 'spirals':
    case 'xor':
    case 'wave':
      return plain(planar(pointsOf(kind, rows, noise, training.seed), kind === 'wave'))
    case 'drawn':
      return plain(planar(points, false))
    case 'digits':
      return plain(await digits())
    case 'penguins':
      return tableOf({ text: penguins, name: 'penguins.csv', target: 'species' })
    case 'table':
      if (files.table !== undefined) return tableOf(files.table)
      return {
        ...(await tableOf({ text: penguins, name: 'penguins.csv', target: 'sex' })),
        notes: ['No file was chosen yet. These are the penguins again, by sex.'],
      }
    case 'images':
      return plain(await imagesOf(files.images ?? []))
  }
}

const CLASS_NAMES = ['blue', 'orange', 'green', 'purple']

function planar(points: readonly Point[], isNumber: boolean): DataSet {
  const classes = Math.max(2, ...points.map(({ label }) => label + 1))
  const task: Task = isNumber
    ? { kind: 'number', name: 'height' }
    : { kind: 'classes', names: CLASS_NAMES.slice(0, classes) }
  const form = { kind: 'plane', task, inputShape: [2], columns: ['x', 'y'], scale: null } as const
  return divided(
    form,
    Float32Array.from(points.flatMap(({ x, y }) => [x, y])),
    Float32Array.from(points, ({ label }) => label),
  )
}

/** 1,500 digits of MNIST at half their size. make-digits.mjs writes the file: labels, then two pixels in each byte. */
async function digits(): Promise<DataSet> {
  const response = await fetch(digitsAddress)
  if (!response.ok) throw new Error(`The digits could not be loaded: ${response.status}`)
  const bytes = new Uint8Array(await response.arrayBuffer())
  const pixels = DIGIT_SIDE ** 2
  const count = bytes.length / (1 + pixels / 2)
  const x = new Float32Array(count * pixels)
  for (let i = 0; i < x.length; i++) {
    const pair = bytes[count + (i >> 1)]!
    x[i] = (i % 2 === 0 ? pair >> 4 : pair & 15) / 15
  }
  const names = Array.from({ length: 10 }, (_, digit) => String(digit))
  const form = {
    kind: 'image',
    task: { kind: 'classes', names },
    inputShape: [DIGIT_SIDE, DIGIT_SIDE, 1],
    columns: [],
    scale: null,
  } as const
  return divided(form, x, Float32Array.from(bytes.subarray(0, count)))
}
