// Programs that only multiply matrices, compared with sums in float64.
import { instructionCounts, predictionProgram, programText } from './internals.mjs'

/** @param {typeof import('../dist/index.js')} myelin */
export function productsOf({ Layer, Sequential, Variable, ops, tensor }) {
  /** Values of both signs around 1: sums neither vanish nor overflow, and nothing is denormal. */
  function content(length, phase) {
    return Float32Array.from({ length }, (_, i) => Math.sin(1.3 * i + phase))
  }

  class Products extends Layer {
    constructor({ m, k, n, products, transposeLhs = false, transposeRhs = false }) {
      super({ inputShape: [1] })
      // √products operands on each side, each combined with all of the other side: all products differ, so none is
      // shared.
      const side = Math.sqrt(products)
      const operand = (rows, columns, transposed, phase) =>
        new Variable(tensor(content(rows * columns, phase), transposed ? [columns, rows] : [rows, columns]), {
          trainable: false,
        })
      this.lhs = Array.from({ length: side }, (_, i) => operand(m, k, transposeLhs, i))
      this.rhs = Array.from({ length: side }, (_, i) => operand(k, n, transposeRhs, i + 0.5))
      this.out = Array.from({ length: products - 1 }, () => new Variable([m, n], { trainable: false }))
      this.transposed = [transposeLhs, transposeRhs]
    }

    call() {
      const [lhs, rhs] = [this.lhs, this.rhs].map((side, i) =>
        side.map(({ value }) => (this.transposed[i] ? ops.transpose(value) : value)),
      )
      const results = lhs.flatMap((a) => rhs.map((b) => ops.matmul(a, b)))
      // The last one is the program's output. The others would have to be copied there.
      this.out.forEach((out, i) => out.assign(results[i]))
      return results.at(-1)
    }
  }

  /** A program with only these products, whose results are compared with sums in float64. */
  function productProgram(shape) {
    const layer = new Products(shape)
    const model = new Sequential([layer])
    model.predictOnBatch([[0]])
    const program = predictionProgram(model, [1, 1])
    const counts = instructionCounts(program)
    if (counts.get('Gemm') !== shape.products || counts.size !== 1) {
      throw new Error(
        `${shape.name}: expected ${shape.products} Gemm on the tape and nothing else, received\n${programText(program)}`,
      )
    }
    program.run()
    checkProducts(layer, [...layer.out.map((out) => out.value.data), program.output(0)], shape)
    return { call: () => program.run(), keep: model }
  }

  function checkProducts(layer, results, { name, m, k, n, transposeLhs, transposeRhs }) {
    results.forEach((data, index) => {
      const lhs = layer.lhs[Math.floor(index / layer.rhs.length)].value.data
      const rhs = layer.rhs[index % layer.rhs.length].value.data
      // All of a small result, a sample of a large one.
      const step = Math.max(1, Math.floor((m * n) / 499))
      for (let element = 0; element < m * n; element += step) {
        const [i, j] = [Math.floor(element / n), element % n]
        let sum = 0
        let size = 0
        for (let p = 0; p < k; p++) {
          const term = lhs[transposeLhs ? p * m + i : i * k + p] * rhs[transposeRhs ? j * k + p : p * n + j]
          sum += term
          size += Math.abs(term)
        }
        // The bound of a sum of k terms grows with their number, the usual error with its root.
        if (!(Math.abs(data[element] - sum) <= 1e-7 * Math.sqrt(k) * size + 1e-5)) {
          throw new Error(`${name}: element [${i}, ${j}] must be ${sum}, received ${data[element]}`)
        }
      }
    })
  }

  return { content, productProgram }
}
