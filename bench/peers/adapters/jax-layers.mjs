// The layers of networks.mjs as functions of jax-js. Every array that is used twice needs `.ref`: its functions consume their
// arguments. Images are [batch, channels, height, width].

const LAYOUTS = { Conv2D: [3, 2, 0, 1], DepthwiseConv2D: [2, 3, 0, 1] }

/**
 * @param {typeof import('@jax-js/jax')} jax
 * @param {import('../dense.mjs').Network} network
 * @returns {{ params: any[], states: any[], forward: (p: any[], x: any, training: boolean) => any }} p consumes its
 *   arrays, and so does x; without the last activation if it produces probabilities. Moving averages are read, not
 *   written.
 */
export function jaxNetwork({ numpy: np, lax, nn }, { layers, loss }) {
  const params = []
  const states = []
  const array = ({ shape, data }) => np.array(Float32Array.from(data)).reshape(shape)

  const activations = { relu: nn.relu, gelu: (x) => nn.gelu(x, { approximate: false }), sigmoid: nn.sigmoid }
  const activated = (x, { activation, isLast }) => (activation === undefined || isLast ? x : activations[activation](x))
  const ofChannels = (x) => x.reshape([1, -1, 1, 1])

  /** [batch, steps, features] → the last h, or all of them, with unrolled steps; there is no loop. */
  function unrolled(x, [kernel, bias], steps, step, { returnSequences }, backwards = false) {
    const parts = np.split(np.matmul(x, kernel).add(bias), steps, 1)
    if (backwards) parts.reverse()
    const outputs = parts.map((part) => step(part.reshape([part.shape[0], part.shape[2]]), returnSequences === true))
    return returnSequences ? np.stack(outputs, 1) : outputs.at(-1)
  }

  function lstm(x, [kernel, recurrentKernel, bias], layer, backwards) {
    const [steps] = layer.inputShape
    let [h, c] = [null, null]
    let count = 0
    const step = (projected, isKept) => {
      count++
      const isLast = count === steps
      const sum = h === null ? projected : projected.add(np.matmul(h, isLast ? recurrentKernel : recurrentKernel.ref))
      const [i, f, g, o] = np.split(sum, 4, -1)
      const fresh = nn.sigmoid(i).mul(np.tanh(g))
      c = c === null ? (f.dispose(), fresh) : nn.sigmoid(f).mul(c).add(fresh)
      h = nn.sigmoid(o).mul(np.tanh(isLast ? c : c.ref))
      return isKept && !isLast ? h.ref : h
    }
    return unrolled(x, [kernel, bias], steps, step, layer, backwards)
  }

  function gru(x, [kernel, recurrentKernel, bias], layer) {
    const [steps] = layer.inputShape
    const [inputBias, recurrentBias] = np.split(bias, 2, 0).map((row) => row.reshape([-1]))
    let h = null
    let count = 0
    const step = (projected) => {
      count++
      const isLast = count === steps
      const recurrent =
        h === null
          ? recurrentBias.ref
          : np
              .matmul(h.ref, isLast ? recurrentKernel : recurrentKernel.ref)
              .add(isLast ? recurrentBias : recurrentBias.ref)
      const [xz, xr, xh] = np.split(projected, 3, -1)
      const [hz, hr, hh] = np.split(recurrent, 3, -1)
      const z = nn.sigmoid(xz.add(hz))
      const made = np.tanh(xh.add(nn.sigmoid(xr.add(hr)).mul(hh)))
      h = h === null ? made.ref.sub(z.mul(made)) : made.ref.add(z.mul(h.sub(made)))
      return h
    }
    return unrolled(x, [kernel, inputBias], steps, step, layer)
  }

  const kinds = {
    Activation: (x, _, layer) => activated(x, layer),
    BatchNormalization(x, [gamma, beta], { training, states: [mean, variance] }) {
      const average = (values) => np.mean(values, [0, 2, 3], { keepdims: true })
      const μ = training ? average(x.ref) : ofChannels(mean.ref)
      const v = training ? average(np.square(x.ref.sub(μ.ref))) : ofChannels(variance.ref)
      return x
        .sub(μ)
        .mul(ofChannels(gamma).div(np.sqrt(v.add(1e-3))))
        .add(ofChannels(beta))
    },
    BidirectionalLSTM: (x, weights, layer) =>
      np.concatenate([lstm(x.ref, weights.slice(0, 3), layer), lstm(x, weights.slice(3), layer, true)], -1),
    Conv2D(x, [kernel, bias], layer) {
      const y = lax.conv(x, kernel, [1, 1], (layer.padding ?? 'valid').toUpperCase())
      return activated(bias === undefined ? y : y.add(ofChannels(bias)), layer)
    },
    Dense: (x, [kernel, bias], layer) => activated(np.matmul(x, kernel).add(bias), layer),
    DepthwiseConv2D: (x, [kernel], { inputShape }) =>
      lax.convGeneralDilated(x, kernel, [1, 1], 'SAME', { featureGroupCount: inputShape.at(-1) }),
    Embedding: (x, [table]) => np.take(table, x, 0),
    Flatten: (x) => np.transpose(x, [0, 2, 3, 1]).reshape([x.shape[0], -1]),
    GlobalAveragePooling1D: (x) => np.mean(x, 1),
    GlobalAveragePooling2D: (x) => np.mean(x, [2, 3]),
    GRU: gru,
    LayerNormalization: (x, [gamma, beta]) => nn.standardize(x, -1, { epsilon: 1e-3 }).mul(gamma).add(beta),
    LSTM: lstm,
    MaxPooling2D(x) {
      const [batch, channels, height, width] = x.shape
      const [h, w] = [height >> 1, width >> 1]
      return np.max(x.slice([], [], [0, 2 * h], [0, 2 * w]).reshape([batch, channels, h, 2, w, 2]), [3, 5])
    },
    MultiHeadAttention(x, weights, { numHeads, keyDim, isCausal }) {
      const [batch, steps, features] = x.shape
      const width = numHeads * keyDim
      const project = (value, i, columns) =>
        np.matmul(value, weights[2 * i].reshape([-1, columns])).add(weights[2 * i + 1].reshape([-1]))
      const heads = (value, i, perm) =>
        np.transpose(project(value, i, width).reshape([batch, steps, numHeads, keyDim]), perm)
      const [q, k, v] = [heads(x.ref, 0, [0, 2, 1, 3]), heads(x.ref, 1, [0, 2, 3, 1]), heads(x, 2, [0, 2, 1, 3])]
      let scores = np.matmul(q, k).mul(1 / Math.sqrt(keyDim))
      if (isCausal)
        scores = scores.add(
          np
            .array(
              Float32Array.from({ length: steps * steps }, (_, i) => (i % steps > Math.floor(i / steps) ? -1e9 : 0)),
            )
            .reshape([steps, steps]),
        )
      const y = np.transpose(np.matmul(nn.softmax(scores, -1), v), [0, 2, 1, 3]).reshape([batch, steps, width])
      return project(y, 3, features)
    },
    PositionEmbedding: (x, [table]) => x.add(table),
  }

  /** @returns a function (p, x, training) → the output of the layers, which takes its weights from the front of p */
  function chained(list, isLastOf) {
    const steps = list.map((layer, l) => {
      if (layer.layer === 'Residual') {
        const inner = chained(layer.layers, () => false)
        return (p, x, training) => x.ref.add(inner(p, x, training))
      }
      const { layer: kind, weights } = layer
      const count = kind === 'BatchNormalization' ? 2 : weights.length
      const arrays = weights.map((weight) =>
        LAYOUTS[kind] && weight.shape.length === 4 ? np.transpose(array(weight), LAYOUTS[kind]) : array(weight),
      )
      params.push(...arrays.slice(0, count))
      states.push(...arrays.slice(count))
      const options = { ...layer, isLast: isLastOf(l), states: arrays.slice(count) }
      return (p, x, training) => kinds[kind](x, p.splice(0, count), { ...options, training })
    })
    return (p, x, training) => steps.reduce((value, step) => step(p, value, training), x)
  }

  const forward = chained(layers, (l) => loss !== 'mse' && l === layers.length - 1)
  return { params, states, forward: (p, x, training) => forward([...p], x, training) }
}
