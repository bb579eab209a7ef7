// The names of the arguments of ops, with the documentation that editors show. Their types depend on the op. An op with a parameter that is
// not listed here does not compile.

/** The arguments that ops take by name. */
export interface Arguments {
  /** The operand. */
  readonly a: unknown
  /** The absolute values. */
  readonly abs: unknown
  /** The shape parameter of the distribution. */
  readonly alpha: unknown
  /** The angles, in radians. */
  readonly angle: unknown
  /** Whether to average over skipped elements when an axis becomes smaller. */
  readonly antialias: unknown
  /** Whether to compute the approximation by tanh. */
  readonly approximate: unknown
  /** The operand. */
  readonly array: unknown
  /** Whether neither operand has duplicates; it does not affect the result. */
  readonly assumeUnique: unknown
  /** The absolute tolerance. */
  readonly atol: unknown
  /** Must be null: the kernel does not limit scores. */
  readonly attnLogitsSoftCap: unknown
  /** The axes: one, several, or null for all. Negative ones count from the end. */
  readonly axes: unknown
  /** The lengths of axes in groups of the left side; one axis of each group may have none. */
  readonly axesLengths: unknown
  /** The axis. Negative ones count from the end. */
  readonly axis: unknown
  /** The first axis. */
  readonly axis1: unknown
  /** The second axis. */
  readonly axis2: unknown
  /** The axis of the vectors of the first operand. */
  readonly axisa: unknown
  /** The axis of the vectors of the second operand. */
  readonly axisb: unknown
  /** The axis of the vectors of the result. */
  readonly axisc: unknown
  /** The right-hand side. */
  readonly b: unknown
  /** The base of the powers. */
  readonly base: unknown
  /** The number of prefixes that a beam search keeps. */
  readonly beamWidth: unknown
  /** The second parameter: of the window, or of the distribution. */
  readonly beta: unknown
  /** Added to the scores; it broadcasts. */
  readonly bias: unknown
  /** The bounds of the bins, ascending. */
  readonly bins: unknown
  /** The extent of the blocks. */
  readonly blockSize: unknown
  /** Gives the next variables. */
  readonly body: unknown
  /** Gives the next carry. */
  readonly bodyFun: unknown
  /** The rows that are cut off at the bottom. */
  readonly bottomCropping: unknown
  /** The rows that are added at the bottom. */
  readonly bottomPadding: unknown
  /** Functions of the operands. */
  readonly branches: unknown
  /** Whether the signal is extended by fftLength / 2 mirrored elements at both ends. */
  readonly center: unknown
  /** The choices, one for each condition. */
  readonly choicelist: unknown
  /** Whether to return U and Vᵀ, too. */
  readonly computeUv: unknown
  /** Gives a scalar: whether the loop goes on. */
  readonly cond: unknown
  /** Where the first value is chosen, bool. */
  readonly condition: unknown
  /** The conditions. */
  readonly condlist: unknown
  /** The value of the mode 'constant'. */
  readonly constantValues: unknown
  /** The places that are read, one row for each axis. */
  readonly coordinates: unknown
  /** The numbers of trials. */
  readonly counts: unknown
  /** Whether to crop the longer side first, so that nothing is distorted. */
  readonly cropToAspectRatio: unknown
  /** The data, along whose first axis are the segments. */
  readonly data: unknown
  /** Where the channels are: 'channelsLast' or 'channelsFirst'; null means last. */
  readonly dataFormat: unknown
  /** The number of decimals; negative numbers round to tens and more. */
  readonly decimals: unknown
  /** The result where no condition is true. */
  readonly default: unknown
  /** The result for elements that are not above the threshold. */
  readonly defaultValue: unknown
  /** The kernel of each channel. */
  readonly depthwiseKernel: unknown
  /** The new positions of the axes. */
  readonly destination: unknown
  /** The distance between neighbouring elements of a window, for all axes or per axis. */
  readonly dilation: unknown
  /** The distance between neighbouring elements of a window, for all axes or per axis. */
  readonly dilationRate: unknown
  /** 'float32', 'int32' or 'bool'. */
  readonly dtype: unknown
  /** The distance between samples if x is null. */
  readonly dx: unknown
  /** A tensor, or arrays and records of tensors, with the same first extent. */
  readonly elements: unknown
  /** A tensor, or arrays and records of tensors. */
  readonly elems: unknown
  /** Whether the last value is `stop`. */
  readonly endpoint: unknown
  /** The corners after the transformation. */
  readonly endPoints: unknown
  /** Added to a denominator, so that it is not 0. */
  readonly epsilon: unknown
  /** Whether NaN is close to NaN. */
  readonly equalNan: unknown
  /** The positions of arguments that are passed unchanged; null for none. */
  readonly excluded: unknown
  /** A function of tensors. */
  readonly f: unknown
  /** Gives the result if it is false. */
  readonly falseFn: unknown
  /** The length of the transforms. */
  readonly fftLength: unknown
  /** The values beyond the edges: 'constant', 'nearest', 'wrap', 'mirror' or 'reflect'. */
  readonly fillMode: unknown
  /** The value of the elements; it broadcasts. */
  readonly fillValue: unknown
  /** The standard deviation of the weights of the window. */
  readonly filterSigma: unknown
  /** The size of the window, an odd number. */
  readonly filterSize: unknown
  /** Changes nothing: there is one implementation, which never stores the scores as a whole. */
  readonly flashAttention: unknown
  /** Whether the predictions are logits instead of probabilities. */
  readonly fromLogits: unknown
  /** Whether U and Vᵀ are square. */
  readonly fullMatrices: unknown
  /** The function. */
  readonly fun: unknown
  /** A function of a slice. */
  readonly function: unknown
  /** Multiplies the result; null for none. */
  readonly gamma: unknown
  /** Whether the function returns [results, aux]. */
  readonly hasAux: unknown
  /** The first images. */
  readonly image1: unknown
  /** The second images. */
  readonly image2: unknown
  /** [batch, height, width, channels], or one image. */
  readonly images: unknown
  /** Whether the exponents increase from left to right. */
  readonly increasing: unknown
  /** The number of the branch. */
  readonly index: unknown
  /** 'xy' for Cartesian coordinates, 'ij' for indices of matrices. */
  readonly indexing: unknown
  /** The indices, int32. */
  readonly indices: unknown
  /** The number of parts, or the indices at which parts begin. */
  readonly indicesOrSections: unknown
  /** The first carry: a tensor, or arrays and records of tensors. */
  readonly init: unknown
  /** A number that counts as an additional element; null for none. */
  readonly initial: unknown
  /** The first carry: a tensor, or arrays and records of tensors. */
  readonly initVal: unknown
  /** The operand. */
  readonly inputs: unknown
  /** How elements between others are computed, such as 'nearest' or 'bilinear'. */
  readonly interpolation: unknown
  /** Whether true marks the elements that do not occur. */
  readonly invert: unknown
  /** Whether no step attends to keys of later steps. */
  readonly isCausal: unknown
  /** The number of elements. */
  readonly k: unknown
  /** The weight of the range in the comparison of means. */
  readonly k1: unknown
  /** The weight of the range in the comparison of variances. */
  readonly k2: unknown
  /** Whether the reduced axes stay, with extent 1. */
  readonly keepDims: unknown
  /** The kernel, [… window, channels, filters]. */
  readonly kernel: unknown
  /** The window, for all axes or per axis. */
  readonly kernelSize: unknown
  /** What each axis selects. */
  readonly key: unknown
  /** The position that is sorted. */
  readonly kth: unknown
  /** The columns that are cut off on the left. */
  readonly leftCropping: unknown
  /** The columns that are added on the left. */
  readonly leftPadding: unknown
  /** The number of elements; null for all. */
  readonly length: unknown
  /** The logarithms of the probabilities, up to a constant. */
  readonly logits: unknown
  /** A tensor, or arrays and records of tensors. */
  readonly loopVars: unknown
  /** The lower bound of the loop, or whether the matrix is lower triangular. */
  readonly lower: unknown
  /** The number of columns. Default null: as many as rows. */
  readonly M: unknown
  /** Whether a query step may attend to a key step; it broadcasts. */
  readonly mask: unknown
  /** The class number of the blank. */
  readonly maskIndex: unknown
  /** The loop also ends after this number of iterations; null for no limit. */
  readonly maximumIterations: unknown
  /** The maximum of the result; null for no maximum. */
  readonly maxValue: unknown
  /** The largest possible value of the signals. */
  readonly maxVal: unknown
  /** The upper bound, which is not included. */
  readonly maxval: unknown
  /** The means. */
  readonly mean: unknown
  /** Whether the greedy strategy merges repeated classes. */
  readonly mergeRepeated: unknown
  /** How pixels between others are computed. */
  readonly method: unknown
  /** The smallest number of bins. */
  readonly minlength: unknown
  /** The lower bound, which is included. */
  readonly minval: unknown
  /** The variant of the op, by its name. */
  readonly mode: unknown
  /** The number of rows. */
  readonly N: unknown
  /** The number of rows and columns. */
  readonly n: unknown
  /** What replaces NaN. */
  readonly nan: unknown
  /** The slope for x < 0. */
  readonly negativeSlope: unknown
  /** What replaces −Infinity; null for the least float32. */
  readonly neginf: unknown
  /** The shape of the result. One extent may be −1 and is then computed. */
  readonly newshape: unknown
  /** The shape of the draw, which broadcasts to the inputs; null for their shape. */
  readonly noiseShape: unknown
  /** The number of elements, or of slices. */
  readonly num: unknown
  /** The number of classes. */
  readonly numClasses: unknown
  /** The number of draws for each row. */
  readonly numSamples: unknown
  /** The number of segments. */
  readonly numSegments: unknown
  /** Added to the result, or the diagonal: positive numbers lie right of the main one. */
  readonly offset: unknown
  /** The operands. */
  readonly operands: unknown
  /** The order of the norm. */
  readonly ord: unknown
  /** 0: the nearest element; 1: linear interpolation. */
  readonly order: unknown
  /** The tensor that is returned with other elements. */
  readonly out: unknown
  /** The predictions. */
  readonly output: unknown
  /** The number of steps of each output. */
  readonly outputLength: unknown
  /** The elements that are added at the end of each axis; null for none. */
  readonly outputPadding: unknown
  /** The shape of the result. */
  readonly outputShape: unknown
  /** The extents of the result, for all axes or per axis. */
  readonly outputSize: unknown
  /** The elements that are added: 'valid' for none, 'same' for as many as keep the extent, or a number. */
  readonly padding: unknown
  /** Whether to pad the shorter side first, so that nothing is distorted. */
  readonly padToAspectRatio: unknown
  /** The elements before and after each axis: one number, a pair, or a pair for each axis. */
  readonly padWidth: unknown
  /** The axes before and after: 'b h w -> b (h w)'. */
  readonly pattern: unknown
  /** The kernel that mixes the channels. */
  readonly pointwiseKernel: unknown
  /** The window, for all axes or per axis. */
  readonly poolSize: unknown
  /** What replaces Infinity; null for the largest float32. */
  readonly posinf: unknown
  /** A scalar, which is true if it is not 0. */
  readonly pred: unknown
  /** The scores of the classes. */
  readonly predictions: unknown
  /** The arguments of the function. */
  readonly primals: unknown
  /** The probabilities of success. */
  readonly probabilities: unknown
  /** A function of tensors. */
  readonly pyfunc: unknown
  /** The probabilities of the quantiles; for percentiles, from 0 to 100. */
  readonly q: unknown
  /** [batch, steps, heads, features]. */
  readonly query: unknown
  /** Must be false or null: there are no ragged tensors. */
  readonly ragged: unknown
  /** [lowest, highest] of the bins; null for the range of x. */
  readonly range: unknown
  /** The probability with which an element becomes 0. */
  readonly rate: unknown
  /** Singular values up to this fraction of the largest one count as 0. */
  readonly rcond: unknown
  /** Combines an element with its updates: 'add', 'mul', 'max' or 'min'; null replaces it. */
  readonly reduction: unknown
  /** The number of repetitions. */
  readonly repeats: unknown
  /** Must be false: the type of a result does not depend on an option. */
  readonly retstep: unknown
  /** Whether to return how often each value occurs. */
  readonly returnCounts: unknown
  /** Whether to return the position of the first occurrence of each value. */
  readonly returnIndex: unknown
  /** Whether to return the position of each element in the result. */
  readonly returnInverse: unknown
  /** Whether to go from the last element to the first. */
  readonly reverse: unknown
  /** The columns that are cut off on the right. */
  readonly rightCropping: unknown
  /** The columns that are added on the right. */
  readonly rightPadding: unknown
  /** The tolerance relative to |x2|. */
  readonly rtol: unknown
  /** The scale along each axis. */
  readonly scale: unknown
  /** A number gives the same result every time, a SeedGenerator a new one each time. */
  readonly seed: unknown
  /** The segment of each slice, int32. */
  readonly segmentIds: unknown
  /** The length of the frames. */
  readonly sequenceLength: unknown
  /** The number of steps of each sequence. */
  readonly sequenceLengths: unknown
  /** The distance of the frames. */
  readonly sequenceStride: unknown
  /** The shape of the result. */
  readonly shape: unknown
  /** The number of places. */
  readonly shift: unknown
  /** 'left' or 'right': before or after equal elements. */
  readonly side: unknown
  /** The standard deviation. */
  readonly sigma: unknown
  /** The core axes, such as '(m,n),(n)->(m)'; null for scalars. */
  readonly signature: unknown
  /** The extents: one number or one per axis. */
  readonly size: unknown
  /** Whether the result is sorted. */
  readonly sorted: unknown
  /** [n], ascending. */
  readonly sortedSequence: unknown
  /** The axes that move. */
  readonly source: unknown
  /** Whether Keras gives a sparse tensor; here the result has all elements. */
  readonly sparse: unknown
  /** The axes that are scaled. */
  readonly spatialDims: unknown
  /** The first value. */
  readonly start: unknown
  /** The first index along each axis. */
  readonly startIndices: unknown
  /** The corners before the transformation. */
  readonly startPoints: unknown
  /** The standard deviation. */
  readonly stddev: unknown
  /** The distance of the values. */
  readonly step: unknown
  /** The last value. */
  readonly stop: unknown
  /** 'greedy' or 'beam_search'. */
  readonly strategy: unknown
  /** The distance of the windows, for both axes or per axis. */
  readonly stride: unknown
  /** The step of the window, for all axes or per axis. */
  readonly strides: unknown
  /** The equation, such as 'bij,bjk->bik'. */
  readonly subscripts: unknown
  /** Must be false: there is one device. */
  readonly synchronized: unknown
  /** The tangents of the arguments, in the same structure. */
  readonly tangents: unknown
  /** The true values. */
  readonly target: unknown
  /** The rows of the result. */
  readonly targetHeight: unknown
  /** The number of labels of each target. */
  readonly targetLength: unknown
  /** The true classes, int32. */
  readonly targets: unknown
  /** The columns of the result. */
  readonly targetWidth: unknown
  /** The operand. */
  readonly tensor: unknown
  /** Elements above it stay. */
  readonly threshold: unknown
  /** Singular values up to it count as 0. */
  readonly tol: unknown
  /** The rows that are cut off at the top. */
  readonly topCropping: unknown
  /** The rows that are added at the top. */
  readonly topPadding: unknown
  /** The number of sequences that a beam search returns. */
  readonly topPaths: unknown
  /** The eight parameters of the transformation. */
  readonly transform: unknown
  /** The shift along each axis. */
  readonly translation: unknown
  /** Gives the result if the condition is true. */
  readonly trueFn: unknown
  /** Changes nothing: a loop is one instruction. */
  readonly unroll: unknown
  /** The new elements. */
  readonly updates: unknown
  /** The upper bound of the loop, or whether the factor is upper triangular. */
  readonly upper: unknown
  /** [batch, steps, heads, features]. */
  readonly value: unknown
  /** The values. */
  readonly values: unknown
  /** A tensor, or arrays and records of tensors. */
  readonly variable: unknown
  /** The variances. */
  readonly variance: unknown
  /** [batch, depth, height, width, channels], or one volume. */
  readonly volumes: unknown
  /** The weight of each element; null for 1. */
  readonly weights: unknown
  /** The window: 'hann', 'hamming' or its elements; null for none. */
  readonly window: unknown
  /** The operand. */
  readonly x: unknown
  /** The first operand. */
  readonly x1: unknown
  /** The second operand. */
  readonly x2: unknown
  /** The upper bound; it broadcasts. */
  readonly xMax: unknown
  /** The lower bound; it broadcasts. */
  readonly xMin: unknown
  /** The operands. */
  readonly xs: unknown
  /** The second operand. */
  readonly y: unknown
}
