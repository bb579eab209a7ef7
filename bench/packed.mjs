// Times products of packed weights of 8 and 4 bits (docs/decisions/0041-weights-of-few-bits.md), with random bytes: for one row
// the bytes of weights per second, which are limited by memory, and for more rows GFLOP/s, beside float32 products.
//
//   node bench/packed.mjs               prints the table; --simd plain selects the other binary, --quick takes one pass
//
// The kernels of build/ are called directly, because products of packed weights are no public ops.
import { parseArgs } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { instantiateKernels } from './internals.mjs'
import { cpus } from 'node:os'
import { table } from './report.mjs'

const { values: options } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, simd: { type: 'string', default: 'relaxed' } },
})
if (options.simd === 'relaxed' && Number(process.versions.node.split('.')[0]) < 21)
  setFlagsFromString('--experimental-wasm-relaxed-simd')

/** The matrices of a model with 135 million weights: the feed-forward layer and the table of tokens. */
const matrices = [
  { inputs: 576, outputs: 1536 },
  { inputs: 1536, outputs: 576 },
  { inputs: 576, outputs: 49152 },
]
const ROWS = [1, 4, 16, 256]
const rounds = options.quick ? 5 : 25

const { memory, exports } = instantiateKernels(options.simd, ['core', 'quantized', 'packed'])
const MiB = 2 ** 20
memory.grow((1280 * MiB) / 65536)
const floats = new Float32Array(memory.buffer)
const words = new Uint32Array(memory.buffer)

/** Addresses: instructions, scratch, the operands of a product, and weights, which no cache holds if a pass reads all of them. */
const [INSTRUCTION, SCRATCH, X, INTEGERS, SCALES, OUT, WEIGHTS] = [1, 2, 4, 8, 16, 20, 80].map((at) => at * MiB)
const ARENA = 400 * MiB
const FLOATS = WEIGHTS + ARENA
for (let i = X / 4; i < INTEGERS / 4; i++) floats[i] = Math.sin(i)
// Small numbers of either sign, also as scales.
for (let i = WEIGHTS / 4; i < (FLOATS + 120 * MiB) / 4; i++) floats[i] = ((i % 97) - 48) / 64

/** Writes the fields of an instruction, which follow its header of two words. */
function instruction(index, fields) {
  const at = INSTRUCTION + 256 * index
  words.set(fields, at / 4 + 2)
  return at
}

/** The least milliseconds of `call`; calls are repeated for half a millisecond or more. */
function timeOf(call) {
  for (let i = 0; i < 3; i++) call()
  const started = performance.now()
  call()
  const calls = Math.max(1, Math.ceil(0.5 / (performance.now() - started)))
  let best = Infinity
  for (let i = 0; i < rounds; i++) {
    const start = performance.now()
    for (let j = 0; j < calls; j++) call()
    best = Math.min(best, (performance.now() - start) / calls)
  }
  return best
}

const bytesOf = ({ inputs, outputs }, bits) =>
  Math.ceil(outputs / 8) * Math.ceil(inputs / 32) * (bits === 4 ? 192 : 288)

/** Moves through the arena, so that weights come from memory. */
function places(bytes) {
  const count = Math.floor(ARENA / bytes)
  let next = 0
  return () => WEIGHTS + bytes * (next = (next + 1) % count)
}

function rounded({ inputs, outputs }, bits, rows) {
  const place = places(bytesOf({ inputs, outputs }, bits))
  return timeOf(() => {
    exports.packedQuantize(instruction(0, [INTEGERS, SCALES, X, rows, inputs, bits, SCRATCH]), 0, 1)
    exports.packedProduct(instruction(1, [OUT, INTEGERS, SCALES, place(), rows, outputs, inputs, bits, SCRATCH]), 0, 1)
  })
}

function exact({ inputs, outputs }, bits, rows, transposed) {
  const place = places(bytesOf({ inputs, outputs }, bits))
  return timeOf(() =>
    exports.packedGemm(instruction(0, [OUT, X, place(), rows, outputs, inputs, bits, transposed, 0, SCRATCH]), 0, 1),
  )
}

/** x · Wᵀ for float32 weights [outputs, inputs]. */
function float({ inputs, outputs }, rows) {
  const fields = [OUT, X, FLOATS, 0, rows, outputs, inputs, inputs, 1, 1, inputs, 1, 0, 0, 0, SCRATCH, 0, 0, 8]
  return timeOf(() => exports.gemm(instruction(0, fields), 0, 1))
}

const READ = 256 * MiB
const readSpeed = () => READ / timeOf(() => exports.largest_f32(WEIGHTS, READ / 4)) / 1e6

const cells = (size, rows, bandwidth) => {
  const { inputs, outputs } = size
  const gflops = (ms) => ((2 * rows * inputs * outputs) / ms / 1e6).toFixed(1)
  const both = (measure) => [8, 4].map((bits) => measure(bits))
  if (rows === 1) {
    const speeds = both((bits) => {
      const speed = bytesOf(size, bits) / rounded(size, bits, 1) / 1e6
      return `${speed.toFixed(1)} GB/s (${(speed / bandwidth).toFixed(2)})`
    })
    return [...speeds, '', '', '', '', gflops(float(size, 1))]
  }
  return [
    ...both((bits) => gflops(rounded(size, bits, rows))),
    ...both((bits) => gflops(exact(size, bits, rows, 0))),
    ...both((bits) => gflops(exact({ inputs, outputs }, bits, rows, 1))),
    gflops(float(size, rows)),
  ]
}

const bandwidth = readSpeed()
console.log(
  `${cpus()[0].model}, Node ${process.versions.node}, ${options.simd}; one thread; memory is read at ${bandwidth.toFixed(1)} GB/s`,
)
const rows = matrices.flatMap((size) =>
  // the table of tokens times many rows takes more memory than the arena has
  ROWS.filter((count) => count * size.outputs * 4 <= WEIGHTS - OUT).map((count) => [
    `${count} × ${size.inputs} → ${size.outputs}`,
    ...cells(size, count, bandwidth),
  ]),
)
console.log(
  table(
    ['GFLOP/s', 'int8', 'int4', 'int8, exact', 'int4, exact', 'int8, transposed', 'int4, transposed', 'float32'],
    rows,
  ),
)
