// Pictures of training: they are well formed, show numbers where they belong, and refuse data without a picture.
// modes: simd
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import {
  Add,
  ArgumentError,
  DataError,
  Dense,
  Input,
  Model,
  Sequential,
  ShapeError,
  StateError,
  metrics,
  setRandomSeed,
  tensor,
} from '../../src'
import { UnitHealth } from '../../src/entries/balance'
import { reliabilityDiagram } from '../../src/entries/explain'
import {
  Picture,
  plotAttributions,
  plotConfusionMatrix,
  plotDecision,
  plotHealth,
  plotHistory,
  plotImages,
  plotModel,
  plotProjection,
  plotReliability,
  plotRoc,
} from '../../src/entries/plot'
import { ledger } from '../../src/entries/thrift'
import { all, checked, pixelsOf, texts, type Node } from '../helpers/svg'

/** The points of a path of straight lines. */
function pointsOf({ attributes }: Node): (readonly [x: number, y: number])[] {
  return Array.from(
    attributes['d']!.matchAll(/[ML](-?[\d.]+) (-?[\d.]+)/g),
    ([, x, y]) => [Number(x), Number(y)] as const,
  )
}
const ofClass = (root: Node, name: string, colour: string): Node[] =>
  all(root, name).filter(({ attributes }) => attributes['class'] === colour)
/** The place of a tick along an axis, by its number. */
function tick(root: Node, text: string, anchor: 'middle' | 'end'): number {
  const found = all(root, 'text').findLast(
    (each) => each.children[0] === text && each.attributes['text-anchor'] === anchor,
  )!
  return anchor === 'middle' ? Number(found.attributes['x']) : Number(found.attributes['y']) - 4
}

describe('Picture', () => {
  const picture = plotHistory({ loss: [2, 1] }, { title: 'A − <run>' })

  it('is its SVG as a text, also in templates', () => {
    expect(picture).toBeInstanceOf(Picture)
    expect(`${picture}`).toBe(picture.svg)
    expect(picture.title).toBe('A − <run>')
    expect(checked(picture.svg).descriptionText).toBe(picture.description)
    expect(inspect(picture)).toBe(`Picture: A − <run>\n${picture.description}`)
  })

  it('displays itself in notebooks', () => {
    const display: unknown = Reflect.get(picture, Symbol.for('Jupyter.display'))
    expect((display as () => unknown).call(picture)).toEqual({
      'image/svg+xml': picture.svg,
      'text/plain': `A − <run>. ${picture.description}`,
    })
  })

  it('is saved as a file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'plot-'))
    try {
      await picture.save(join(folder, 'a.svg'))
      expect(readFileSync(join(folder, 'a.svg'), 'utf8')).toBe(picture.svg)
      await expect(picture.save(join(folder, 'none', 'a.svg'))).rejects.toThrow(StateError)
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})

describe('plotHistory', () => {
  it('places numbers by the ticks of both axes', () => {
    const { root } = checked(plotHistory({ loss: [4, 1, 2] }).svg)
    const [curve] = ofClass(root, 'path', 'line0')
    const points = pointsOf(curve!)
    expect(points.map(([x]) => x)).toEqual([1, 2, 3].map((epoch) => tick(root, String(epoch), 'middle')))
    const [one, two, four] = ['1', '2', '4'].map((text) => tick(root, text, 'end'))
    points.forEach(([, y], i) => expect(y).toBeCloseTo([four!, one!, two!][i]!, 1))
  })

  it('draws a panel for each metric, and validation in a second colour', async () => {
    setRandomSeed(1)
    const model = new Sequential([new Dense({ units: 1, inputShape: [2] })])
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError', metrics: ['meanAbsoluteError'] })
    const data = [
      [1, 2],
      [3, 4],
      [5, 6],
      [7, 8],
    ]
    const history = await model.fit(data, [1, 2, 3, 4], { epochs: 3, validationSplit: 0.5, verbose: 0 })
    const picture = plotHistory(history)
    const { root } = checked(picture.svg)
    expect(texts(root)).toEqual(expect.arrayContaining(['loss', 'meanAbsoluteError', 'training', 'validation']))
    // A key of the legend and two curves in each colour.
    expect([ofClass(root, 'path', 'line0').length, ofClass(root, 'path', 'line1').length]).toEqual([3, 3])
    expect(picture.description).toContain('validation loss: epoch 1 ')
    expect(plotHistory(history.history).svg).toBe(picture.svg)
    const { root: one } = checked(plotHistory(history, { names: ['loss'] }).svg)
    expect(texts(one)).not.toContain('meanAbsoluteError')
  })

  it('places a validation that runs every second epoch at its epochs, and Keras names as well', () => {
    const { root } = checked(plotHistory({ loss: [4, 3, 2, 1], val_loss: [3, 2] }).svg)
    const curve = ofClass(root, 'path', 'line1').at(-1)!
    expect(pointsOf(curve).map(([x]) => x)).toEqual([tick(root, '2', 'middle'), tick(root, '4', 'middle')])
  })

  it('begins at the epoch of a run that continues', () => {
    const { description } = plotHistory({ history: { loss: [2, 1] }, epoch: [5, 6] })
    expect(description).toBe('loss: epoch 6 2, epoch 7 1.')
  })

  it('names the x axis of other lists of numbers', () => {
    const { svg, description } = plotHistory({ reward: [3, 4] }, { xLabel: 'updates' })
    expect(description).toBe('reward: updates 1 3, updates 2 4.')
    expect(svg).toContain('>updates</text>')
    expect(svg).not.toContain('epoch')
  })

  it('leaves gaps, and marks a number between two gaps', () => {
    const picture = plotHistory({ loss: [1, 2, NaN, 3, Infinity, 2, 1] })
    const { root } = checked(picture.svg.replaceAll('missing', ''))
    expect(ofClass(root, 'path', 'line0').map((each) => pointsOf(each).length)).toEqual([2, 2])
    expect(ofClass(root, 'circle', 'fill0')).toHaveLength(1)
    expect(picture.description).toContain('epoch 3 missing')
  })

  it('thins 100,000 numbers, and keeps a peak', () => {
    const loss = Float64Array.from({ length: 100_000 }, (_, i) => Math.sin(i / 9000))
    loss[54_321] = 40
    const { svg } = plotHistory({ loss })
    const { root } = checked(svg)
    const ys = pointsOf(ofClass(root, 'path', 'line0')[0]!).map(([, y]) => y)
    expect(ys.length).toBeLessThan(3000)
    expect(svg.length).toBeLessThan(60_000)
    expect(Math.min(...ys)).toBeCloseTo(tick(root, '40', 'end'), 1)
  })

  it('writes small and large numbers of ticks in little room', () => {
    const ticks = (loss: number[]) => texts(checked(plotHistory({ loss }).svg).root)
    expect(ticks([0, 1e-5])).toEqual(expect.arrayContaining(['5e−6', '1e−5']))
    expect(ticks([0, 3e-4])).toContain('0.0002')
    expect(ticks([10_000, 10_400])).toContain('10200')
    expect(ticks([0, 3e7])).toContain('20000000')
  })

  it('has a logarithmic axis', () => {
    const { root } = checked(plotHistory({ loss: [1000, 10, 0.1] }, { log: true }).svg)
    const [first, second, third] = pointsOf(ofClass(root, 'path', 'line0')[0]!).map(([, y]) => y)
    expect(second! - first!).toBeCloseTo(third! - second!, 1)
    checked(plotHistory({ loss: [0, -1] }, { log: true }).svg)
  })

  it.each([
    [[5, 5, 5]],
    [[0]],
    [[1e-300, 2e-300]],
    [[-1.7e308, 1.7e308]],
    [[1e16, 1e16 + 2]],
    [[NaN, NaN]],
    [[Number.MAX_VALUE, Number.MAX_VALUE]],
  ])('draws %j', (loss) => {
    checked(plotHistory({ loss }).svg)
    checked(plotHistory({ loss }, { log: true }).svg)
  })

  it('refuses values that are not a history', () => {
    expect(() => plotHistory({})).toThrow(DataError)
    expect(() => plotHistory({ loss: [] })).toThrow('the history is empty')
    expect(() => plotHistory(null as never)).toThrow(ArgumentError)
    expect(() => plotHistory({ loss: 3 } as never)).toThrow('loss must be a list of numbers')
    expect(() => plotHistory({ loss: [1] }, { names: ['acuracy'] })).toThrow("has no 'acuracy'. It has: loss")
    expect(() => plotHistory({ loss: [1] }, { titel: 'a' } as never)).toThrow("Did you mean 'title'?")
    expect(() => plotHistory({ loss: [1] }, { width: 0 })).toThrow(ArgumentError)
  })
})

describe('plotConfusionMatrix', () => {
  it('colours right answers and errors by their share of the row', () => {
    const picture = plotConfusionMatrix(
      [
        [3, 1],
        [0, 4],
      ],
      { names: ['no', 'yes'] },
    )
    const { root } = checked(picture.svg)
    const opacity = (colour: string) =>
      ofClass(root, 'rect', colour).map((each) => Number(each.attributes['fill-opacity']))
    expect(opacity('fill0')).toEqual([0.47, 0.6])
    expect(opacity('fill1')).toEqual([0.21])
    expect(picture.description).toBe('88 % are right. no: 3 as no, 1 as yes; yes: 4 as yes.')
    const x = (colour: string) => ofClass(root, 'rect', colour).map((each) => Number(each.attributes['x']))
    expect(x('fill1')[0]).toBe(x('fill0')[1])
  })

  it('draws the result of the metric, many classes, and a matrix of zeros', () => {
    const metric = new metrics.ConfusionMatrix({ numClasses: 3, normalize: 'true' })
    metric.updateState(
      tensor([0, 1, 1, 2]),
      tensor([
        [1, 0, 0],
        [0, 1, 0],
        [1, 0, 0],
        [0, 0, 1],
      ]),
    )
    const { root } = checked(plotConfusionMatrix(metric.result()).svg)
    expect(texts(root).filter((text) => text === '50 %')).toHaveLength(2)
    const many = Array.from({ length: 120 }, (_, i) => Array.from({ length: 120 }, (_each, j) => Number(i === j)))
    checked(plotConfusionMatrix(many).svg)
    expect(plotConfusionMatrix([[0]]).description).toBe('no samples. 0: no samples.')
  })

  it('refuses values that are not a confusion matrix', () => {
    expect(() => plotConfusionMatrix([[1, 2]])).toThrow(ShapeError)
    expect(() => plotConfusionMatrix([[-1]])).toThrow(DataError)
    expect(() => plotConfusionMatrix([[NaN]])).toThrow('received NaN in row 0')
    expect(() => plotConfusionMatrix([[1]], { names: ['a', 'b'] })).toThrow(ArgumentError)
  })
})

describe('plotRoc', () => {
  it('has the area of the pairs in the right order', () => {
    // Of 3 · 2 pairs, 4 are in order, and one is equal.
    const picture = plotRoc([0.9, 0.4, 0.6, 0.1, 0.6], [1, 1, 0, 0, 1])
    checked(picture.svg)
    expect(picture.description).toContain('class 1: area 0.75.')
    expect(plotRoc([0.1, 0.9], [0, 1]).description).toContain('area 1.')
    expect(plotRoc([0.5, 0.5], [0, 1]).description).toContain('area 0.5.')
  })

  it('steps up for each positive and to the right for each negative', () => {
    const { root } = checked(plotRoc([0.9, 0.8, 0.7, 0.6], [1, 0, 1, 0]).svg)
    const points = pointsOf(ofClass(root, 'path', 'line0').at(-1)!)
    const [zero, half, one] = ['0', '0.6', '1'].map((text) => tick(root, text, 'middle'))
    expect(half! - zero!).toBeCloseTo((one! - zero!) * 0.6, 1)
    const middle = (zero! + one!) / 2
    expect(points.map(([x]) => x)).toEqual([zero, zero, middle, middle, one])
  })

  it('draws a curve for each of several classes', () => {
    const picture = plotRoc(
      [
        [0.8, 0.1, 0.1],
        [0.2, 0.7, 0.1],
        [0.1, 0.2, 0.7],
      ],
      [0, 1, 2],
      { names: ['a', 'b', 'c'] },
    )
    expect(ofClass(checked(picture.svg).root, 'path', 'line2')).toHaveLength(2)
    expect(picture.description).toContain('a: area 1; b: area 1; c: area 1.')
  })

  it('refuses labels of one class and scores that are NaN', () => {
    expect(() => plotRoc([0.1, 0.2], [1, 1])).toThrow('all labels are of one class')
    expect(() => plotRoc([0.1, NaN], [0, 1])).toThrow('NaN in row 1')
    expect(() => plotRoc([0.1, 0.2], [0, 1, 1])).toThrow(ShapeError)
    expect(() => plotRoc([], [])).toThrow(ShapeError)
  })
})

describe('plotModel', () => {
  const build = () => {
    setRandomSeed(1)
    const inner = new Sequential([new Dense({ units: 3, inputShape: [4], name: 'within' })], { name: 'block' })
    const x = Input({ shape: [4], name: 'x' })
    const a = inner.apply(x)
    const b = new Dense({ units: 3, name: 'beside' }).apply(x)
    return new Model({ inputs: x, outputs: new Add({ name: 'sum' }).apply([a, b]), name: 'graph' })
  }

  it('shows layers, shapes, parameters, branches and nested models', () => {
    const picture = plotModel(build())
    const { root } = checked(picture.svg)
    const shown = texts(root)
    for (const text of ['graph', 'x', 'block', 'within', 'beside', 'sum', '[null, 3]', 'Dense, 15 params'])
      expect(shown).toContain(text)
    expect(picture.description).toContain('sum (Add) from block and beside: [null, 3].')
    expect(texts(checked(plotModel(build(), { nested: false }).svg).root)).not.toContain('within')
  })

  it('places no two layers over each other, and arrows go down', () => {
    const { root } = checked(plotModel(build(), { nested: false }).svg)
    const places = all(root, 'g')
      .filter((each) => ofClass(each, 'rect', 'card').length === 1)
      .map(({ attributes }) => /\((\S+) (\S+)\)/.exec(attributes['transform']!)!.slice(1).map(Number))
    expect(places).toHaveLength(4)
    for (const [i, [x, y]] of places.entries())
      for (const [otherX, otherY] of places.slice(i + 1))
        expect(Math.abs(x! - otherX!) >= 248 || Math.abs(y! - otherY!) >= 50).toBe(true)
  })

  it('shows the share of the operations', () => {
    const model = build()
    const shown = texts(checked(plotModel(model, { ledger: ledger(model) }).svg).root)
    expect(shown.filter((text) => / % FLOPs/.test(text)).length).toBeGreaterThanOrEqual(3)
    expect(() => plotModel(model, { ledger: {} as never })).toThrow(ArgumentError)
  })

  it('draws a model that is not built as a list, and refuses one without layers', () => {
    const { root, descriptionText } = checked(plotModel(new Sequential([new Dense({ units: 2, name: 'later' })])).svg)
    expect(texts(root)).toContain('later')
    expect(descriptionText).toContain('not built')
    expect(() => plotModel(new Sequential())).toThrow('has no layers yet')
    expect(() => plotModel({} as never)).toThrow(ArgumentError)
  })
})

describe('plotHealth', () => {
  it('draws a line for each layer over the epochs', async () => {
    setRandomSeed(1)
    const model = new Sequential([
      new Dense({ units: 4, activation: 'relu', inputShape: [2], name: 'one' }),
      new Dense({ units: 4, activation: 'tanh', name: 'two' }),
      new Dense({ units: 1 }),
    ])
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' })
    const health = new UnitHealth({ every: 1 })
    expect(() => plotHealth(health)).toThrow(DataError)
    const x = [
      [1, 2],
      [3, -4],
    ]
    const history = await model.fit(x, [1, 2], { epochs: 3, callbacks: [health], verbose: 0 })
    const picture = plotHealth(health)
    const { root } = checked(picture.svg)
    expect(texts(root)).toEqual(expect.arrayContaining(['one', 'two', 'dormant units']))
    expect(plotHealth(history).svg).toBe(picture.svg)
    expect(plotHealth(health.records).svg).toBe(picture.svg)
    expect(() => plotHealth({ reports: {} })).toThrow(ArgumentError)
  })
})

describe('plotImages', () => {
  it('shows pixels with captions', () => {
    const { root, descriptionText } = checked(
      plotImages(
        [
          [
            [0, 1],
            [0.5, 0.25],
          ],
        ],
        { captions: ['seven'] },
      ).svg,
    )
    const image = all(root, 'image')[0]!
    expect(pixelsOf(image.attributes['href']!).rgb).toEqual([0, 255, 128, 64].map((each) => [each, each, each]))
    expect(descriptionText).toBe('1 of 1 images, each 2 by 2 pixels. Captions: seven.')
  })

  it('shows colours, a part of many images, and refuses values that are not images', () => {
    const images = tensor(new Float32Array(100 * 2 * 2 * 3), [100, 2, 2, 3])
    expect(all(checked(plotImages(images, { most: 9 }).svg).root, 'image')).toHaveLength(9)
    expect(() => plotImages([[1, 2]])).toThrow(ShapeError)
    expect(() => plotImages([[[NaN]]])).toThrow('received NaN in image 0')
    expect(() => plotImages([[[1]]], { captions: [] })).toThrow(ArgumentError)
  })
})

describe('plotProjection', () => {
  it('finds the directions of the largest variance', () => {
    // Along (3, 4, 0) / 5 the variance is 25, along z it is 1.
    const rows = [
      [3, 4, 0],
      [-3, -4, 0],
      [0, 0, 1],
      [0, 0, -1],
    ]
    const picture = plotProjection(rows, { labels: [0, 0, 1, 1] })
    const { root } = checked(picture.svg)
    expect(texts(root)).toContain('component 1 (96.2 % of the variance)')
    expect(texts(root)).toContain('component 2 (3.85 % of the variance)')
    const marks = all(root, 'circle').filter(({ attributes }) => attributes['class'] === undefined)
    const xs = marks.slice(-4).map(({ attributes }) => Number(attributes['cx']))
    expect(xs[0]! - xs[1]!).toBeGreaterThan(300)
    expect(xs[2]).toBeCloseTo(xs[3]!, 1)
  })

  it('has no second component where the rows lie on a line', () => {
    const rows = Array.from({ length: 50 }, (_, i) => [i / 7, (3 * i) / 7, -i])
    expect(plotProjection(rows).description).toContain('100 % of the variance and 0 % of the variance')
  })

  it('draws equal rows, one column, and one-hot labels, and refuses what has no rows', () => {
    checked(plotProjection([[1], [2]]).svg)
    checked(
      plotProjection(
        [
          [1, 1],
          [1, 1],
        ],
        {
          labels: [
            [0, 1],
            [1, 0],
          ],
          names: ['a', 'b'],
        },
      ).svg,
    )
    expect(() => plotProjection([1, 2])).toThrow(ShapeError)
    expect(() => plotProjection([[1, NaN]])).toThrow(DataError)
    expect(() => plotProjection([[1]], { labels: [0.5] })).toThrow(DataError)
    expect(() => plotProjection([[1]], { labels: [0, 1] })).toThrow(ShapeError)
    expect(() => plotProjection([[1]], { labels: [1], names: ['a'] })).toThrow(ArgumentError)
  })
})

describe('plotDecision', () => {
  it('colours the plane by the answers', async () => {
    const model = new Sequential([new Dense({ units: 1, activation: 'sigmoid', inputShape: [2] })])
    // The answer is 1 to the right and 0 to the left.
    model.setWeights([tensor([[100], [0]]), tensor([0])])
    const picture = await plotDecision(
      model,
      [
        [-1, 0],
        [1, 1],
      ],
      { labels: [0, 1], resolution: 4 },
    )
    const { root } = checked(picture.svg)
    const { rgb } = pixelsOf(all(root, 'image')[0]!.attributes['href']!)
    const [left, right] = [
      [0, 0x5a, 0x9c],
      [0xd4, 0x55, 0],
    ]
    expect(rgb).toEqual(Array.from({ length: 4 }, () => [left, left, right, right]).flat())
  })

  it('names the lowest and the highest answer of a regression', async () => {
    const model = new Sequential([new Dense({ units: 1, inputShape: [2] })])
    model.setWeights([tensor([[10], [0]]), tensor([0])])
    const x = [
      [-1, 0],
      [1, 1],
    ]
    const { root } = checked((await plotDecision(model, x, { resolution: 2 })).svg)
    // The middles of two pixels of a range that is 8 % wider at both ends.
    expect(texts(root)).toEqual(expect.arrayContaining(['answer −5.8', 'answer 5.8']))
  })

  it('refuses other data', async () => {
    const model = new Sequential([new Dense({ units: 1, inputShape: [2] })])
    await expect(plotDecision(model, [[1, 2, 3]])).rejects.toThrow(ShapeError)
    await expect(plotDecision({} as never, [[1, 2]])).rejects.toThrow(ArgumentError)
    await expect(plotDecision(model, [[1, 2]], { columns: ['a'] })).rejects.toThrow(ArgumentError)
  })
})

describe('plotAttributions and plotReliability', () => {
  it('draw what myelin/explain returns, at their natural size', () => {
    const value = tensor([0.5])
    const picture = plotAttributions({ attributions: tensor([[1, -2]]), value, units: null }, { names: ['a', 'b'] })
    expect(texts(checked(picture.svg).root)).toEqual(expect.arrayContaining(['a', '+1', 'b', '−2', 'answer 0.5']))
    expect(picture.svg).toContain(' width="640" ')
    expect(
      all(checked(plotAttributions(tensor(new Float32Array(18).fill(1), [2, 3, 3])).svg).root, 'image'),
    ).toHaveLength(2)
    const diagram = reliabilityDiagram([0.9, 0.2], [1, 0])
    checked(plotReliability(diagram).svg)
    expect(() => plotReliability({} as never)).toThrow('plotReliability: needs the result of reliabilityDiagram')
    expect(() => plotAttributions([NaN])).toThrow('plotAttributions: attributions must be finite')
    expect(() => plotAttributions([1], { image: [[1]], names: ['a'] })).toThrow(ArgumentError)
  })
})
