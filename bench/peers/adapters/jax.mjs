// Adapter of jax-js: the network as plain functions, one jitted function per training step. See interface.mjs.
//
// Adam is written out inside the jitted step, so that loss, gradient and update are one compiled graph: the
// form that suits jax-js best. Every array that is used twice needs `.ref`: its functions consume their arguments.

let jax;

/** @type {import('./interface.mjs').Adapter} */
export default {
  title: 'jax-js',
  package: '@jax-js/jax',
  note:
    'No layers, no `fit`: a hand-written loop over batches made in advance, not shuffled, around one jitted step ' +
    '(loss, gradient, Adam), its loss read after each step. Backend wasm; without threads, because Node has no global Worker.',
  comparable: true,

  async load() {
    jax = await import('@jax-js/jax');
    const devices = await jax.init('wasm');
    if (!devices.includes('wasm')) throw new Error(`jax-js: expected the wasm backend, received ${devices}`);
    jax.defaultDevice('wasm');
  },

  build(network, data, batchSize) {
    const { numpy: np, nn, jit, tree, valueAndGrad } = jax;
    const { inputs } = network;
    const { rows } = data;
    const binary = network.loss === 'binaryCrossentropy';
    const outputs = network.layers.at(-1).units;
    const array = (values, shape) => np.array(Float32Array.from(values)).reshape(shape);

    // p [kernel, bias, kernel, bias, …], x [rows, inputs] → [rows, outputs], before the last activation
    function logits(p, x) {
      let h = x;
      network.layers.forEach((_, l) => {
        h = np.matmul(h, p[2 * l]).add(p[2 * l + 1]);
        if (l < network.layers.length - 1) h = nn.relu(h);
      });
      return h;
    }
    function loss(p, x, y) {
      const z = logits(p, x);
      return binary
        ? np.mean(nn.softplus(z.ref).sub(z.mul(y))) // log(1 + eᶻ) − z·y
        : np.mean(np.sum(nn.logSoftmax(z).mul(y), -1)).mul(-1); // y is one-hot
    }
    const lossAndGradient = valueAndGrad(loss);
    const step = jit((p, m, v, t, x, y) => {
      const [value, gradient] = lossAndGradient(tree.ref(p), x, y);
      const rate = np
        .sqrt(np.subtract(1, np.power(0.999, t.ref)))
        .div(np.subtract(1, np.power(0.9, t)))
        .mul(0.001);
      const next = p.map((w, k) => {
        const g = gradient[k];
        const mk = m[k].mul(0.9).add(g.ref.mul(0.1));
        const vk = v[k].mul(0.999).add(np.square(g).mul(0.001));
        const wk = w.sub(mk.ref.mul(rate.ref).div(np.sqrt(vk.ref).add(1e-7)));
        return [wk, mk, vk];
      });
      rate.dispose();
      return [next.map((n) => n[0]), next.map((n) => n[1]), next.map((n) => n[2]), value];
    });
    const forward = jit((p, x) => {
      const z = logits(p, x);
      return binary ? nn.sigmoid(z) : nn.softmax(z);
    });

    let fanIn = inputs;
    let p = network.layers.flatMap(({ units }, l) => {
      const pair = [array(network.weights[2 * l], [fanIn, units]), array(network.weights[2 * l + 1], [units])];
      fanIn = units;
      return pair;
    });
    let m = p.map((w) => np.zeros(w.shape));
    let v = p.map((w) => np.zeros(w.shape));
    let t = 0;

    const labels = binary ? data.y : Float32Array.from({ length: rows * outputs }, (_, i) =>
      Number(data.y[Math.floor(i / outputs)] === i % outputs),
    );
    const batches = Array.from({ length: rows / batchSize }, (_, b) => ({
      x: array(data.x.subarray(b * batchSize * inputs, (b + 1) * batchSize * inputs), [batchSize, inputs]),
      y: array(labels.subarray(b * batchSize * outputs, (b + 1) * batchSize * outputs), [batchSize, outputs]),
    }));

    function trainOnBatch(b) {
      let value;
      [p, m, v, value] = step(p, m, v, np.array(++t), batches[b].x.ref, batches[b].y.ref);
      // Reading the loss also submits the kernels of p, m and v. Without it they pile up and each step gets slower.
      return value.dataSync()[0];
    }

    return {
      fit(epochs) {
        for (let epoch = 0; epoch < epochs; epoch++) {
          for (let b = 0; b < batches.length; b++) trainOnBatch(b);
        }
      },
      trainOnBatch,
      predictRow(row) {
        const x = array(data.x.subarray(row * inputs, (row + 1) * inputs), [1, inputs]);
        return forward(tree.ref(p), x).dataSync()[0];
      },
      predictAll: () => forward(tree.ref(p), array(data.x, [rows, inputs])).dataSync(),
      dispose() {
        tree.dispose([p, m, v, batches]);
        step.dispose();
        forward.dispose();
      },
    };
  },
};
