// The table that model.summary() prints.

import { formatShape } from '../core/errors'
import type { Layer } from '../layers'
import { classNameOf } from '../core/registry'
import type { BatchShape } from '../layers'
import type { Model } from './model'

export interface SummaryOptions {
  /** Where the lines go. Default console.log. */
  print?: (line: string) => void
}

const HEAD = ['Layer (type)', 'Output Shape', 'Param #'] as const

export function printSummary(model: Model, { print = console.log }: SummaryOptions): void {
  const rows = model.layers.map((layer, i) => [
    `${layer.name} (${classNameOf(layer)})`,
    outputShape(model, i),
    layer.built ? count(layer.countParams()) : '? (not built)',
  ])
  const widths = HEAD.map((head, i) => Math.max(head.length, ...rows.map((row) => row[i]!.length)))
  const line = (left: string, middle: string, right: string, fill: string): string =>
    left + widths.map((width) => fill.repeat(width + 2)).join(middle) + right
  const cells = (row: readonly string[]): string =>
    `│ ${row.map((cell, i) => (i === 2 ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!))).join(' │ ')} │`
  print(`Model: "${model.name}"`)
  print(line('┌', '┬', '┐', '─'))
  print(cells(HEAD))
  print(line('├', '┼', '┤', '─'))
  for (const row of rows) print(cells(row))
  print(line('└', '┴', '┘', '─'))
  if (!model.built) {
    print(' The weights are made at the first data, or when the first layer has an inputShape.')
    return
  }
  const total = model.countParams()
  const trainable = model.trainableWeights.reduce((sum, weight) => sum + weight.size, 0)
  print(` Total params: ${count(total)} (${bytes(4 * total)})`)
  print(` Trainable params: ${count(trainable)} (${bytes(4 * trainable)})`)
  print(` Non-trainable params: ${count(total - trainable)} (${bytes(4 * (total - trainable))})`)
}

function outputShape(model: Model, index: number): string {
  const input = model.buildShape
  if (input === null) return '?'
  const shape = model.layers.slice(0, index + 1).reduce<BatchShape>((each, layer: Layer) => layer.computeOutputShape(each), input)
  return formatShape(shape)
}

function count(n: number): string {
  return n.toLocaleString('en-US')
}

function bytes(n: number): string {
  if (n < 1024) return `${n} B`
  return n < 1024 * 1024 ? `${(n / 1024).toFixed(2)} KB` : `${(n / 1024 / 1024).toFixed(2)} MB`
}
