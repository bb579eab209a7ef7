// Energy labels: their figures are those of independent computations, and the picture and the page show them.
// modes: simd
import { describe, expect, it } from 'vitest'
import { ArgumentError, DataError, Dense, GRU, Sequential, StateError, setRandomSeed, tensor } from '../../src'
import { Dataset } from '../../src/entries/data'
import { expectedCalibrationError, shapleyValues } from '../../src/entries/explain'
import { contributionBars } from '../../src/plot/attribution-bars'
import { wilson } from '../../src/plot/label-figures'
import { EnergyLabel } from '../../src/plot/energy-label'
import { EmissionsTracker, energyLabel, quantize } from '../../src/entries/thrift'
import { floats } from '../helpers/data'
import { all, checked, texts } from '../helpers/svg'

const NAMES = ['age', 'income', '<b> & "c"']

async function trained(units = 1, rows = 60) {
  setRandomSeed(1)
  const x = tensor([...floats([rows, 3], -1, 1, 5).data], [rows, 3])
  const y = Int32Array.from({ length: rows }, (_, i) => Number(x.data[3 * i]! + x.data[3 * i + 1]! > 0))
  const model = new Sequential([
    new Dense({ units: 8, activation: 'relu', inputShape: [3] }),
    new Dense({ units, activation: units === 1 ? 'sigmoid' : 'softmax' }),
  ])
  model.compile({ optimizer: 'adam', loss: 'crossentropy', metrics: ['accuracy'] })
  const history = await model.fit(x, y, { epochs: 15, verbose: 0, callbacks: [new EmissionsTracker()] })
  return { model, x, y, history }
}
const FAST = { seconds: 0.01 } as const

describe('wilson', () => {
  it('equals the intervals of SciPy', () => {
    // SciPy: binomtest(k, n).proportion_ci(method='wilson')
    const published: readonly (readonly [number, number, number, number])[] = [
      [74, 83, 0.806595, 0.941895],
      [0, 10, 0, 0.277533],
      [10, 10, 0.722467, 1],
      [1, 2, 0.094531, 0.905469],
    ]
    for (const [right, n, low, high] of published) {
      expect(wilson(right, n)[0]).toBeCloseTo(low, 5)
      expect(wilson(right, n)[1]).toBeCloseTo(high, 5)
    }
  })
})

describe('energyLabel', () => {
  it.each([1, 2])('has the figures of a classifier with %s outputs', async (units) => {
    const { model, x, y, history } = await trained(units)
    const label = await energyLabel(model, { x, y, training: history, names: NAMES, row: 2, ...FAST })
    expect(label).toBeInstanceOf(EnergyLabel)
    const { quality, calibrationError, answer, training, bytes, parameters, units: living, why, rows } = label.figures
    const accuracy = (await model.evaluate(x, y))['accuracy']!
    expect(rows).toBe(60)
    expect(quality).toEqual({
      name: 'accuracy',
      value: expect.closeTo(accuracy, 6) as number,
      interval: wilson(Math.round(60 * accuracy), 60),
    })
    const probabilities = await model.predict(x)
    expect(calibrationError).toBe(expectedCalibrationError(probabilities, y))
    expect(answer.seconds.value).toBeGreaterThan(0)
    expect(answer.joules.value).toBeGreaterThan(0)
    expect(training!.joules).toBe(history.reports.footprint!.joules)
    expect(bytes).toBe((await model.save(undefined, { includeOptimizer: false })).length)
    expect(parameters).toBe(model.countParams())
    expect(living!.all).toBe(8)
    // Exact Shapley values with all rows as the background that the label takes: 60 rows are 50 of them.
    const background = tensor(x.data.slice(0, 150) as Float32Array, [50, 3])
    const exact = await shapleyValues(model, tensor(x.data.slice(6, 9) as Float32Array, [1, 3]), { background })
    why!.contributions.forEach(({ name, value }, i) => {
      expect(name).toBe(NAMES[i])
      expect(value).toBeCloseTo(exact.attributions.data[i]!, 4)
    })
    const { root, descriptionText } = checked(label.svg)
    const shown = texts(root)
    expect(shown).toContain(`${(100 * accuracy).toFixed(1)} %`)
    expect(shown.join(' ')).toMatch(/accuracy, on 60 rows.* [\d.]+ … [\d.]+ % \(95 % interval\)/)
    expect(shown.join(' ')).toMatch(/estimated: CPU seconds × 12 W|measured: RAPL/)
    expect(descriptionText).toContain('What speaks for the answer')
    for (const name of NAMES) expect(descriptionText).toContain(name)
  })

  it('is a part of a page, with a table of figures and their sources', async () => {
    const { model, x, y, history } = await trained()
    const label = await energyLabel(model, { x, y, training: history, names: NAMES, ...FAST })
    const html = label.toHTML()
    expect(html).toMatch(/^[\0-\x7f]*$/)
    expect(html).toMatch(/^<figure .*<\/figure>$/s)
    expect(html).toContain(label.svg)
    const start = html.indexOf('<table')
    const rows = [...html.slice(start).matchAll(/<tr>/g)].length
    expect(rows).toBeGreaterThan(10)
    expect(html).toContain('<th scope="row">joules of training</th>')
    expect(html).not.toContain('<b>')
    expect(JSON.parse(JSON.stringify(label.figures))).toEqual(label.figures)
  })

  it('counts dead units, and names what removes them', async () => {
    const { model, x, y } = await trained()
    const [kernel, bias, ...rest] = model.getWeights()
    const dead = Float32Array.from(bias!.data as Float32Array, (each, i) => (i < 3 ? -100 : each))
    model.setWeights([kernel!, tensor(dead, [8]), ...rest])
    const { figures, svg } = await energyLabel(model, { x, y, ...FAST })
    expect(figures.units!.dead).toBeGreaterThanOrEqual(3)
    expect(texts(checked(svg).root).join(' ')).toContain(`${8 - figures.units!.dead} of 8`)
    expect(texts(checked(svg).root).join(' ')).toContain('prune')
  })

  it('takes a data set in place of x and y', async () => {
    const { model, x, y } = await trained()
    const { figures } = await energyLabel(model, { x: Dataset.fromTensorSlices([x, y]).batch(16), ...FAST })
    expect(figures.rows).toBe(60)
    expect(figures.quality).toEqual((await energyLabel(model, { x, y, ...FAST })).figures.quality)
  })

  it('shows the loss of a regression, and a dash for what there is not', async () => {
    const { x } = await trained()
    const y = Float32Array.from({ length: 60 }, (_, i) => 2 * x.data[3 * i]! + 0.3)
    const model = new Sequential([new Dense({ units: 1, inputShape: [3] })])
    await expect(energyLabel(model, { x, y, ...FAST })).rejects.toThrow(StateError)
    model.compile({ optimizer: 'sgd', loss: 'mse' })
    const { figures, svg } = await energyLabel(model, { x, y, ...FAST })
    expect(figures.quality).toEqual({ name: 'loss', value: expect.any(Number) as number, interval: null })
    expect([figures.calibrationError, figures.training, figures.units, figures.why]).toEqual([null, null, null, null])
    expect(texts(checked(svg).root).filter((text) => text === '–')).toHaveLength(3)
  })

  it('takes models of other kinds: int8, logits, recurrent ones', async () => {
    const { model, x, y } = await trained(2)
    const int8 = quantize(model)
    const label = await energyLabel(int8, { x, y, names: NAMES, ...FAST })
    expect(label.figures.bytes).toBe((await int8.save(undefined, { includeOptimizer: false })).length)
    checked(label.svg)
    const logits = new Sequential([new Dense({ units: 2, inputShape: [3], kernelInitializer: 'ones' })])
    const raw = await energyLabel(logits, { x: x, y, ...FAST })
    expect(raw.figures.quality.name).toBe('accuracy')
    expect(raw.figures.calibrationError).toBeNull()
    const steps = tensor([...floats([8, 4, 2], -1, 1, 3).data], [8, 4, 2])
    const recurrent = new Sequential([
      new GRU({ units: 3, inputShape: [4, 2] }),
      new Dense({ units: 1, activation: 'sigmoid' }),
    ])
    const turns = await energyLabel(recurrent, { x: steps, y: [0, 1, 0, 1, 0, 1, 0, 1], ...FAST })
    expect(turns.figures.units).toBeNull()
    await expect(
      energyLabel(recurrent, { x: steps, y: [0, 1, 0, 1, 0, 1, 0, 1], names: ['a', 'b'], ...FAST }),
    ).rejects.toThrow(/names are those of the features/)
  })

  it('refuses what it cannot show', async () => {
    const { model, x, y } = await trained()
    const history = await model.fit(x, y, { verbose: 0 })
    const wrong = (options: object) => energyLabel(model, { x, y, ...FAST, ...options } as never)
    await expect(wrong({ training: history })).rejects.toThrow(/new EmissionsTracker\(\)/)
    await expect(wrong({ training: history })).rejects.toThrow(ArgumentError)
    await expect(wrong({ names: ['a'] })).rejects.toThrow(/name for each of 3 features/)
    await expect(wrong({ names: NAMES, row: 60 })).rejects.toThrow(DataError)
    await expect(wrong({ colour: 1 })).rejects.toThrow(/colour/)
    await expect(energyLabel(5 as never, { x, y } as never)).rejects.toThrow(/needs a model/)
    await expect(wrong({ signal: AbortSignal.abort() })).rejects.toThrow(/abort/i)
  })

  it('cuts a title that is wider than the label, and keeps numbers of bars apart from names', async () => {
    const { model, x, y } = await trained()
    const title = 'An energy label with a title that is too long for its width by some words'
    const label = await energyLabel(model, { x, y, title, ...FAST })
    // The whole title is the tooltip of the cut one.
    const shown = texts(checked(label.svg).root)
      .find((text) => text.startsWith(title))!
      .slice(title.length)
    expect(shown).toMatch(/^An energy label.*…$/)
    // A bold character of 15 px is up to 9 px wide on average, and the margins are 16 px.
    expect(9 * shown.length).toBeLessThan(520 - 16)
    const bars = [0.0298, -0.000139].map((value, i) => ({ name: `feature ${i}`, value, isRest: false }))
    const { svg } = contributionBars(bars, { left: 0, top: 0, width: 520 })
    const places = [...svg.matchAll(/<text[^>]* x="([\d.]+)"[^>]*>([^<]+)</g)].map(
      ([, at, text]) => [Number(at), text!] as const,
    )
    const [[name], [number, digits]] = places.slice(2) as [[number, string], [number, string]]
    expect(digits).toBe('−0.000139')
    // A digit of 12 px is 7 px wide.
    expect(number - 7 * digits.length).toBeGreaterThan(name)
  })

  it('escapes names and is unique on a page', async () => {
    const { model, x, y } = await trained()
    const label = await energyLabel(model, { x, y, title: 'A <label>', names: NAMES, ...FAST })
    expect(label.title).toBe('A <label>')
    expect(all(checked(label.svg).root, 'title')[0]!.children).toEqual(['A <label>'])
  })
})
