// The byte layout of a tape, drawn once. Compiled by asc and by tsc; no other file has a literal offset.
//
//   tape   = instruction … instruction End
//   instruction:
//     0        2           3      4            8
//     ┌────────┬───────────┬──────┬────────────┬──────────────────────────┬───────────────┐
//     │ opcode │ moreParts │ meet │ byteLength │ fields of the opcode …   │ lists (some)  │
//     └────────┴───────────┴──────┴────────────┴──────────────────────────┴───────────────┘
//
// moreParts and meet are for several threads and 0 on one, so that the first word is then the opcode alone.
// Every field is one 32-bit word: an address in linear memory, an unsigned count, a signed stride in
// elements, an enum of opcodes.ts, or a float32. Addresses of optional buffers are 0 when absent.
// Each enum below maps a field to its byte offset from the start of the instruction; `size` is where the
// fixed part ends and the lists begin.

/** Words every instruction starts with. */
export enum Header {
  /** 16 bits. */
  opcode = 0,
  /** 8 bits: the number of parts that the work is divided into, minus one; one part per thread. */
  moreParts = 2,
  /** 8 bits: 1 when all threads meet before this instruction. */
  meet = 3,
  /** From the start of this instruction to the start of the next one. */
  byteLength = 4,
  size = 8,
}

/** The opcode word that ends a tape. */
export const END_OF_TAPE = -1

/** Bytes that kernels may read (never write) past the last element of any buffer. */
export const READ_SLACK = 256

/** Buffers start on multiples of this many bytes, unless they are placed inside another one. */
export const ALIGNMENT = 64

// The low end of every memory: constants that loops load (scripts/hoist-constants.mjs), written whenever kernels are
// instantiated. Address 0 stays free: it means absent.
export const CONSTANTS = 64
export const CONSTANTS_SIZE = 960

// Chain: an elementwise program over `count` elements, `tile` elements at a time.
//
//   registers   0 … operandCount−1                    the operands
//               operandCount … +outputCount−1         the outputs, written in place
//               operandCount + outputCount … −1       temporaries, one tile each
//   lists       dims      rank × { extent }                              row-major; Π extents = count
//               operands  operandCount × { ChainOperand, strides: rank words }
//               outputs   outputCount × { address }
//               steps     stepCount × { ChainStep }
//
// `scratch` holds one pointer per register (4 · registerCount bytes, rounded up to 16), then one tile of
// 4 · tile bytes for every register (its slot is used by Scalar and Strided operands and by temporaries).
// `tile` is a multiple of 4.
// An output may share its bytes with a Contiguous operand that no later step reads.
export enum Chain {
  count = 8,
  tile = 12,
  rank = 16,
  operandCount = 20,
  outputCount = 24,
  stepCount = 28,
  registerCount = 32,
  scratch = 36,
  size = 40,
}

export enum ChainOperand {
  address = 0,
  access = 4,
  /** followed by rank strides */
  size = 8,
}

export enum ChainStep {
  step = 0,
  target = 4,
  a = 8,
  b = 12,
  c = 16,
  size = 20,
}

// Gemm: for each of `batch` matrices, out [m,n] = epilogue(lhs [m,k] · rhs [k,n] + bias [n]).
// lhs[i,p] is at lhs + 4·(i·lhsRow + p·lhsColumn), and so on. One of the two strides of a matrix is 1, or the axis of that
// stride has extent 1. out is row-major and contiguous. biasRow is 0, or n: then bias has the layout of out.
// rhsStrip is 8, or rhs is stored in strips of 8 columns, [n/8, k, 8]: then rhsStrip is 8·k, rhsRow 8, rhsColumn 1, and
// m is 1 or at least 4. `scratch` has GEMM_SCRATCH bytes for packed panels, and as many again for every further thread, like
// all scratch. wide ≠ 0: tiles of 6 × 16, for engines that pair vectors; the results are the same.
// For k > GEMM_LONG, a temporary [2, batch, m, n] for partial sums.
//   lists   for k > GEMM_LONG { temporary }
export enum Gemm {
  out = 8,
  lhs = 12,
  rhs = 16,
  bias = 20,
  m = 24,
  n = 28,
  k = 32,
  lhsRow = 36,
  lhsColumn = 40,
  rhsRow = 44,
  rhsColumn = 48,
  batch = 52,
  lhsBatch = 56,
  rhsBatch = 60,
  epilogue = 64,
  scratch = 68,
  wide = 72,
  biasRow = 76,
  rhsStrip = 80,
  size = 84,
}

// Blocking of Gemm: panels of rhs are kc × nc floats, panels of lhs mc × kc.
export const GEMM_KC = 256
export const GEMM_MC = 96
export const GEMM_NC = 512
// A float32 accumulates at most GEMM_LONG products. For a longer k, slices of GEMM_SLICE products are summed separately, and
// groups of GEMM_GROUP of these sums, before they are added to the total. So the error does not grow with k.
export const GEMM_LONG = 4096
export const GEMM_SLICE = 512
export const GEMM_GROUP = 64
/** Room for one packed panel of each side and for zero-padded edges. */
export const GEMM_SCRATCH = 4 * GEMM_KC * (GEMM_NC + 16 + GEMM_MC + 16)

// Windows. There are `places` of them, in row-major order over `rank` axes, the first of which is the batch. The window
// at place (i0, i1, …) begins Σ i·stride elements into input; its taps are at offsets from there.
//   lists   rank × { WindowAxis }, taps × { offset }
export enum WindowAxis {
  extent = 0,
  stride = 4,
  size = 8,
}

// Where zeros pad a tensor, some taps of a window are outside it. Places whose windows have the same taps inside form
// a box, so that the zeros are never stored. At place (i0, i1, …) of a box, in row-major order over its axes, the
// result is Σ i·outStride elements from `to`, and tap t reads `run` neighbouring elements of input from t.offset bytes
// + Σ i·stride elements on; t.weight is its first row of the weights (depthwise: bytes from their start).
//   lists   for each box { Box }, rank × { BoxAxis }, taps × { BoxTap }
export enum Box {
  places = 0,
  to = 4,
  taps = 8,
  run = 12,
  rank = 16,
  size = 20,
}
export enum BoxAxis {
  extent = 0,
  stride = 4,
  outStride = 8,
  size = 12,
}
export enum BoxTap {
  offset = 0,
  weight = 4,
  size = 8,
}

// Convolution: for each of `groups`, whose channels of input are `groupStride` elements apart, at every place of
// `boxes`,
//   out[place, channel] = epilogue(Σ over taps t and p < run: input[place + t + p] · weights[t.weight + p, channel] + bias)
// weights [taps·run, groups·channels] are contiguous; a tap's `run` rows of them are never split. `places` are those of all
// boxes. `scratch` has GEMM_SCRATCH bytes for every thread. wide ≠ 0: tiles of 16 channels, for engines that pair
// vectors.
// winograd ≠ 0: the window is 3 × 3, groups 1, run and channels are multiples of 8, the epilogue is None or Relu, and the
// lists are one { Winograd } instead of boxes.
export enum Convolution {
  out = 8,
  input = 12,
  weights = 16,
  bias = 20,
  places = 24,
  boxes = 28,
  taps = 32,
  run = 36,
  channels = 40,
  groups = 44,
  groupStride = 48,
  epilogue = 52,
  scratch = 56,
  wide = 60,
  winograd = 64,
  size = 68,
}

// ConvolutionKernel: out [taps·run, groups·channels] = Σ over the places of `boxes`: input[place + t + p] ·
// gradient[place, channel], where a box places the gradient as it places a convolution's result
export enum ConvolutionKernel {
  out = 8,
  input = 12,
  gradient = 16,
  places = 20,
  boxes = 24,
  taps = 28,
  run = 32,
  channels = 36,
  groups = 40,
  groupStride = 44,
  scratch = 48,
  wide = 52,
  winograd = 56,
  size = 60,
}

// The images of a Convolution in tiles of 2 × 2 places: `before` zeros around input [rows, columns], and strides in
// elements.
export enum Winograd {
  rows = 0,
  columns = 4,
  outRows = 8,
  outColumns = 12,
  before = 16,
  beforeColumns = 20,
  imageStride = 24,
  rowStride = 28,
  columnStride = 32,
  size = 36,
}

// DepthwiseConvolution: out[place, channel] = epilogue(Σ over taps t: input[place + t, channel] · weights[t, channel] + bias) at
// every place of `boxes`
export enum DepthwiseConvolution {
  out = 8,
  input = 12,
  weights = 16,
  bias = 20,
  places = 24,
  boxes = 28,
  taps = 32,
  channels = 36,
  epilogue = 40,
  scratch = 44,
  size = 48,
}

// DepthwiseConvolutionKernel: out [taps, channels] = Σ over the places of `boxes`: input[place + t, channel] · gradient[place, channel]
export enum DepthwiseConvolutionKernel {
  out = 8,
  input = 12,
  gradient = 16,
  places = 20,
  boxes = 24,
  taps = 28,
  channels = 32,
  scratch = 36,
  size = 40,
}

// Pool: out [places, channels] = `pooling` of input[place + t, channel] over the taps t.
//   Pick    values[place + t, channel] for the first t at which input is largest; values has the layout of input
export enum Pool {
  out = 8,
  input = 12,
  values = 16,
  places = 20,
  rank = 24,
  taps = 28,
  channels = 32,
  pooling = 36,
  scratch = 40,
  size = 44,
}

// Unpool, the adjoint of Pool. out [count] has the layout of input. It is filled with zeros, and then
//   Sum     out[place + t, channel] += gradient[place, channel] for all taps t
//   Pick    the same, but only for the first t at which input is largest
export enum Unpool {
  out = 8,
  input = 12,
  gradient = 16,
  places = 20,
  rank = 24,
  taps = 28,
  channels = 32,
  pooling = 36,
  count = 40,
  scratch = 44,
  size = 48,
}

// Blocking of Convolution: the numbers of floats of all taps, of channels and of places processed at once.
export const CONVOLUTION_DEPTH = 640
export const CONVOLUTION_CHANNELS = 208
export const CONVOLUTION_PLACES = 96

// Reduce: out [outer, inner] = reduction over axis of input [outer, axis, inner].
export enum Reduce {
  out = 8,
  input = 12,
  outer = 16,
  axis = 20,
  inner = 24,
  reduction = 28,
  size = 32,
}

// ArgReduce: out int32 [outer, inner].
export enum ArgReduce {
  out = 8,
  input = 12,
  outer = 16,
  axis = 20,
  inner = 24,
  extreme = 28,
  size = 32,
}

// Softmax: out [rows, columns]; in place safe. `scratch` is for LogSoftmax.
export enum Softmax {
  out = 8,
  input = 12,
  rows = 16,
  columns = 20,
  kind = 24,
  scratch = 28,
  size = 32,
}

// CrossEntropy: probabilities [rows, columns] = softmax(logits [rows, columns]), which they may replace.
//   Classes        targets int32 [rows]:    loss [rows] = −ln probabilities[target]; 0 if the column does not exist
//   Distributions  targets [rows, columns]: loss [rows] = −Σ target · ln probabilities
export enum CrossEntropy {
  loss = 8,
  probabilities = 12,
  logits = 16,
  targets = 20,
  rows = 24,
  columns = 28,
  kind = 32,
  size = 36,
}

// CrossEntropyGradient: the scale of row i is at scale + 4·i·scaleStride; in place safe.
//   Classes        out [rows, columns] = (probabilities − [column = target]) · scale; 0 if the column does not exist
//   Distributions  out [rows, columns] = (probabilities · Σ target − target) · scale
export enum CrossEntropyGradient {
  out = 8,
  probabilities = 12,
  targets = 16,
  scale = 20,
  scaleStride = 24,
  rows = 28,
  columns = 32,
  kind = 36,
  size = 40,
}

// Attention: for every b, head h and row t, with key head g = ⌊h·keyHeads / heads⌋,
//   out [batch, rows, heads, width] = Σ over s: P[t,s] · value[b,s,g],   P[t] = softmax over s of S[t],
//   S[t,s] = scale · Σ over depth: query[b,t,h] · key[b,s,g]  + bias[b,h,t,s];  −∞ where mask[b,h,t,s] = 0, and outside
//   the band t − before ≤ s ≤ t + after. If all scores of a row are −∞, its result is the mean of all values.
//   logSum [batch, heads, rows] = ln Σ e^S; +∞ for such a row.
// Features are contiguous; other axes have strides. mask (int32) and bias may be absent. `scratch` has GEMM_SCRATCH bytes
// for every thread.
export enum Attention {
  query = 8,
  key = 12,
  value = 16,
  mask = 20,
  bias = 24,
  out = 28,
  logSum = 32,
  batch = 36,
  heads = 40,
  keyHeads = 44,
  rows = 48,
  columns = 52,
  depth = 56,
  width = 60,
  scale = 64,
  before = 68,
  after = 72,
  queryBatch = 76,
  queryRow = 80,
  queryHead = 84,
  keyBatch = 88,
  keyRow = 92,
  keyHead = 96,
  valueBatch = 100,
  valueRow = 104,
  valueHead = 108,
  maskBatch = 112,
  maskHead = 116,
  maskRow = 120,
  maskColumn = 124,
  biasBatch = 128,
  biasHead = 132,
  biasRow = 136,
  biasColumn = 140,
  scratch = 144,
  wide = 148,
  size = 152,
}

// AttentionGradient: starts with the fields of Attention, whose results `out` and `logSum` it reads. With G = gradient, in the layout of out,
//   dP = G · valueᵀ,  dS = P ⊙ (dP − Σ G·out + dLogSum),
//   dValue = Pᵀ · G,  dQuery = scale · dS · key,  dKey = scale · dSᵀ · query,  dBias [batch, heads, rows, columns] = dS
// All contiguous; dLogSum and dBias may be absent.
export enum AttentionGradient {
  gradient = 152,
  dLogSum = 156,
  dQuery = 160,
  dKey = 164,
  dValue = 168,
  dBias = 172,
  size = 176,
}

// Blocking of Attention: the rows and columns of scores computed at once.
export const ATTENTION_ROWS = 64
export const ATTENTION_COLUMNS = 64
/** The most features of a query and a value together for which the panels of a block's rows fit into scratch. */
export const ATTENTION_FEATURES = 1024

// Normalize: out [groups, rows, columns] = z · scale + shift,  z = (input − mean) · inverse,  inverse = 1 / √(variance + epsilon),
// with mean and variance over the row; mean and inverse [groups, rows] are results, too; scale and shift are [groups, columns].
// Where isCentered is 0, mean is 0, and variance the mean of the squares. shift may be absent, and so may both.
export enum Normalize {
  out = 8,
  input = 12,
  scale = 16,
  shift = 20,
  mean = 24,
  inverse = 28,
  groups = 32,
  rows = 36,
  columns = 40,
  epsilon = 44,
  isCentered = 48,
  size = 52,
}

// NormalizeGradient: starts with the fields of Normalize, whose results mean and inverse it reads; shift and epsilon have no meaning.
// With u = gradient · scale,
//   out [groups, rows, columns] = inverse · (u − mean u − z · mean (u · z)), with means over the row.
// Where isCentered is 0, mean u is left out.
// NormalizeWeights, with the same fields: dScale [groups, columns] = Σ over rows: gradient · z,
//   dShift [groups, columns] = Σ over rows: gradient. dShift may be absent.
export enum NormalizeGradient {
  gradient = 52,
  dScale = 56,
  dShift = 60,
  size = 64,
}

// Gather: out [outer, count, inner] = input [outer, axis, inner] at indices int32 [count].
// Indices −axis … −1 count from the end. A slice whose index is outside −axis … axis−1 is filled with the word `filling`.
export enum Gather {
  out = 8,
  input = 12,
  indices = 16,
  outer = 20,
  axis = 24,
  inner = 28,
  count = 32,
  filling = 36,
  size = 40,
}

// Scatter: slice i of the axis of out [outer, axis, inner] = `scattering` of the slices of updates [outer, count, inner] whose
// index in indices int32 [count] is i; 0 or the least number if there is no such slice.
// Indices −axis … −1 count from the end. A slice whose index is outside −axis … axis−1 is dropped.
export enum Scatter {
  out = 8,
  updates = 12,
  indices = 16,
  outer = 20,
  axis = 24,
  inner = 28,
  count = 32,
  scattering = 36,
  size = 40,
}

// Sort: out int32 [outer, count, inner] = the first `count` of the indices along the axis that sort input in ascending
// order, or in descending order if `descending` is 1. Equal elements keep their order, 0 and −0 are equal, NaN is above
// all. With isValues, out has the sorted elements in ascending order, and count is axis.
// isInteger is 1 for int32.
// temporary has SORT_FIXED + SORT_BYTES · axis bytes.
export enum Sort {
  out = 8,
  input = 12,
  outer = 16,
  axis = 20,
  inner = 24,
  count = 28,
  descending = 32,
  isInteger = 36,
  isValues = 40,
  temporary = 44,
  size = 48,
}

/** Values along an axis up to this extent are sorted by a network. */
export const NETWORK = 1024
/** The vectors of a network; or how often each value of each byte of a key occurs. */
export const SORT_FIXED = 16384
/** A key and an index, twice. */
export const SORT_BYTES = 16

// Bits: out[i] = a[i] ∘ b[i] for `count` integers. In place safe with both. Followed by the bytes 2⁰ … 2⁷, two words.
export enum Bits {
  out = 8,
  a = 12,
  b = 16,
  count = 20,
  fold = 24,
  size = 28,
}

// Running: out_t = out_(t−1) ∘ input_t along the axis of [outer, axis, inner], from its end if isBackwards is 1. With
// factor, a float32 like input, out_t = factor_t · out_(t−1) + input_t. Computes in float64, integers wrap.
export enum Running {
  out = 8,
  input = 12,
  factor = 16,
  outer = 20,
  axis = 24,
  inner = 28,
  isBackwards = 32,
  fold = 36,
  size = 40,
}

// Search: out int32 [count] = the number of elements of sorted [length] below each of values [count]; with isRight,
// below or equal. The order is that of Sort.
export enum Search {
  out = 8,
  sorted = 12,
  values = 16,
  length = 20,
  count = 24,
  isRight = 28,
  isInteger = 32,
  size = 36,
}

// Insert: out [outer, axis, inner] = base, with block [outer, count, inner] written along the axis from int32 start on.
// A start at which block does not fit is moved to the nearest one at which it does. In place safe with base.
export enum Insert {
  out = 8,
  base = 12,
  block = 16,
  start = 20,
  outer = 24,
  axis = 28,
  inner = 32,
  count = 36,
  size = 40,
}

// Factorize: for each of `batch` matrices input [rows, columns], row-major as all results:
//   Cholesky   first = L [n, n], from the lower triangle of input; its lower triangle is NaN if input is not positive definite
//   Lu         first = U, and below its diagonal L, whose diagonal is 1; second int32 [n]: row i was exchanged with row
//              second[i], in this order; third int32 [n]: row i of P A is row third[i] of A. The largest pivot of a column is
//              taken
//   Qr         first = Q [rows, width], second = R [width, columns]; width = min(rows, columns) or rows
//   Eigen      first = w [n], in ascending order, second = V [n, n], of a symmetric input; the largest element of each column is positive
//   Singular   first = U [rows, width], second = s [columns], in descending order, third = Vᵀ [columns, columns]; rows ≥ columns, width =
//              columns or rows; the largest element of each row of Vᵀ is positive
// Singular with an absent first computes only values. The last three work in float64 on temporary; a vector of n numbers takes
// up to n + FACTORIZE_PADDING of them.
export const FACTORIZE_PADDING = 16
/** Rotations of n rows that are collected before they are applied, as a multiple of n. Each takes two float64. */
export const FACTORIZE_SWEEPS = 16

export enum Factorize {
  first = 8,
  second = 12,
  third = 16,
  input = 20,
  rows = 24,
  columns = 28,
  width = 32,
  batch = 36,
  factorization = 40,
  temporary = 44,
  size = 48,
}

// Substitute: for each of `batch`, out [n, columns] = T⁻¹ · input [n, columns], T the triangle of matrix [n, n] that
// `triangle` selects. order int32 [n] may be absent. Without `places`, row i of the right side is row order[i] of input. With
// `places`, row i of the result is written to row order[i], and temporary has n·columns numbers.
export enum Substitute {
  out = 8,
  matrix = 12,
  input = 16,
  order = 20,
  n = 24,
  columns = 28,
  batch = 32,
  triangle = 36,
  places = 40,
  temporary = 44,
  size = 48,
}

// Fourier: out[k] = Σ_j input[j] e^(−2πi jk/n) along the axis, whose length n is a power of two; numbers are complex,
// in separate real and imaginary parts. With the two parts exchanged, in input and in out, it computes the inverse, times n.
// temporary has FOURIER_FIXED bytes, 2·n numbers, and 2·n·inner.
export enum Fourier {
  outReal = 8,
  outImag = 12,
  real = 16,
  imag = 20,
  outer = 24,
  axis = 28,
  inner = 32,
  temporary = 36,
  size = 40,
}

/** Roots of unity and their products, in float64. */
export const FOURIER_FIXED = 1024

// Quantize: for each row of input [rows, columns], out = ⌊x / scale⌉, to even, within ±127: int16, or bytes in the
// first half of the row's space, depending on the engine's multiplication. scale = max |x| / 127 over the row, or the
// number at `fixed`. Writes a QuantizedRow for each row to scales.
export enum Quantize {
  out = 8,
  scales = 12,
  input = 16,
  fixed = 20,
  rows = 24,
  columns = 28,
  size = 32,
}

export enum QuantizedRow {
  scale = 0,
  isBytes = 4,
  size = 8,
}

// QuantizedProduct: out [places, channels] = epilogue(scales[⌊place / perScale⌋] · weightScales[channel]
//     · Σ over taps t and p < run: input[place + t + p] · weights[t, p, channel] + bias[channel]); the sums are integers.
// input and scales come from Quantize with rows of `columns`; up to 3 elements past the end of input may be read.
// Windows as above, in elements of input. weights int8 are in ⌈channels/8⌉ strips: the sums of each channel's weights,
// int32 [8], and then fours of elements, [taps, ⌈run/4⌉, 8, 4], padded with zeros. bias may be absent. The epilogue is
// None or Relu. `scratch` has GEMM_SCRATCH bytes for every thread.
export enum QuantizedProduct {
  out = 8,
  input = 12,
  scales = 16,
  weights = 20,
  weightScales = 24,
  bias = 28,
  places = 32,
  rank = 36,
  taps = 40,
  run = 44,
  channels = 48,
  perScale = 52,
  columns = 56,
  epilogue = 60,
  scratch = 64,
  size = 68,
}

/** Bytes of the sums at the start of a strip of QuantizedProduct. */
export const QUANTIZED_SUMS = 32

// Packed matrices have weights [outputs, inputs] of `bits` 8 or 4, in strips of PACKED_STRIP outputs and groups of
// PACKED_GROUP inputs. A strip is its groups in order; a group is
//
//   scales float32 [8], with 4 bits also minima float32 [8], then the integers q as quads of neighbouring inputs:
//   8 bits   int8 [8 quads, 8 outputs, 4]                                                       weight = scale · q
//   4 bits   bytes [4 quads, 8 outputs, 4], quads 0 … 3 in the low halves and 4 … 7 in the high ones
//                                                                                               weight = scale · q − minimum
// Outputs and inputs past the last one are zeros.
export const PACKED_STRIP = 8
export const PACKED_GROUP = 32

// PackedQuantize: for each group of each row of input [rows, columns], out = ⌊x / scale⌉, to even, within ±127, and
// scale = max |x| / 127. Rows are in panels: a few rows whose quads alternate, and then single rows. A panel is int16
// [groups, 8 quads, rows of the panel, 4]; bytes where PackedProduct multiplies bytes. int16 for weights of 4 bits
// are in the order 0 2 1 3 within a quad. Its scales are, for each group, those
// of its rows and then −scale · Σ q of each of them. The height of panels depends on `bits`, those of the weights, and on
// the engine. `scratch` has GEMM_SCRATCH bytes for every thread.
export enum PackedQuantize {
  out = 8,
  scales = 12,
  input = 16,
  rows = 20,
  columns = 24,
  bits = 28,
  scratch = 32,
  size = 36,
}

/** Bytes per group of a row that PackedQuantize writes at most to out, and to scales. */
export const PACKED_GROUP_BYTES = 64
export const PACKED_GROUP_SCALES = 8

// PackedProduct: out [rows, outputs] = Σ over groups: scale of x · weight · q. input and scales come from PackedQuantize.
// `scratch` has GEMM_SCRATCH bytes for every thread.
export enum PackedProduct {
  out = 8,
  input = 12,
  scales = 16,
  weights = 20,
  rows = 24,
  outputs = 28,
  inputs = 32,
  bits = 36,
  scratch = 40,
  size = 44,
}

// PackedGemm: out [rows, outputs] = lhs [rows, inputs] · weightsᵀ in float32; with `transposed` ≠ 0, out [rows, inputs] =
// lhs [rows, outputs] · weights. wide and `scratch` as in Gemm.
export enum PackedGemm {
  out = 8,
  lhs = 12,
  weights = 16,
  rows = 20,
  outputs = 24,
  inputs = 28,
  bits = 32,
  transposed = 36,
  wide = 40,
  scratch = 44,
  size = 48,
}

// PackedTake: out [count, inputs] = the rows of weights [outputs, inputs] with the numbers indices int32 [count]. Negative
// numbers count from the end; the row of a number outside of the matrix is NaN.
export enum PackedTake {
  out = 8,
  weights = 12,
  indices = 16,
  count = 20,
  outputs = 24,
  inputs = 28,
  bits = 32,
  size = 36,
}

// Copy: out(i0, i1, …) = input(i0, i1, …), both strided.
//   lists   rank × { extent, inputStride, outStride }
export enum Copy {
  out = 8,
  input = 12,
  rank = 16,
  size = 20,
}

export enum CopyDimension {
  extent = 0,
  inputStride = 4,
  outStride = 8,
  size = 12,
}

// Accumulate: out(i0, i1, …) += input(i0, i1, …), float32, both strided.
//   lists   rank × { CopyDimension }
export enum Accumulate {
  out = 8,
  input = 12,
  rank = 16,
  size = 20,
}

// Fill: out [count] = the 32 bits of `value`.
export enum Fill {
  out = 8,
  count = 12,
  value = 16,
  size = 20,
}

// Random: out [count] uniform in [0, 1). Element i is a pure function of the two key words, `stream` and i, or of i + 2·key[2] if
// `isBlock` ≠ 0: a block of a larger tensor.
export enum Random {
  out = 8,
  key = 12,
  stream = 16,
  count = 20,
  isBlock = 24,
  size = 28,
}

// Guard: ends the tape early when any listed float32 buffer, times its scale, holds NaN or ±Inf. A scale above 1 turns
// numbers that are too large into infinity.
//   lists   bufferCount × { GuardBuffer }
export enum Guard {
  bufferCount = 8,
  size = 12,
}

export enum GuardBuffer {
  address = 0,
  count = 4,
  scale = 8,
  size = 12,
}

// Optimizer updates over `count` parameters. Each slot is read at its input address and written at its
// …Out address; the two may be the same. `learningRate` is the address of one float32 and `iterations` of
// one int32 (the number of updates done before this one).

// g' = gradient;  p ← p − lr·weightDecay·p first, when weightDecay ≠ 0
// no velocity:    p ← p − lr·g'
// velocity:       v ← momentum·v − lr·g' ;  p ← p + v,  or with nesterov  p ← p + momentum·v − lr·g'
export enum Sgd {
  parameters = 8,
  parametersOut = 12,
  gradient = 16,
  velocity = 20,
  velocityOut = 24,
  count = 28,
  learningRate = 32,
  momentum = 36,
  nesterov = 40,
  weightDecay = 44,
  size = 48,
}

// s ← rho·s + (1−rho)·g² ;  centered: a ← rho·a + (1−rho)·g, d = max(s − a², 0) + epsilon, else d = s + epsilon
// u = lr·g / √d ;  momentum: v ← momentum·v + u, p ← p − v, else p ← p − u
export enum RmsProp {
  parameters = 8,
  parametersOut = 12,
  gradient = 16,
  square = 20,
  squareOut = 24,
  average = 28,
  averageOut = 32,
  velocity = 36,
  velocityOut = 40,
  count = 44,
  learningRate = 48,
  rho = 52,
  momentum = 56,
  epsilon = 60,
  weightDecay = 64,
  size = 68,
}

// t = iterations + 1 ;  α = lr·√(1−β₂ᵗ)/(1−β₁ᵗ)
// p ← p − lr·weightDecay·p ;  m ← m + (1−β₁)(g−m) ;  v ← v + (1−β₂)(g²−v) ;  p ← p − α·m/(√v + epsilon)
// All optimizers: moments, and the parameters of SGD, are 0 below LEAST_STATE; g² is 0 below LEAST_SQUARED² (vanishing.ts).
export enum Adam {
  parameters = 8,
  parametersOut = 12,
  gradient = 16,
  mean = 20,
  meanOut = 24,
  variance = 28,
  varianceOut = 32,
  count = 36,
  learningRate = 40,
  iterations = 44,
  beta1 = 48,
  beta2 = 52,
  epsilon = 56,
  weightDecay = 60,
  size = 64,
}

// Loop: runs its body while t < count; a SetCount in the body may change the count. Before iteration t = 0, 1, …, every
// patched word of the body becomes
//   t = 0    first
//   t odd    odd  + step·⌊t/2⌋
//   t even   even + step·⌊t/2⌋
// which covers both an address that advances by the same distance in every iteration, and two alternating buffers. A
// word is `word` bytes from the start of the Loop; it may be a word of the patches of a Loop in the body.
//   lists   patchCount × { LoopPatch }
//   then    the body: instructions up to byteLength, which counts them too
export enum Loop {
  count = 8,
  patchCount = 12,
  size = 16,
}

// SetCount: the count of the Loop that starts `distance` bytes from this instruction becomes (word at `when`) ≠ 0 ? count : 0.
//   before a Loop, it decides whether the Loop runs; at the end of its body, whether a further iteration runs
export enum SetCount {
  when = 8,
  count = 12,
  distance = 16,
  size = 20,
}

export enum LoopPatch {
  word = 0,
  first = 4,
  odd = 8,
  even = 12,
  step = 16,
  size = 20,
}
