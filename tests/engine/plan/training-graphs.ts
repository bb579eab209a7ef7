// Training steps as models make them, built by hand: the benchmark of the planner.

import { GraphBuilder } from '../../../src/engine/transforms/builder'
import { gradients } from '../../../src/engine/transforms/differentiate'
import type { Cell, CellStorage, Graph, Value } from '../../../src/engine/ir/graph'
import { sizeOf, type Shape } from '../../../src/core/shapes'

/** Cells one after another in one storage. */
class Slab {
  private used = 0

  constructor(private readonly storage: CellStorage) {}

  add(name: string, shape: Shape, dtype: Cell['dtype'] = 'float32'): Cell {
    const cell = { name, shape, dtype, storage: this.storage, byteOffset: 4 * this.used }
    this.used += sizeOf(shape)
    return cell
  }
}

// −Σ target · log softmax(logits) / batch
function crossEntropy(builder: GraphBuilder, logits: Value, target: Value): Value {
  const { e } = builder
  const logs = builder.emitOne('logSoftmax', [logits], {})
  return e.multiply(e.sum(e.multiply(logs, target), [0, 1]), -1 / logits.shape[0]!)
}

function trainStep(builder: GraphBuilder, loss: Value, weights: readonly Cell[], slab: Slab): void {
  const { e } = builder
  const rate = e.scalar(0.01)
  const iterations = slab.add('iterations', [], 'int32')
  const slopes = gradients(
    builder,
    loss,
    weights.map((cell) => builder.read(cell)),
    e.scalar(1),
  )
  builder.emit('guard', [loss], {})
  weights.forEach((cell, i) => {
    builder.scope = `optimizer/${cell.name}`
    const slots = ['mean', 'variance'].map((name) => slab.add(`${cell.name}/${name}`, cell.shape))
    const inputs = [
      builder.read(cell),
      slopes[i]!,
      rate,
      ...slots.map((slot) => builder.read(slot)),
      builder.read(iterations),
    ]
    const outputs = builder.emit('adam', inputs, { beta1: 0.9, beta2: 0.999, epsilon: 1e-7, weightDecay: 0 })
    ;[cell, ...slots].forEach((target, j) => builder.update(target, outputs[j]!))
  })
  builder.update(iterations, e.add(builder.read(iterations), e.scalar(1, 'int32')))
}

/** Dense layers with an activation between them, softmax and cross-entropy, Adam. */
export function denseStep(
  batch: number,
  units: readonly number[],
  activation: 'relu' | 'tanh',
  storage: CellStorage,
): Graph {
  const builder = new GraphBuilder()
  const slab = new Slab(storage)
  const weights: Cell[] = []
  let x = builder.parameter({ shape: [batch, units[0]!], dtype: 'float32' })
  const target = builder.parameter({ shape: [batch, units[units.length - 1]!], dtype: 'float32' })
  units.slice(1).forEach((own, i) => {
    builder.scope = `dense_${i}`
    const kernel = slab.add(`dense_${i}/kernel`, [units[i]!, own])
    const bias = slab.add(`dense_${i}/bias`, [own])
    weights.push(kernel, bias)
    x = builder.e.add(builder.e.matmul(x, builder.read(kernel)), builder.read(bias))
    if (i < units.length - 2) x = builder.emitOne(activation, [x], {})
  })
  builder.scope = 'loss'
  const loss = crossEntropy(builder, x, target)
  trainStep(builder, loss, weights, slab)
  return builder.finish([loss])
}

/** h ← tanh(x·W + h·U + b) over time, then a dense layer. */
export function recurrentStep(
  batch: number,
  steps: number,
  inputs: number,
  units: number,
  storage: CellStorage,
): Graph {
  const builder = new GraphBuilder()
  const { e } = builder
  const slab = new Slab(storage)
  const x = builder.parameter({ shape: [batch, steps, inputs], dtype: 'float32' })
  const target = builder.parameter({ shape: [batch, units], dtype: 'float32' })
  const weights = [
    slab.add('kernel', [inputs, units]),
    slab.add('recurrent', [units, units]),
    slab.add('bias', [units]),
  ]
  const [kernel, recurrent, bias] = weights.map((cell) => builder.read(cell)) as [Value, Value, Value]
  let h = e.zeros({ shape: [batch, units], dtype: 'float32' })
  for (let t = 0; t < steps; t++) {
    builder.scope = 'rnn'
    const now = e.reshape(e.slice(x, [0, t, 0], [batch, 1, inputs]), [batch, inputs])
    h = builder.emitOne('tanh', [e.add(e.add(e.matmul(now, kernel), e.matmul(h, recurrent)), bias)], {})
  }
  const loss = crossEntropy(builder, h, target)
  trainStep(builder, loss, weights, slab)
  return builder.finish([loss])
}
