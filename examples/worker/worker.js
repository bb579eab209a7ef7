// Trains in a worker thread, and reports to the page. Worker threads have no import map, so the library is imported by
// its address; a bundler would resolve 'myelin'.

import { Homeostat } from '../../dist/balance.js'
import { Adam, Dense, Sequential, random, setRandomSeed } from '../../dist/index.js'
import { plotDecision } from '../../dist/plot.js'

const [POINTS, EPOCHS, EVERY] = [1000, 60, 3]
/** The spirals turn to the left, and then to the right: the data change in the middle of the training. */
const TURNS = [1, -1]

/** Two spirals, one for each class: points [count, 2] and labels. */
function spirals(count, seed, turn = TURNS[0]) {
  const share = random.uniform([count], { seed }).data
  const noise = random.normal([count, 2], { stddev: 0.03, seed: seed + 1 }).data
  const y = Array.from({ length: count }, (_, i) => i % 2)
  const x = y.map((label, i) => {
    const [radius, angle] = [0.1 + 0.7 * share[i], 7 * share[i] + Math.PI * label]
    return [radius * Math.cos(angle) + noise[2 * i], turn * radius * Math.sin(angle) + noise[2 * i + 1]]
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
  setRandomSeed(seed)
  const [points, others] = [spirals(POINTS, seed), spirals(POINTS, seed + 1000)]
  const line = compiled()
  await line.fit(points.x, points.y, { epochs: 20, verbose: 0 })
  const baseline = (await line.evaluate(others.x, others.y, { verbose: 0 })).accuracy

  const model = compiled(32, 32)
  const homeostat = new Homeostat()
  let accuracy = 0
  for (const [phase, turn] of TURNS.entries()) {
    const [train, test] = [spirals(POINTS, seed, turn), spirals(POINTS, seed + 1000, turn)]
    const report = {
      async onEpochEnd(epoch, logs) {
        if ((epoch + 1) % EVERY > 0) return
        // The answers in the plane, as a picture.
        const { svg } = await plotDecision(model, train.x, {
          labels: train.y,
          columns: ['x', 'y'],
          resolution: 64,
          most: 300,
        })
        const done = phase * EPOCHS + epoch + 1
        postMessage({
          epoch: done,
          epochs: TURNS.length * EPOCHS,
          loss: logs.loss,
          accuracy: logs.accuracy,
          svg,
          ...kept(),
        })
      },
    }
    await model.fit(train.x, train.y, { epochs: EPOCHS, batchSize: 50, callbacks: [homeostat, report], verbose: 0 })
    ;({ accuracy } = await model.evaluate(test.x, test.y, { verbose: 0 }))
  }

  /** How often each unit was renewed, by layer, and the log. */
  function kept() {
    const units = model.layers.slice(0, -1).map(({ name, units: count }) => {
      const acts = homeostat.log.filter(({ act, layer }) => act === 'renew' && layer === name)
      return Array.from({ length: count }, (_, unit) => acts.filter((each) => each.units.includes(unit)).length)
    })
    return { units, log: String(homeostat) }
  }

  postMessage({ done: true, accuracy, baseline, count: POINTS, ...kept() })
})
