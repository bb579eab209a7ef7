// A dense network as the bytes of an ONNX model: the few messages of onnx.proto that it needs, written by hand.
// Reads nothing and runs nothing: see adapters/onnxruntime.mjs.

/** Messages are { field number: value or values }; the value's kind decides how it is written. */
const integer = (value) => ({ wire: 0, bytes: varint(value) });
const bytes = (content) => ({ wire: 2, bytes: [...varint(content.length), ...content] });
const text = (value) => bytes(new TextEncoder().encode(value));
const message = (fields) => bytes(encode(fields));

function varint(value) {
  const out = [];
  for (; value > 127; value = Math.floor(value / 128)) out.push((value % 128) | 128);
  return [...out, value];
}

function encode(fields) {
  return Object.entries(fields).flatMap(([number, values]) =>
    [values].flat().flatMap(({ wire, bytes: content }) => [...varint(Number(number) * 8 + wire), ...content]),
  );
}

// The numbers are those of onnx.proto3.
const FLOAT = integer(1);
const tensor = (name, dims, data) =>
  message({ 1: dims.map(integer), 2: FLOAT, 8: text(name), 9: bytes(new Uint8Array(data.buffer, data.byteOffset, data.byteLength)) });
const node = (op, inputs, output) => message({ 1: inputs.map(text), 2: text(output), 4: text(op) });
/** [rows, columns] with any number of rows */
const valueInfo = (name, columns) => {
  const shape = message({ 1: [message({ 2: text('rows') }), message({ 1: integer(columns) })] });
  return message({ 1: text(name), 2: message({ 1: message({ 1: FLOAT, 2: shape }) }) });
};

const OPERATORS = { relu: 'Relu', sigmoid: 'Sigmoid', softmax: 'Softmax' };

/**
 * x [rows, inputs] → y [rows, outputs]; for each layer a Gemm and its activation.
 * @param {import('./cases.mjs').Network} network
 */
export function onnxModel({ inputs, layers, weights }) {
  const nodes = [];
  const initializers = [];
  let [value, columns] = ['x', inputs];
  layers.forEach(({ units, activation }, l) => {
    initializers.push(tensor(`kernel${l}`, [columns, units], weights[2 * l]), tensor(`bias${l}`, [units], weights[2 * l + 1]));
    nodes.push(node('Gemm', [value, `kernel${l}`, `bias${l}`], `z${l}`));
    const output = l === layers.length - 1 ? 'y' : `h${l}`;
    // Softmax is along the last axis, its default since operator set 13.
    nodes.push(node(OPERATORS[activation], [`z${l}`], output));
    [value, columns] = [output, units];
  });
  const graph = message({ 1: nodes, 2: text('dense'), 5: initializers, 11: valueInfo('x', inputs), 12: valueInfo('y', columns) });
  return Uint8Array.from(encode({ 1: integer(8), 7: graph, 8: message({ 1: text(''), 2: integer(13) }) }));
}
