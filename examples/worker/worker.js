// Trains in a thread of its own, and reports to the page. Worker threads have no import map, so the library is imported by
// its address; a bundler would resolve 'myelin'.

import { Adam, Dense, Sequential, random, setRandomSeed } from '../../dist/index.js'
import { plotDecision } from '../../dist/plot.js'

const [POINTS, EPOCHS, EVERY] = [1000, 60, 3]

/** Two spirals, one for each class: points [count, 2] and labels. */
function spirals(count, seed) {
  const share = random.uniform([count], { seed }).data
  const noise = random.normal([count, 2], { stddev: 0.03, seed: seed + 1 }).data
  const y = Array.from({ length: count }, (_, i) => i % 2)
  const x = y.map((label, i) => {
    const [radius, angle] = [0.1 + 0.7 * share[i], 7 * share[i] + Math.PI * label]
    return [radius * Math.cos(angle) + noise[2 * i], radius * Math.sin(angle) + noise[2 * i + 1]]
  })
  return { x, y }
}

function compiled(...hidden) {
  const model = new Sequential([
    ...hidden.map((units) => new Dense({ units, activation: 'relu' })),
    new Dense({ units: 1, activation: 'sigmoid' }),
  ])
  model.compile({ optimizer: new Adam({ learningRate: 0.01 }), loss: 'binaryCrossentropy', metrics: ['accuracy'] })
  return model
}

addEventListener('message', async ({ data: { seed } }) => {
  const [train, test] = [spirals(POINTS, seed), spirals(POINTS, seed + 1000)]
  setRandomSeed(seed)
  const line = compiled()
  await line.fit(train.x, train.y, { epochs: 20, verbose: 0 })
  const baseline = (await line.evaluate(test.x, test.y, { verbose: 0 })).accuracy

  const model = compiled(32, 32)
  const report = {
    async onEpochEnd(epoch, { loss, accuracy }) {
      if ((epoch + 1) % EVERY > 0) return
      // The answers in the plane, as a picture.
      const { svg } = await plotDecision(model, train.x, {
        labels: train.y,
        columns: ['x', 'y'],
        resolution: 64,
        most: 300,
      })
      postMessage({ epoch: epoch + 1, epochs: EPOCHS, loss, accuracy, svg })
    },
  }
  await model.fit(train.x, train.y, { epochs: EPOCHS, batchSize: 50, callbacks: [report], verbose: 0 })
  const { accuracy } = await model.evaluate(test.x, test.y, { verbose: 0 })
  postMessage({ done: true, accuracy, baseline, count: test.y.length })
})
