// Forecasts tomorrow's births in the United States from the last four weeks and the calendar, with a GRU.
//
// Baselines: as yesterday, as a week ago, as 52 weeks ago. Result: 252 births of mean absolute error, 71 % of that
// of the best of these, in 8 s.
// Run it after `npm run build` with `node examples/forecast`.

import { readFileSync } from 'node:fs'
import { Adam, Dense, EarlyStopping, GRU, Sequential, setRandomSeed } from 'myelin'
import { plotHistory } from 'myelin/plot'
import { claim, printTable, readOptions, savePicture, stopwatch } from '../shared/report.js'

const STEPS = 28
const { seed } = readOptions({ seed: 1 })
/** The largest allowed error, relative to that of the best naive forecast. */
const MOST_OF_BASELINE = 0.8

// 1. The days, in three parts by time: for training, for early stopping, for testing.
const [, ...lines] = readFileSync(new URL('../data/births.csv', import.meta.url), 'utf8')
  .trim()
  .split('\n')
const days = lines.map((line) => {
  const [date, births] = line.split(',')
  return { date, births: Number(births), weekday: new Date(date).getUTCDay() }
})
const startOf = (year) => days.findIndex(({ date }) => date.startsWith(year))
const [validationStart, testStart] = [startOf('2011'), startOf('2012')]

// 2. Births in standard deviations from the mean, both computed from the training days.
const known = days.slice(0, validationStart)
const mean = known.reduce((sum, { births }) => sum + births, 0) / known.length
const deviation = Math.sqrt(known.reduce((sum, { births }) => sum + (births - mean) ** 2, 0) / known.length)
const scaled = days.map(({ births }) => (births - mean) / deviation)

// 3. The inputs for day i: the births of the day before, and the position of day i in the week, the year and the month.
const oneHot = (index, size) => Array.from({ length: size }, (_, i) => Number(i === index))
const features = days.map(({ date, weekday }, i) => [
  scaled[i - 1] ?? 0,
  ...oneHot(weekday, 7),
  ...oneHot(Number(date.slice(5, 7)) - 1, 12),
  ...oneHot(Number(date.slice(8)) - 1, 31),
])
const FEATURES = features[0].length

/** For each day of a part: its row and the rows before it, STEPS in all, and its births. */
function part(start, end) {
  const x = new Float32Array((end - start) * STEPS * FEATURES)
  for (let i = start; i < end; i++) x.set(features.slice(i - STEPS + 1, i + 1).flat(), (i - start) * STEPS * FEATURES)
  return { x: { data: x, shape: [end - start, STEPS, FEATURES] }, y: scaled.slice(start, end) }
}
const train = part(STEPS, validationStart)
const validation = part(validationStart, testStart)
const test = part(testStart, days.length)

// 4. The model.
setRandomSeed(seed)
const model = new Sequential([new GRU({ units: 32, inputShape: [STEPS, FEATURES] }), new Dense({ units: 1 })])
model.compile({ optimizer: new Adam({ learningRate: 0.003 }), loss: 'huber', metrics: ['mae'] })
model.summary()
console.log()

const seconds = stopwatch()
const stopping = new EarlyStopping({ patience: 5, restoreBestWeights: true })
await model.fit(train.x, train.y, {
  epochs: 28,
  validationData: [validation.x, validation.y],
  callbacks: [stopping],
  verbose: 2,
})
console.log(`Trained in ${seconds().toFixed(1)} s; the best epoch was ${stopping.bestEpoch + 1}`)

// 5. The errors of the forecasts for three years, and of naive forecasts.
const forecasts = (await model.predict(test.x)).data.map((each) => mean + deviation * each)
const errorOf = (forecast) => {
  const errors = days.slice(testStart).map(({ births }, i) => Math.abs(births - forecast(testStart + i)))
  return errors.reduce((sum, error) => sum + error, 0) / errors.length
}
const daysAgo = (count) => errorOf((i) => days[i - count].births)
const error = errorOf((i) => forecasts[i - testStart])
const naive = [
  ['as yesterday', daysAgo(1)],
  ['as a week ago', daysAgo(7)],
  ['as 52 weeks ago', daysAgo(364)],
]

console.log(`\nOf the ${test.y.length} held-out days, the week of Thanksgiving 2014`)
for (let i = startOf('2014-11-24'); i < startOf('2014-12-01'); i++) {
  const { date, births } = days[i]
  console.log(
    `  ${date}   forecast ${forecasts[i - testStart].toFixed(0).padStart(5)}   born ${String(births).padStart(5)}`,
  )
}
console.log('\nMean absolute error, in births')
printTable([...naive, ['GRU', error]].map(([name, each]) => [name, each.toFixed(0)]))
const last = startOf('2014-10')
await savePicture(
  'forecast',
  plotHistory(
    { births: days.slice(last).map(({ births }) => births), valBirths: [...forecasts.subarray(last - testStart)] },
    { title: 'The last three months, and their forecasts ("validation")', xLabel: 'day' },
  ),
)
const least = Math.min(...naive.map(([, each]) => each))
claim({
  [`the error is at most ${100 * MOST_OF_BASELINE} % of that of the best naive forecast`]:
    error <= MOST_OF_BASELINE * least,
})
