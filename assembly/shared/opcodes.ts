// The instruction set: names only. instructions.ts draws the fields of each instruction. Compiled by asc (kernels) and
// by tsc (planner), so that the two can never disagree.

/** The operation of an instruction. */
export enum Opcode {
  /** An elementwise program, run tile by tile. */
  Chain,
  /** C = activation(A · B + bias), any strides, batched. */
  Gemm,
  /** Windows of a tensor times weights. */
  Convolution,
  /** The gradient of Convolution with respect to its weights. */
  ConvolutionKernel,
  /** A Convolution of each channel separately. */
  DepthwiseConvolution,
  /** The gradient of DepthwiseConvolution with respect to its weights. */
  DepthwiseConvolutionKernel,
  /** Maxima or sums over windows. */
  Pool,
  /** The adjoint of Pool. */
  Unpool,
  /** Sum, mean, max or min over the middle axis of [outer, axis, inner]. */
  Reduce,
  /** Index of the largest or smallest element over the middle axis of [outer, axis, inner]. */
  ArgReduce,
  /** softmax or log-softmax over the rows of [rows, columns]. */
  Softmax,
  /** Cross-entropy of targets and softmax, over the rows of [rows, columns]. */
  CrossEntropy,
  /** The gradient of CrossEntropy with respect to its logits. */
  CrossEntropyGradient,
  /** softmax(query · keyᵀ) · value, block by block, without storing the scores. */
  Attention,
  /** The gradient of Attention with respect to query, key and value. */
  AttentionGradient,
  /** Picks slices along the middle axis of [outer, axis, inner]. */
  Gather,
  /** Sums or maxima of slices, at indices of the middle axis of [outer, axis, inner]; a sum is the adjoint of Gather. */
  Scatter,
  /** The indices that sort the middle axis of [outer, axis, inner]. */
  Sort,
  /** The positions of values among sorted ones. */
  Search,
  /** Sums or products of the elements up to each one, along the middle axis of [outer, axis, inner]. */
  Running,
  /** Shifts and exclusive disjunctions of the bits of integers. */
  Bits,
  /** Writes slices into the middle axis of [outer, axis, inner], from an index on. */
  Insert,
  /** Factorizes matrices: see Factorization. */
  Factorize,
  /** Solves systems with triangular matrices. */
  Substitute,
  /** Rows of float32 as integers within ±127, each with a scale. */
  Quantize,
  /** Windows of the results of Quantize, times int8 weights. */
  QuantizedProduct,
  /** Discrete Fourier transforms along the middle axis of [outer, axis, inner]. */
  Fourier,
  /** Copies between two strided views. */
  Copy,
  /** Adds one strided view to another. */
  Accumulate,
  /** Writes one 32-bit pattern everywhere. */
  Fill,
  /** Uniform numbers in [0, 1) from a counter-based generator. */
  Random,
  /** Stops the tape when a buffer holds NaN or ±Inf. */
  Guard,
  /** Gradient descent with optional momentum, over one contiguous parameter buffer. */
  Sgd,
  /** RMSprop, likewise. */
  RmsProp,
  /** Adam and AdamW, likewise. */
  Adam,
  /** Runs the instructions of its body repeatedly, each time with other addresses. */
  Loop,
  /** Sets the number of iterations of a Loop, from a condition. */
  SetCount,
  // Kernels of families: behind the others, so that the core's table of cases has no gaps for them.
  /** Rows of mean 0 and variance 1, scaled and shifted. */
  Normalize,
  /** The gradient of Normalize with respect to its rows. */
  NormalizeGradient,
  /** The gradient of Normalize with respect to scale and shift. */
  NormalizeWeights,
  /** Groups of 32 numbers as integers within ±127, each group with a scale. */
  PackedQuantize,
  /** The results of PackedQuantize, times packed weights. */
  PackedProduct,
  /** Rows of float32, times packed weights or their transpose. */
  PackedGemm,
  /** Rows of a packed matrix as float32. */
  PackedTake,
}

/** An operation on bits. */
export enum BitFold {
  Xor,
  /** a · 2ᵇ; 0 unless 0 ≤ b < 32 */
  ShiftLeft,
  /** ⌊a / 2ᵇ⌋; 0 or −1 unless 0 ≤ b < 32 */
  ShiftRight,
}

/** How Running combines an element with the result before it. */
export enum RunningFold {
  Sum,
  Product,
  SumI32,
  ProductI32,
  /** factor · before + element */
  Affine,
}

/** The operation of a Reduce. The suffix I32 marks integers, with bool as 0 and 1; sums wrap at 32 bits. */
export enum Reduction {
  Sum,
  Mean,
  Max,
  Min,
  SumI32,
  MaxI32,
  MinI32,
}

/** How a Scatter combines the slices with one index. The suffix I32 marks integers; sums wrap at 32 bits. */
export enum Scattering {
  Sum,
  Max,
  SumI32,
  MaxI32,
}

/** The factors that a Factorize computes. */
export enum Factorization {
  /** A = L Lᵀ */
  Cholesky,
  /** P A = L U */
  Lu,
  /** A = Q R */
  Qr,
  /** A = V diag(w) Vᵀ */
  Eigen,
  /** A = U diag(s) Vᵀ */
  Singular,
}

/** How a Substitute reads its matrix: bits that are added up. */
export enum Triangle {
  /** The lower part; otherwise the upper one. */
  Lower = 1,
  /** That part, transposed. */
  Transposed = 2,
  /** The diagonal counts as ones. */
  Unit = 4,
}

/** How a Pool reduces a window. */
export enum Pooling {
  Max,
  Sum,
  /** Another tensor's element at the first maximum. */
  Pick,
}

/** The extreme that an ArgReduce finds. The first of equal elements wins; NaN counts as the extreme. */
export enum Extreme {
  Max,
  Min,
  MaxI32,
  MinI32,
}

/** The results of a Softmax instruction. */
export enum SoftmaxKind {
  Softmax,
  LogSoftmax,
}

/** The targets of a CrossEntropy. */
export enum TargetKind {
  /** One class number per row. */
  Classes,
  /** A distribution over the columns per row. */
  Distributions,
}

/** The function that a Gemm applies to its result before it stores it. */
export enum Epilogue {
  None,
  // ToFactor: with a FlushFactor of the result
  Relu,
  ReluToFactor,
  // from here on in a separate pass
  Sigmoid,
  SigmoidToFactor,
  Tanh,
  TanhToFactor,
}

/** How a Chain reads one of its operands. */
export enum Access {
  /** Element i of the result reads element i. */
  Contiguous,
  /** Every element reads the same one. */
  Scalar,
  /** Element (i0, i1, …) reads element i0·stride0 + i1·stride1 + … */
  Strided,
}
