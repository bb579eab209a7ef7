// A network as the bytes of an ONNX model: the few messages of onnx.proto that it needs, written by hand.
// adapters/onnxruntime.mjs runs it.

/** Messages are { field number: value or values }; the kind of the value determines its encoding. */
const integer = (value) => ({ wire: 0, bytes: varint(value) })
const float = (value) => ({ wire: 5, bytes: [...new Uint8Array(Float32Array.of(value).buffer)] })
const bytes = (content) => ({ wire: 2, bytes: [...varint(content.length), ...content] })
const text = (value) => bytes(new TextEncoder().encode(value))
const message = (fields) => bytes(encode(fields))

function varint(value) {
  const out = []
  let rest = BigInt.asUintN(64, BigInt(value))
  for (; rest > 127n; rest >>= 7n) out.push(Number(rest & 127n) | 128)
  return [...out, Number(rest)]
}

// Weights have too many bytes to be spread into arguments.
function encode(fields) {
  const out = []
  for (const [number, values] of Object.entries(fields)) {
    for (const { wire, bytes: content } of [values].flat()) {
      out.push(...varint(Number(number) * 8 + wire))
      for (const byte of content) out.push(byte)
    }
  }
  return out
}

// The values of onnx.proto3.
const TYPES = { float32: 1, int32: 6, int64: 7 }
const OPERATOR_SET = 17
const [ATTRIBUTE_FLOAT, ATTRIBUTE_INT, ATTRIBUTE_STRING, ATTRIBUTE_INTS] = [1, 2, 3, 7]

const tensor = (name, dims, data, type) =>
  message({
    1: dims.map(integer),
    2: integer(TYPES[type]),
    8: text(name),
    9: bytes(new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
  })

function attribute([name, value]) {
  const written = Array.isArray(value)
    ? { 8: value.map(integer), 20: integer(ATTRIBUTE_INTS) }
    : typeof value === 'string'
      ? { 4: text(value), 20: integer(ATTRIBUTE_STRING) }
      : name === 'epsilon'
        ? { 2: float(value), 20: integer(ATTRIBUTE_FLOAT) }
        : { 3: integer(value), 20: integer(ATTRIBUTE_INT) }
  return message({ 1: text(name), ...written })
}

/** The batch, with any number of rows, and known extents. */
const valueInfo = (name, sizes, type) => {
  const shape = message({ 1: [message({ 2: text('rows') }), ...sizes.map((size) => message({ 1: integer(size) }))] })
  return message({ 1: text(name), 2: message({ 1: message({ 1: integer(TYPES[type]), 2: shape }) }) })
}

/** The parts of a graph, gathered while layers are added. */
class Graph {
  nodes = []
  initializers = []
  #count = 0

  /** A constant. @returns {string} its name */
  constant(shape, data, type = 'float32') {
    const name = `c${this.#count++}`
    this.initializers.push(tensor(name, shape, data, type))
    return name
  }

  integers(...values) {
    return this.constant([values.length], BigInt64Array.from(values, BigInt), 'int64')
  }

  number(value) {
    return this.constant([], Float32Array.of(value))
  }

  /** An operator. @returns {string} the name of its output, or of the last one */
  node(operator, inputs, attributes = {}, outputs = 1) {
    const names = Array.from({ length: outputs }, () => `v${this.#count++}`)
    this.nodes.push(
      message({
        1: inputs.map(text),
        2: names.map(text),
        4: text(operator),
        5: Object.entries(attributes).map(attribute),
      }),
    )
    return names.at(-1)
  }
}

/** [rows, columns] → [columns, rows] */
function transposed({ shape, data }) {
  const columns = shape.at(-1)
  const rows = data.length / columns
  return Float32Array.from({ length: data.length }, (_, i) => data[(i % rows) * columns + Math.floor(i / rows)])
}

/** Reorders the gates, which are parts of the rows. */
function gates(data, order) {
  const size = data.length / order.length
  return Float32Array.from({ length: data.length }, (_, i) => data[order[Math.floor(i / size)] * size + (i % size)])
}

const joined = (...parts) => Float32Array.from(parts.flatMap((part) => [...part]))

const activations = {
  relu: (graph, x) => graph.node('Relu', [x]),
  sigmoid: (graph, x) => graph.node('Sigmoid', [x]),
  softmax: (graph, x) => graph.node('Softmax', [x], { axis: -1 }),
  // x/2 · (1 + erf(x / √2)): a pattern that onnxruntime recognizes.
  gelu(graph, x) {
    const erf = graph.node('Erf', [graph.node('Div', [x, graph.number(Math.SQRT2)])])
    return graph.node('Mul', [graph.node('Mul', [x, graph.node('Add', [erf, graph.number(1)])]), graph.number(0.5)])
  },
}

function activated(graph, x, { activation }) {
  return activation === undefined ? x : activations[activation](graph, x)
}

function convolution(graph, x, layer) {
  const [kernel, bias] = layer.weights
  const [height, width, inner, outer] = kernel.shape
  const isDepthwise = layer.layer === 'DepthwiseConv2D'
  const [filters, each] = isDepthwise ? [inner, 1] : [outer, inner]
  const weights = [
    graph.constant(
      [filters, each, height, width],
      isDepthwise ? transposed({ shape: [inner], data: kernel.data }) : transposedKernel(kernel),
    ),
  ]
  if (bias !== undefined) weights.push(graph.constant(bias.shape, bias.data))
  const attributes = {
    kernel_shape: [height, width],
    group: isDepthwise ? inner : 1,
    auto_pad: layer.padding === 'same' ? 'SAME_UPPER' : 'VALID',
  }
  return activated(graph, graph.node('Conv', [x, ...weights], attributes), layer)
}

/** [height, width, in, out] → [out, in, height, width] */
function transposedKernel({ shape: [height, width, inner, outer], data }) {
  const taps = height * width
  return Float32Array.from({ length: data.length }, (_, i) => {
    const [tap, c, f] = [i % taps, Math.floor(i / taps) % inner, Math.floor(i / (taps * inner))]
    return data[(tap * inner + c) * outer + f]
  })
}

/** Steps come first, directions second. From [kernel, recurrent kernel, biases] of each direction. */
function recurrent(graph, x, operator, layer, order, directions, attributes) {
  const {
    units,
    inputShape: [, features],
  } = layer
  const rows = order.length * units
  const stack = (make) => joined(...directions.map(make))
  const weights = [
    graph.constant(
      [directions.length, rows, features],
      stack(([kernel]) => gates(transposed(kernel), order)),
    ),
    graph.constant(
      [directions.length, rows, units],
      stack(([, kernel]) => gates(transposed(kernel), order)),
    ),
    graph.constant(
      [directions.length, 2 * rows],
      stack(([, , bias]) => {
        const size = bias.data.length / (bias.shape.length === 2 ? 2 : 1)
        const second = bias.shape.length === 2 ? bias.data.subarray(size) : new Float32Array(size)
        return joined(gates(bias.data.subarray(0, size), order), gates(second, order))
      }),
    ),
  ]
  const steps = graph.node('Transpose', [x], { perm: [1, 0, 2] })
  const all = { hidden_size: units, direction: directions.length === 2 ? 'bidirectional' : 'forward', ...attributes }
  if (layer.returnSequences) {
    const outputs = graph.node(operator, [steps, ...weights], all)
    return graph.node('Transpose', [graph.node('Squeeze', [outputs, graph.integers(1)])], { perm: [1, 0, 2] })
  }
  // Its second output: [directions, batch, units]
  const last = graph.node('Transpose', [graph.node(operator, [steps, ...weights], all, 2)], { perm: [1, 0, 2] })
  return graph.node('Flatten', [last])
}

const LSTM_ORDER = [0, 3, 1, 2]
const addMany = (graph, x, list) => list.reduce((value, layer) => layers[layer.layer](graph, value, layer), x)
const scaled = ({ shape, data }, factor) => ({ shape, data: data.map((value) => value * factor) })

/**
 * For each kind of layer: adds its operators, and returns the name of its output. Images are [batch, channels, height,
 * width].
 */
const layers = {
  Activation: activated,
  BatchNormalization: (graph, x, { weights }) =>
    graph.node('BatchNormalization', [x, ...weights.map(({ shape, data }) => graph.constant(shape, data))], {
      epsilon: 1e-3,
    }),
  BidirectionalLSTM: (graph, x, layer) =>
    recurrent(graph, x, 'LSTM', layer, LSTM_ORDER, [layer.weights.slice(0, 3), layer.weights.slice(3)]),
  Conv2D: convolution,
  Dense(graph, x, layer) {
    const [kernel, bias] = layer.weights.map(({ shape, data }) => graph.constant(shape, data))
    const sum =
      layer.inputShape.length === 1
        ? graph.node('Gemm', [x, kernel, bias])
        : graph.node('Add', [graph.node('MatMul', [x, kernel]), bias])
    return activated(graph, sum, layer)
  },
  DepthwiseConv2D: convolution,
  Embedding: (graph, x, { weights: [{ shape, data }] }) => graph.node('Gather', [graph.constant(shape, data), x]),
  // The weights of the next layer have their rows in the order height, width, channels.
  Flatten: (graph, x) => graph.node('Flatten', [graph.node('Transpose', [x], { perm: [0, 2, 3, 1] })]),
  GlobalAveragePooling1D: (graph, x) => graph.node('ReduceMean', [x], { axes: [1], keepdims: 0 }),
  GlobalAveragePooling2D: (graph, x) => graph.node('Flatten', [graph.node('GlobalAveragePool', [x])]),
  GRU: (graph, x, layer) => recurrent(graph, x, 'GRU', layer, [0, 1, 2], [layer.weights], { linear_before_reset: 1 }),
  // One operator in operator set 17.
  LayerNormalization: (graph, x, { weights }) =>
    graph.node('LayerNormalization', [x, ...weights.map(({ shape, data }) => graph.constant(shape, data))], {
      axis: -1,
      epsilon: 1e-3,
    }),
  LSTM: (graph, x, layer) => recurrent(graph, x, 'LSTM', layer, LSTM_ORDER, [layer.weights]),
  MaxPooling2D: (graph, x) => graph.node('MaxPool', [x], { kernel_shape: [2, 2], strides: [2, 2] }),
  MultiHeadAttention(graph, x, { numHeads, keyDim, isCausal, inputShape: [steps, features], weights }) {
    const width = numHeads * keyDim
    const project = (value, [kernel, bias], columns) =>
      graph.node('Add', [
        graph.node('MatMul', [value, graph.constant([kernel.data.length / columns, columns], kernel.data)]),
        graph.constant([columns], bias.data),
      ])
    const heads = (i, perm) => {
      // The queries include the scale of the scores.
      const parts = weights
        .slice(2 * i, 2 * i + 2)
        .map((weight) => (i === 0 ? scaled(weight, 1 / Math.sqrt(keyDim)) : weight))
      return graph.node(
        'Transpose',
        [graph.node('Reshape', [project(x, parts, width), graph.integers(0, steps, numHeads, keyDim)])],
        { perm },
      )
    }
    const [q, k, v] = [heads(0, [0, 2, 1, 3]), heads(1, [0, 2, 3, 1]), heads(2, [0, 2, 1, 3])]
    let scores = graph.node('MatMul', [q, k])
    if (isCausal) {
      const mask = Float32Array.from({ length: steps * steps }, (_, i) =>
        i % steps > Math.floor(i / steps) ? -1e9 : 0,
      )
      scores = graph.node('Add', [scores, graph.constant([steps, steps], mask)])
    }
    const y = graph.node('Transpose', [graph.node('MatMul', [graph.node('Softmax', [scores], { axis: -1 }), v])], {
      perm: [0, 2, 1, 3],
    })
    return project(graph.node('Reshape', [y, graph.integers(0, steps, width)]), weights.slice(6), features)
  },
  PositionEmbedding: (graph, x, { weights: [{ shape, data }] }) => graph.node('Add', [x, graph.constant(shape, data)]),
  Residual: (graph, x, { layers: inner }) => graph.node('Add', [x, addMany(graph, x, inner)]),
}

/**
 * x [rows, ...inputShape] → y [rows, ...outputShape].
 * @param {import('./dense.mjs').Network} network
 */
export function onnxModel({ inputShape, tokens, layers: list, outputShape }) {
  const graph = new Graph()
  const isImage = inputShape.length === 3
  const input = isImage ? graph.node('Transpose', ['x'], { perm: [0, 3, 1, 2] }) : 'x'
  const output = addMany(graph, input, list)
  graph.nodes.push(message({ 1: text(output), 2: text('y'), 4: text('Identity') }))
  const type = tokens === undefined ? 'float32' : 'int32'
  const content = message({
    1: graph.nodes,
    2: text('network'),
    5: graph.initializers,
    11: valueInfo('x', inputShape, type),
    12: valueInfo('y', outputShape, 'float32'),
  })
  return Uint8Array.from(encode({ 1: integer(8), 7: content, 8: message({ 1: text(''), 2: integer(OPERATOR_SET) }) }))
}
