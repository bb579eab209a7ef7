// What the arguments of ops mean, by their names, as editors show it. Their types depend on the op: see types.ts.

/** The required arguments that ops take by name. */
export interface Arguments {
  /** The absolute values. */
  readonly abs: unknown
  /** The shape parameter of the distribution. */
  readonly alpha: unknown
  /** The angles, in radians. */
  readonly angle: unknown
  /** The axes: one, several, or null for all. Negative ones count from the end. */
  readonly axes: unknown
  /** The axis. Negative ones count from the end. */
  readonly axis: unknown
  /** The first axis. */
  readonly axis1: unknown
  /** The second axis. */
  readonly axis2: unknown
  /** The second parameter: of the window, or of the distribution. */
  readonly beta: unknown
  /** The bounds of the bins, ascending. */
  readonly bins: unknown
  /** The extent of the blocks. */
  readonly blockSize: unknown
  /** The choices, one for each condition. */
  readonly choicelist: unknown
  /** The conditions. */
  readonly condlist: unknown
  /** The places that are read, one row for each axis. */
  readonly coordinates: unknown
  /** The numbers of trials. */
  readonly counts: unknown
  /** The data, along whose first axis are the segments. */
  readonly data: unknown
  /** The result for elements that are not above the threshold. */
  readonly defaultValue: unknown
  /** The kernel of each channel. */
  readonly depthwiseKernel: unknown
  /** The new positions of the axes. */
  readonly destination: unknown
  /** 'float32', 'int32' or 'bool'. */
  readonly dtype: unknown
  /** The corners after the transformation. */
  readonly endPoints: unknown
  /** The length of the transforms. */
  readonly fftLength: unknown
  /** The value of the elements; it broadcasts. */
  readonly fillValue: unknown
  /** The first images. */
  readonly image1: unknown
  /** The second images. */
  readonly image2: unknown
  /** [batch, height, width, channels], or one image. */
  readonly images: unknown
  /** The indices, int32. */
  readonly indices: unknown
  /** The number of parts, or the indices at which parts begin. */
  readonly indicesOrSections: unknown
  /** The operand. */
  readonly inputs: unknown
  /** The number of elements. */
  readonly k: unknown
  /** The kernel, [… window, channels, filters]. */
  readonly kernel: unknown
  /** The window, for all axes or per axis. */
  readonly kernelSize: unknown
  /** What each axis selects. */
  readonly key: unknown
  /** The position that is sorted. */
  readonly kth: unknown
  /** The logarithms of the probabilities, up to a constant. */
  readonly logits: unknown
  /** The largest possible value of the signals. */
  readonly maxVal: unknown
  /** The means. */
  readonly mean: unknown
  /** How pixels between others are computed. */
  readonly method: unknown
  /** The lower bound, which is included. */
  readonly minval: unknown
  /** The number of rows. */
  readonly N: unknown
  /** The number of rows and columns. */
  readonly n: unknown
  /** The shape of the result. One extent may be −1 and is then computed. */
  readonly newshape: unknown
  /** The number of classes. */
  readonly numClasses: unknown
  /** The number of draws for each row. */
  readonly numSamples: unknown
  /** The number of segments. */
  readonly numSegments: unknown
  /** 0: the nearest element; 1: linear interpolation. */
  readonly order: unknown
  /** The predictions. */
  readonly output: unknown
  /** The number of steps of each output. */
  readonly outputLength: unknown
  /** The shape of the result. */
  readonly outputShape: unknown
  /** The extents of the result, for all axes or per axis. */
  readonly outputSize: unknown
  /** The elements before and after each axis: one number, a pair, or a pair for each axis. */
  readonly padWidth: unknown
  /** The axes before and after: 'b h w -> b (h w)'. */
  readonly pattern: unknown
  /** The kernel that mixes the channels. */
  readonly pointwiseKernel: unknown
  /** The window, for all axes or per axis. */
  readonly poolSize: unknown
  /** The scores of the classes. */
  readonly predictions: unknown
  /** The probabilities of success. */
  readonly probabilities: unknown
  /** The probabilities of the quantiles; for percentiles, from 0 to 100. */
  readonly q: unknown
  /** [batch, steps, heads, features]. */
  readonly query: unknown
  /** The probability with which an element becomes 0. */
  readonly rate: unknown
  /** The number of repetitions. */
  readonly repeats: unknown
  /** The scale along each axis. */
  readonly scale: unknown
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
  /** The extents: one number or one per axis. */
  readonly size: unknown
  /** [n], ascending. */
  readonly sortedSequence: unknown
  /** The axes that move. */
  readonly source: unknown
  /** The axes that are scaled. */
  readonly spatialDims: unknown
  /** The first value. */
  readonly start: unknown
  /** The first index along each axis. */
  readonly startIndices: unknown
  /** The corners before the transformation. */
  readonly startPoints: unknown
  /** The last value. */
  readonly stop: unknown
  /** The true values. */
  readonly target: unknown
  /** The number of labels of each target. */
  readonly targetLength: unknown
  /** The true classes, int32. */
  readonly targets: unknown
  /** The operand. */
  readonly tensor: unknown
  /** Elements above it stay. */
  readonly threshold: unknown
  /** The eight parameters of the transformation. */
  readonly transform: unknown
  /** The shift along each axis. */
  readonly translation: unknown
  /** The new elements. */
  readonly updates: unknown
  /** [batch, steps, heads, features]. */
  readonly value: unknown
  /** The values. */
  readonly values: unknown
  /** The variances. */
  readonly variance: unknown
  /** [batch, depth, height, width, channels], or one volume. */
  readonly volumes: unknown
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
}
