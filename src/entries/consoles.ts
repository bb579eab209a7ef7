// What console.log shows of tensors, variables, models, histories and data sets in Node, Deno and Bun, and what notebooks display.
// The entries for Node and Deno set it, so that bundles for pages do not contain it: a method whose name is a symbol keeps its class in them.

import { formatShape, quoted } from '../core/errors'
import { sizeOf, type Shape } from '../core/shapes'
import { Dataset } from '../data/dataset'
import { Model } from '../models/model'
import { StringTensor } from '../ops/strings'
import { Tensor } from '../ops/tensor'
import { Variable } from '../ops/variable'
import { barsOf } from '../engine/runtime/terminal'
import { History } from '../training/callbacks/history'
import { formatLog } from '../training/callbacks/progress'

/** Axes with more elements are shortened to the first and the last `ENDS`. */
const MOST = 10
const ENDS = 4
/** Epochs in the sparkline of a history. */
const MOST_EPOCHS = 40

/** `Tensor float32 [2, 2]`, and the elements as a matrix; long axes are shortened in the middle. */
export function tensorText(tensor: Tensor, head = 'Tensor'): string {
  const { shape, dtype } = tensor
  const title = `${head} ${dtype} ${formatShape(shape)}`
  if (Tensor.symbolOf(tensor) !== null) return `${title} (symbolic)`
  const body = elementsText(shape, readerOf(tensor))
  return shape.length < 2 || sizeOf(shape) === 0 ? `${title} ${body}` : `${title}\n${body}`
}

function readerOf(tensor: Tensor): (at: number) => string {
  if (tensor instanceof StringTensor) return (at) => quoted(tensor.strings[at])
  const { data, dtype } = tensor
  if (dtype === 'bool') return (at) => String(data[at] !== 0)
  return (at) => String(Number(data[at]!.toPrecision(5)))
}

/** Nested brackets; the numbers of the last axis are right-aligned, as wide as the widest that is shown. */
function elementsText(shape: Shape, read: (at: number) => string): string {
  const rank = shape.length
  if (rank === 0) return read(0)
  const places = (extent: number): (number | null)[] =>
    extent <= MOST
      ? Array.from({ length: extent }, (_, i) => i)
      : [
          ...Array.from({ length: ENDS }, (_, i) => i),
          null,
          ...Array.from({ length: ENDS }, (_, i) => extent - ENDS + i),
        ]
  const visit = (axis: number, start: number, cell: (text: string) => string): string => {
    const stride = sizeOf(shape.slice(axis + 1))
    const isLast = axis === rank - 1
    const parts = places(shape[axis]!).map((i) => {
      if (i === null) return '…'
      return isLast ? cell(read(start + i)) : visit(axis + 1, start + i * stride, cell)
    })
    const gap = isLast ? ', ' : `,${'\n'.repeat(rank - 1 - axis)}${' '.repeat(axis + 1)}`
    return `[${parts.join(gap)}]`
  }
  let width = 0
  visit(0, 0, (text) => {
    width = Math.max(width, text.length)
    return text
  })
  return visit(0, 0, (text) => (rank === 1 ? text : text.padStart(width)))
}

function variableText(variable: Variable): string {
  const head = `Variable ${quoted(variable.name)}`
  try {
    return tensorText(variable.value, head)
  } catch {
    // Its memory was freed, or a function is being traced.
    return `${head} ${variable.dtype} ${formatShape(variable.shape)}`
  }
}

function modelText(model: Model<unknown, unknown>): string {
  const lines: string[] = []
  model.summary({ printFn: (line) => lines.push(line) })
  return lines.join('\n')
}

/** Each name with its first, its last and its best value, and its course. */
function historyText({ history, epoch }: History): string {
  const names = Object.keys(history)
  const width = Math.max(0, ...names.map((name) => name.length))
  const lines = names.map((name) => {
    const values = history[name]!
    const step = Math.max(1, Math.ceil(values.length / MOST_EPOCHS))
    const shown = values.filter((_, i) => (values.length - 1 - i) % step === 0)
    return `  ${name.padEnd(width)}  ${formatLog(values[0]!)} → ${formatLog(values.at(-1)!)}  ${barsOf(shown)}`
  })
  return [`History of ${epoch.length} ${epoch.length === 1 ? 'epoch' : 'epochs'}`, ...lines].join('\n')
}

/** A text inside another value is short: Node and Deno pass how many levels are left, 2 or more at the top. */
const isInner = (depth: unknown): boolean => typeof depth === 'number' && depth < 2

/** Defines the methods by which consoles and notebooks show objects of a class. */
function show<Kind>(of: { readonly prototype: Kind }, text: (each: Kind) => string, inner = text): void {
  function inspect(this: Kind, depth: unknown): string {
    return (isInner(depth) ? inner : text)(this)
  }
  function display(this: Kind): Readonly<Record<string, string>> {
    return { 'text/plain': text(this) }
  }
  const methods = {
    [Symbol.for('nodejs.util.inspect.custom')]: inspect,
    [Symbol.for('Deno.customInspect')]: inspect,
    [Symbol.for('Jupyter.display')]: display,
  }
  for (const symbol of Object.getOwnPropertySymbols(methods))
    Object.defineProperty(of.prototype, symbol, { value: methods[symbol], configurable: true, writable: true })
}

/** Sets what consoles and notebooks show. */
export function showInConsoles(): void {
  show<Tensor>(Tensor, (tensor) => tensorText(tensor))
  show<Variable>(Variable, variableText)
  show<Model<unknown, unknown>>(Model, modelText, String)
  show<History>(History, historyText)
  show<Dataset<unknown>>(Dataset, String)
}
