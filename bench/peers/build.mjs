// Makes a myelin model of a network of networks.mjs: for the adapter here, and for bench/layers.mjs.

/**
 * @param {typeof import('../../dist/index.js')} myelin  the built package
 * @param {ReturnType<typeof import('./networks.mjs').prepared>['network']} network
 * @param {{ layers?: Record<string, (options: object) => any> }} [custom]  other constructors of some layers
 */
export function myelinModel(myelin, { inputShape, tokens, layers }, { layers: custom = {} } = {}) {
  const { Bidirectional, Input, LSTM, Model, ops, tensor } = myelin
  const make = {
    BidirectionalLSTM: ({ units }) => new Bidirectional({ layer: new LSTM({ units }) }),
    ...custom,
  }
  const apply = (x, list) =>
    list.reduce(
      (value, { layer: name, layers: inner, inputShape: _, outputShape: __, weights, isCausal, ...options }) => {
        if (name === 'Residual') return ops.add(value, apply(value, inner))
        const layer = make[name]?.(options) ?? new myelin[name](options)
        const result = isCausal === true ? layer.apply(value, { useCausalMask: true }) : layer.apply(value)
        layer.weights.forEach((variable, k) => variable.assign(tensor(weights[k].data, weights[k].shape)))
        return name === 'PositionEmbedding' ? ops.add(value, result) : result
      },
      x,
    )
  const inputs = Input({ shape: inputShape, ...(tokens !== undefined && { dtype: 'int32' }) })
  return new Model({ inputs, outputs: apply(inputs, layers) })
}

/** Its batch. */
export function myelinData({ tensor }, { inputShape, tokens }, { rows, x, y, targetShape }) {
  const isClass = y instanceof Int32Array
  return {
    x: tensor(x, [rows, ...inputShape], ...(tokens !== undefined ? ['int32'] : [])),
    y: tensor(y, [rows, ...targetShape], ...(isClass ? ['int32'] : [])),
  }
}
