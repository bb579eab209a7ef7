// A custom layer, loss and metric, written with ops, without any gradient code. At the end, the gradient of a plain
// function, without a model.
//
// Baseline: predicting the mean, which is too low for half of the rows. Result: too low for a quarter, as the loss demands, and
// the gates of useless features are the most closed. Run it after `npm run build` with `node examples/custom`.

import { Adam, Dense, Layer, Sequential, StopOnInterrupt, grad, ops, random, setRandomSeed, valueAndGrad } from 'myelin'
import { plotHistory } from 'myelin/plot'
import { claim, savePicture } from '../shared/report.js'

// A layer: build makes the weights when the shape of the input is known; call computes the output. Multiplies each
// feature by a learned gate between 0 and 1, so that useless features can be closed.
class FeatureGate extends Layer {
  static className = 'FeatureGate' // the name in saved files, which stays when a minifier renames the class

  build(inputShape) {
    this.gate = this.addWeight({ name: 'gate', shape: [inputShape.at(-1)], initializer: 'zeros' })
  }

  call(x) {
    return ops.multiply(x, ops.sigmoid(this.gate))
  }
}

// A loss: one value per sample. Being too low costs three times as much as being too high (quantile ¾).
function lowIsWorse(yTrue, yPred) {
  const missing = ops.subtract(yTrue, yPred)
  return ops.mean(ops.maximum(ops.multiply(missing, 0.75), ops.multiply(missing, -0.25)), { axis: -1 })
}

// A metric: also one value per sample; the reported number is their mean.
function tooLow(yTrue, yPred) {
  return ops.cast(ops.less(yPred, yTrue), 'float32')
}

// y = 2·x₀ − x₁ + noise; x₂ and x₃ have no influence.
setRandomSeed(7)
const x = random.normal([512, 4])
const noise = random.normal([512, 1], { stddev: 0.3 })
const y = ops.add(ops.matmul(x, [[2], [-1], [0], [0]]), noise)

const gate = new FeatureGate()
const model = new Sequential([gate, new Dense({ units: 1 })])
model.compile({ optimizer: new Adam({ learningRate: 0.03 }), loss: lowIsWorse, metrics: [tooLow] })
const history = await model.fit(x, y, { epochs: 60, verbose: 2, callbacks: [new StopOnInterrupt()] })

const { loss, tooLow: share } = await model.evaluate(x, y)
const [opened] = gate.getWeights().map((weight) => Array.from(ops.sigmoid(weight).data, (open) => open.toFixed(2)))
console.log(`loss ${loss.toFixed(3)}, predictions that are too low: ${(100 * share).toFixed(0)} % (target: 25 %)`)
console.log(`gates: ${opened.join(', ')}`)

// The gradient of a plain function, and the value of the function as well. Gradients can be nested.
const bowl = (x) => ops.sum(ops.square(ops.subtract(x, [3, -1])))
const [value, slope] = valueAndGrad(bowl)([0, 0])
console.log(`\nbowl(0, 0) = ${value.item()}, its gradient is [${slope.data.join(', ')}]`)

const cube = (x) => ops.power(x, 3)
console.log(
  `x³ at 2: first derivative ${grad(cube)(2).item().toFixed(3)}, second ${grad(grad(cube))(2).item().toFixed(3)}`,
)

// Gradient descent by hand.
let point = ops.zeros([2])
for (let step = 0; step < 50; step++) point = ops.subtract(point, ops.multiply(grad(bowl)(point), 0.1))
console.log(`50 steps downhill end at [${Array.from(point.data, (each) => each.toFixed(3)).join(', ')}]`)

await savePicture('custom', plotHistory(history, { title: 'The custom loss and metric' }))
claim({
  'about a quarter of the predictions are too low': Math.abs(share - 0.25) <= 0.05,
  'the descent ends at [3, −1]': Math.abs(point.data[0] - 3) <= 0.01 && Math.abs(point.data[1] + 1) <= 0.01,
})
