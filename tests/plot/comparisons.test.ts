// Error curves, waterfalls, beeswarms, coloured text and forgetting: marks lie where the numbers say, and data without a picture
// are refused.
// modes: simd
import { describe, expect, it } from 'vitest'
import {
  ArgumentError,
  DataError,
  Dense,
  Embedding,
  Flatten,
  Sequential,
  ShapeError,
  setRandomSeed,
  tensor,
} from '../../src'
import { integratedGradients, saliency } from '../../src/entries/explain'
import { plotBeeswarm, plotErrorCurves, plotForgetting, plotText, plotWaterfall } from '../../src/entries/plot'
import { all, checked, texts, type Node } from '../helpers/svg'

const ofClass = (root: Node, name: string, colour: string): Node[] =>
  all(root, name).filter(({ attributes }) => attributes['class'] === colour)
const numberOf = (node: Node, name: string): number => Number(node.attributes[name])
const lastY = ({ attributes }: Node): number => Number(/ (-?[\d.]+)$/.exec(attributes['d']!)![1])

describe('plotErrorCurves', () => {
  it('draws the median of the runs, and an area from quartile to quartile', () => {
    const { root, descriptionText } = checked(
      plotErrorCurves(
        {
          plain: [1, 2].map((run) => [4 * run, run]),
          ReDo: [
            [4, 2],
            [4, 3],
            [4, 10],
          ],
        },
        { xLabel: 'task' },
      ).svg,
    )
    expect(texts(root)).toEqual(expect.arrayContaining(['plain', 'ReDo', 'task', 'error']))
    expect(descriptionText).toContain('plain, error: task 1 6, task 2 1.5.')
    // The median of 2, 3 and 10 is 3, not their mean.
    expect(descriptionText).toContain('ReDo, error: task 1 4, task 2 3.')
    const areas = ['fill0', 'fill1'].map((colour) => ofClass(root, 'path', colour))
    expect(areas.map(({ length }) => length)).toEqual([1, 1])
    // Points of the area of ReDo: the upper quartiles 4 and 6.5, then the lower ones 2.5 and 4.
    const points = Array.from(areas[1]![0]!.attributes['d']!.matchAll(/[ML](\S+) ([\d.]+)/g), ([, , y]) => Number(y))
    const [, curve] = all(root, 'path').filter(({ attributes }) => attributes['stroke-width'] === '2')
    const [at4, at3] = [points[0]!, lastY(curve!)]
    expect(at4).toBe(points[3])
    const pixels = at3 - at4
    expect(points[1]! - at4).toBeCloseTo(-2.5 * pixels, 1)
    expect(points[2]! - at4).toBeCloseTo(1.5 * pixels, 1)
  })

  it('shows one run without an area, numbers of its own along the axis, and gaps', () => {
    const picture = plotErrorCurves({ a: [1, NaN, 3] }, { x: [10, 20, 30], yLabel: 'loss' })
    expect(picture.description).toBe('a, loss: epoch 10 1, epoch 20 missing, epoch 30 3.')
    expect(ofClass(checked(picture.svg).root, 'path', 'fill0')).toEqual([])
  })

  it('refuses data without a picture', () => {
    expect(() => plotErrorCurves({})).toThrow(DataError)
    expect(() => plotErrorCurves({ a: [] })).toThrow('plotErrorCurves: a is empty')
    expect(() => plotErrorCurves({ a: [[1, 2], [1]] })).toThrow('runs of different lengths, 2 and 1')
    expect(() => plotErrorCurves({ a: 'x' as never })).toThrow(ArgumentError)
    expect(() => plotErrorCurves([1, 2] as never)).toThrow('needs runs by name')
    expect(() => plotErrorCurves({ a: [1, 2] }, { x: [1] })).toThrow('a has 2 numbers, but x has 1')
  })
})

describe('plotWaterfall', () => {
  it('begins each bar where the one before ends, and ends at the answer', () => {
    const picture = plotWaterfall([1, -3, 0.5], { names: ['a', 'b', 'c'], baseValue: 10 })
    const { root, descriptionText } = checked(picture.svg)
    expect(descriptionText).toBe('baseline 10, answer 8.5. b: −3; a: 1; c: 0.5.')
    const [b] = ofClass(root, 'rect', 'less')
    const [a, c] = ofClass(root, 'rect', 'more')
    const end = (node: Node): number => numberOf(node, 'x') + numberOf(node, 'width')
    const one = numberOf(a!, 'width')
    expect(numberOf(b!, 'width')).toBeCloseTo(3 * one, 1)
    expect(numberOf(c!, 'width')).toBeCloseTo(one / 2, 1)
    expect(numberOf(a!, 'x')).toBeCloseTo(numberOf(b!, 'x'), 1)
    expect(numberOf(c!, 'x')).toBeCloseTo(end(a!), 1)
    const [from, to] = ofClass(root, 'rect', 'ink').map((mark) => numberOf(mark, 'x') + 1.5)
    expect(from).toBeCloseTo(end(b!), 1)
    expect(to).toBeCloseTo(end(c!), 1)
  })

  it('takes explanations that add up, and shows what they leave open', async () => {
    setRandomSeed(1)
    const model = new Sequential([new Dense({ units: 1, activation: 'sigmoid', inputShape: [3] })])
    const why = await integratedGradients(model, [[1, 2, 3]])
    const descriptionText = plotWaterfall(why).description
    expect(descriptionText).toMatch(/^baseline 0.5, answer /)
    expect(descriptionText).not.toContain('not explained')
    const half = {
      ...why,
      attributions: tensor(why.attributions.data.map((each: number) => each / 2) as Float32Array, [1, 3]),
    }
    expect(plotWaterfall(half).description).toContain('not explained')
    expect(() => plotWaterfall([1, 2])).toThrow('plotWaterfall: the contributions have no baseline')
    const gradients = await saliency(model, [[1, 2, 3]])
    expect(() => plotWaterfall(gradients)).toThrow(ArgumentError)
    expect(() => plotWaterfall([NaN], { baseValue: 0 })).toThrow(DataError)
    expect(() => plotWaterfall([1], { baseValue: 0, row: 1 })).toThrow('row must be in 0 … 0')
  })
})

describe('plotBeeswarm', () => {
  const attributions = tensor([
    [1, 0.1],
    [-1, 0.2],
    [1, 0.3],
    [1, 0.1],
  ])
  const x = tensor([
    [5, 0],
    [1, 0],
    [5, 0],
    [3, 0],
  ])

  it('has a point for each row and feature, in order of the mean size', () => {
    const { root, descriptionText } = checked(plotBeeswarm(attributions, { x, names: ['age', 'height'] }).svg)
    expect(descriptionText).toBe(
      'Attributions of 4 rows. age: −1 to 1, mean size 1; height: 0.1 to 0.3, mean size 0.175.',
    )
    const circles = all(root, 'circle').filter(({ attributes }) => attributes['r'] === '3')
    expect(circles).toHaveLength(8)
    const [first, second, third, fourth] = circles as [Node, Node, Node, Node]
    const [left, right] = [numberOf(second, 'cx'), numberOf(first, 'cx')]
    expect(right).toBeGreaterThan(left)
    expect(numberOf(third, 'cx')).toBe(right)
    // Points at one place lie beside each other.
    expect(new Set([first, third, fourth].map((each) => numberOf(each, 'cy'))).size).toBe(3)
    // The lowest number of the feature is blue, the highest orange, the middle between; equal ones have no order.
    expect([first, second, fourth].map(({ attributes }) => attributes['class'])).toEqual(['blend4', 'blend0', 'blend2'])
  })

  it('has one colour without x, and refuses data that do not fit', () => {
    const { root } = checked(plotBeeswarm(attributions).svg)
    expect(ofClass(root, 'circle', 'soft')).toHaveLength(8)
    expect(() => plotBeeswarm(attributions, { x: [[1, 2]] })).toThrow(ShapeError)
    expect(() => plotBeeswarm(attributions, { names: ['a'] })).toThrow(ArgumentError)
    expect(() => plotBeeswarm([[1, NaN]])).toThrow('received NaN for feature 1')
  })
})

describe('plotText', () => {
  it('colours words by their share of the largest attribution, and breaks lines', async () => {
    const words = ['not', 'a', '<good>', 'film']
    const { root, descriptionText } = checked(plotText(words, [-2, 0, 1, 0.5, 0.25], { width: 150 }).svg)
    expect(descriptionText).toBe('not: −2; a: 0; <good>: 1; film: 0.5. −2 … +2, padding +0.25.')
    const groups = all(root, 'g')
    const rects = groups.map((each) => all(each, 'rect')[0]!)
    expect(rects.map(({ attributes }) => [attributes['class'], Number(attributes['fill-opacity'])])).toEqual([
      ['less', 0.6],
      ['more', 0],
      ['more', 0.3],
      ['more', 0.15],
    ])
    expect(texts(root)).toEqual(expect.arrayContaining(words))
    expect(new Set(rects.map((each) => numberOf(each, 'y'))).size).toBe(2)
    for (const each of rects) expect(numberOf(each, 'x') + numberOf(each, 'width')).toBeLessThanOrEqual(150)
    // What integratedGradients returns for words.
    setRandomSeed(1)
    const model = new Sequential([
      new Embedding({ inputDim: 9, outputDim: 2, inputShape: [4] }),
      new Flatten(),
      new Dense({ units: 1 }),
    ])
    const ids = tensor(Int32Array.of(1, 2, 3, 4), [1, 4], 'int32')
    await model.predict(ids)
    const why = await integratedGradients(model, ids)
    checked(plotText(words, why).svg)
  })

  it('refuses words without attributions', () => {
    expect(() => plotText(['a', 'b'], [1])).toThrow('there are 2 words, but attributions of 1 positions')
    expect(() => plotText([], [1])).toThrow(ArgumentError)
    expect(() => plotText(['a'], [Infinity])).toThrow(DataError)
    expect(() => plotText(['a'], [1], { row: 1 })).toThrow(ArgumentError)
  })
})

describe('plotForgetting', () => {
  it('shows each accuracy, their mean at the end, and what was forgotten', () => {
    const picture = plotForgetting([[1], [0.5, 0.9], [0.2, 0.4, 0.9]], { names: ['a', 'b', 'c'] })
    const { root, descriptionText } = checked(picture.svg)
    // Forgotten: 1 − 0.2 and 0.9 − 0.4, on average 0.65.
    expect(descriptionText).toMatch(/^at the end 50 % on average, 65 points forgotten\. After a: a 100 %\./)
    expect(texts(root).filter((text) => text.endsWith(' %'))).toEqual(['100 %', '50 %', '90 %', '20 %', '40 %', '90 %'])
    const strengths = ofClass(root, 'rect', 'fill0').map((each) => numberOf(each, 'fill-opacity'))
    expect(strengths[0]! / strengths[1]!).toBeCloseTo(2, 1)
    // With the tasks that come later.
    expect(
      plotForgetting([
        [1, 0],
        [0.5, 1],
      ]).description,
    ).toMatch(/^at the end 75 % on average, 50 points forgotten/)
  })

  it('refuses what is not a matrix of accuracies', () => {
    expect(() => plotForgetting([])).toThrow(ArgumentError)
    expect(() => plotForgetting([[1], [1]])).toThrow(DataError)
    expect(() => plotForgetting([[97]])).toThrow('accuracies must lie in 0 … 1, received 97 in row 0')
    expect(() => plotForgetting([[1]], { names: ['a', 'b'] })).toThrow(ArgumentError)
    expect(() => plotForgetting(['x'] as never)).toThrow('row 0 must be a list')
  })
})
