// Images: they are well formed, show the given numbers, and have a text alternative.
// modes: simd
import { describe, expect, it } from 'vitest'
import { ArgumentError, ShapeError, tensor } from '../../src'
import {
  attributionBars,
  dependenceCurves,
  heatMapPicture,
  reliabilityDiagram,
  reliabilityPicture,
} from '../../src/entries/explain'
import { StringTensor } from '../../src/ops/strings'
import { plotAttributions, plotBeeswarm, plotDependence, plotWaterfall } from '../../src/entries/plot'
import { all, checked, pixelsOf, textOf, texts } from '../helpers/svg'

describe('attributionBars', () => {
  it('draws bars as long as the attributions, the largest first, from one line', () => {
    const svg = attributionBars(
      [
        [0, 0, 0],
        [1, -4, 2],
      ],
      { row: 1, names: ['a', 'b', 'c'], value: 0.75, baseValue: 1.75 },
    )
    const { root, descriptionText } = checked(svg)
    expect(texts(root)).toEqual([
      'What the answer is made of',
      'b',
      '−4',
      'c',
      '+2',
      'a',
      '+1',
      'baseline 1.75 → answer 0.75',
    ])
    expect(descriptionText).toBe('Contributions, the largest first. b: −4; c: 2; a: 1. baseline 1.75 → answer 0.75.')
    const [, b, c, a] = all(root, 'rect').map(({ attributes }) => ({
      x: Number(attributes['x']),
      width: Number(attributes['width']),
      is: attributes['class'],
    }))
    expect([b!.is, c!.is, a!.is]).toEqual(['less', 'more', 'more'])
    expect(b!.width / a!.width).toBeCloseTo(4, 2)
    expect(c!.width / a!.width).toBeCloseTo(2, 2)
    expect(b!.x + b!.width).toBeCloseTo(a!.x, 1)
  })

  it('escapes names and titles, and shortens long ones, which remain as tooltips', () => {
    const name = '<script>alert("1")</script> & more than fits'
    const { root } = checked(attributionBars([1], { names: [name], title: `'<b>' & "c"\u0001` }))
    expect(all(root, 'script')).toEqual([])
    expect(textOf(all(root, 'title')[0]!)).toBe(`'<b>' & "c"\uFFFD`)
    expect(textOf(all(root, 'title')[1]!)).toBe(name)
    expect(texts(root)[1]!.replace(name, '')).toBe('<script>alert("1")</scrip…')
  })

  it('sums up hidden attributions', () => {
    const { root } = checked(attributionBars([5, 4, 3, -2, 0.5], { most: 2 }))
    expect(texts(root).slice(1)).toEqual(['0', '+5', '1', '+4', '3 others', '+1.5'])
    expect(texts(checked(attributionBars([5, 4, 3], { most: 2 })).root)).toHaveLength(7)
  })

  it('accepts attributions that are all 0, and refuses other shapes', () => {
    checked(attributionBars([0, 0]))
    expect(() => attributionBars([1, 2], { names: ['a'] })).toThrow(
      new ArgumentError('attributionBars: needs a name for each of 2 features, received 1'),
    )
    expect(() => attributionBars([[1, 2]], { row: 1 })).toThrow(ArgumentError)
    expect(() => attributionBars([[[1]]])).toThrow(ShapeError)
    expect(() => attributionBars([1], { titel: 'x' } as never)).toThrow("Did you mean 'title'?")
  })
})

describe('heatMapPicture', () => {
  const imagesOf = (svg: string) =>
    all(checked(svg).root, 'image').map(({ attributes }) => pixelsOf(attributes['href']!))

  it('is orange for positive and blue for negative values, stronger for larger ones', () => {
    const svg = heatMapPicture([
      [1, 0.25, 0],
      [0, -0.5, -1],
    ])
    const [{ width, height, rgb }] = imagesOf(svg) as [ReturnType<typeof pixelsOf>]
    expect([width, height]).toEqual([3, 2])
    const blank = [245, 245, 245]
    expect([rgb[2], rgb[3]]).toEqual([blank, blank])
    const [orange, pale, , , lessBlue, blue] = rgb as number[][]
    expect(orange![0]! > orange![2]! && pale![0]! > pale![2]! && blue![2]! > blue![0]!).toBe(true)
    expect(orange![2]! < pale![2]! && blue![0]! < lessBlue![0]!).toBe(true)
    expect(checked(svg).descriptionText).toBe(
      'Attributions of 2 by 3 pixels, from −1 to 1. The strongest is at row 0, column 0.',
    )
  })

  it('covers grey and coloured images of any range', () => {
    const map = tensor([0, 0, 0, 1], [1, 2, 2])
    const grey = imagesOf(heatMapPicture(map, { image: tensor([0, 1, 0.5, 0], [1, 2, 2, 1]) }))[0]!.rgb
    expect(grey.slice(0, 3)).toEqual([
      [0, 0, 0],
      [255, 255, 255],
      [128, 128, 128],
    ])
    const bytes = imagesOf(
      heatMapPicture(map, {
        image: [
          [0, 255],
          [51, 0],
        ],
      }),
    )[0]!.rgb
    expect(bytes[2]).toEqual([51, 51, 51])
    const spread = imagesOf(
      heatMapPicture(map, {
        image: [
          [-1, 1],
          [0, 0],
        ],
      }),
    )[0]!.rgb
    expect(spread.slice(0, 3)).toEqual([
      [0, 0, 0],
      [255, 255, 255],
      [128, 128, 128],
    ])
    const rgb = imagesOf(
      heatMapPicture(map, { image: tensor([1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 1, 1], [2, 2, 3]), opacity: 1 }),
    )[0]!.rgb
    expect(rgb).toEqual([
      [255, 0, 0],
      [0, 255, 0],
      [0, 0, 255],
      [214, 69, 0],
    ])
  })

  it('adds the channels of attributions, and takes one of a batch', () => {
    const map = tensor([1, -1, 0, 2, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0], [2, 2, 2, 2])
    expect(checked(heatMapPicture(map)).descriptionText).toContain('from 0 to 2. The strongest is at row 0, column 1')
    expect(
      checked(heatMapPicture(map, { row: 1, image: tensor(new Float32Array(24), [2, 2, 2, 3]) })).descriptionText,
    ).toContain('from 0 to 6. The strongest is at row 0, column 0')
  })

  it('takes large images', () => {
    const side = 300
    const [{ rgb }] = imagesOf(
      heatMapPicture({ data: Float32Array.from({ length: side * side }, (_, i) => i), shape: [side, side] }),
    ) as [ReturnType<typeof pixelsOf>]
    expect([rgb.length, rgb[0]]).toEqual([side * side, [245, 245, 245]])
    expect(rgb.at(-1)![0]).toBeGreaterThan(rgb.at(-1)![2]!)
  })

  it('refuses images of another size', () => {
    expect(() => heatMapPicture([[1, 2]], { image: [[1], [2]] })).toThrow(
      new ShapeError(
        'heatMapPicture: the map and the image must have the same rows and columns, received [1, 2] and [2, 1]',
      ),
    )
    expect(() => heatMapPicture([1, 2])).toThrow(ShapeError)
    expect(() => heatMapPicture(tensor(new Float32Array(4), [1, 2, 2]), { row: 1 })).toThrow(ShapeError)
    expect(() => heatMapPicture([[1]], { image: tensor([1, 2], [1, 1, 1, 2]) })).toThrow('the image must be')
  })
})

describe('reliabilityPicture', () => {
  it('shows confidence against accuracy', () => {
    const diagram = reliabilityDiagram(
      [
        [0.95, 0.05],
        [0.9, 0.1],
        [0.35, 0.65],
      ],
      [0, 1, 1],
      { bins: 10 },
    )
    const { root, descriptionText } = checked(reliabilityPicture(diagram))
    // [0.8, 0.9] contains one wrong prediction, the last bin and (0.6, 0.7] one correct one.
    expect(descriptionText).toContain(
      'confidence 0.65: 1 right of 1; confidence 0.9: 0 right of 1; confidence 0.95: 1 right of 1',
    )
    expect(texts(root)).toContain('confidence')
    expect(texts(root).at(-1)).toBe(
      `calibration error ${Number(diagram.expectedCalibrationError.toPrecision(3))}, accuracy 0.667, confidence 0.833`,
    )
    expect(() => reliabilityPicture({} as never)).toThrow(ArgumentError)
  })
})

describe('dependenceCurves', () => {
  it('draws the mean and single rows', () => {
    const dependence = {
      grid: tensor([0, 1, 4]),
      average: tensor([1, 2, 3]),
      individual: tensor([
        [0, 1, 2],
        [2, 3, 4],
      ]),
    }
    const { root, descriptionText } = checked(dependenceCurves(dependence, { name: 'age', output: 'risk' }))
    expect(descriptionText).toBe('risk on average over 2 rows, by age. 0: 1; 1: 2; 4: 3.')
    const paths = all(root, 'path').map(({ attributes }) => attributes)
    expect(paths.filter((each) => each['class'] === 'one')).toHaveLength(2)
    const mean = paths.find((each) => each['class'] === 'mean')!['d']!
    const points = mean
      .split(/[ML]/)
      .slice(1)
      .map((each) => each.split(' ').map(Number)) as [number, number][]
    // A quarter of the way, then the rest; equal rises.
    expect((points[1]![0] - points[0]![0]) / (points[2]![0] - points[0]![0])).toBeCloseTo(0.25, 2)
    expect(points[0]![1] - points[1]![1]).toBeCloseTo(points[1]![1] - points[2]![1], 1)
    expect(
      all(checked(dependenceCurves(dependence, { rows: 1 })).root, 'path').filter(
        ({ attributes }) => attributes['class'] === 'one',
      ),
    ).toHaveLength(1)
    expect(texts(root)).toEqual(expect.arrayContaining(['age', 'risk', '0', '1', '2', '3', '4']))
  })

  it('takes a flat line, and a single value', () => {
    checked(dependenceCurves({ grid: tensor([1]), average: tensor([0]), individual: tensor([[0]]) }))
    checked(dependenceCurves({ grid: tensor([1, 2]), average: tensor([5, 5]), individual: tensor([[5, 5]]) }))
    expect(() => dependenceCurves({} as never)).toThrow(ArgumentError)
  })
})

it('non-finite attributions are refused, not drawn', () => {
  expect(() => attributionBars([1, NaN, 2], { names: ['a', 'b', 'c'] })).toThrow(
    'attributionBars: attributions must be finite, received NaN for feature b',
  )
  const rows = [
    [1, 2],
    [3, -Infinity],
  ]
  expect(() => attributionBars(rows, { row: 1 })).toThrow('received -Infinity for feature 1 of row 1')
  expect(() => attributionBars(rows)).not.toThrow()
})

describe('answers by column', () => {
  const column = (...values: number[]) => tensor(values)
  const why = {
    attributions: { age: column(0.1, -0.2), sex: column(0.4, 0.3) },
    value: column(0.9, 0.5),
    units: null,
    baseValue: column(0.4, 0.4),
    gap: column(0, 0),
  }

  it('have their names, values and baselines', () => {
    const { root } = checked(plotAttributions(why, { row: 1 }).svg)
    expect(texts(root).slice(1)).toEqual(['sex', '+0.3', 'age', '−0.2', 'baseline 0.4 → answer 0.5'])
    expect(texts(checked(attributionBars(why.attributions)).root).slice(1)).toEqual(['sex', '+0.4', 'age', '+0.1'])
    expect(plotWaterfall(why).description).toMatch(/sex: 0\.4.*age: 0\.1/)
    const rows = [
      { age: 20, sex: 'f', id: 1 },
      { age: 40, sex: 'm', id: 2 },
    ]
    const circles = all(checked(plotBeeswarm(why, { x: rows }).svg).root, 'circle').map(
      ({ attributes }) => attributes['class'],
    )
    // Categories have no low and high, and the five last are the key.
    expect(circles.slice(0, 4)).toEqual(['soft', 'soft', 'blend0', 'blend4'])
    expect(() => plotBeeswarm(why, { x: rows.slice(1) })).toThrow('x must have a row for each of the 2 explained rows')
    expect(() => plotBeeswarm(why.attributions.age, { x: rows })).toThrow(ShapeError)
  })

  it('are importances with their deviations', () => {
    const importance = {
      importances: { age: column(0.1), sex: column(0.3), seat: column(-0.02) },
      deviations: { age: column(0.05), sex: column(0.02), seat: column(0) },
      score: 0.8,
    }
    const { root, descriptionText } = checked(plotAttributions(importance).svg)
    expect(texts(root)).toEqual([
      'How much worse without each feature',
      'sex',
      '+0.3',
      'age',
      '+0.1',
      'seat',
      '−0.02',
      'score with all features 0.8',
    ])
    expect(descriptionText).toContain('sex: 0.3 ± 0.02; age: 0.1 ± 0.05; seat: −0.02 ± 0')
    // The axis, and two intervals.
    expect(all(root, 'path')).toHaveLength(3)
    const plain = { importances: column(1, 2), deviations: column(0.1, 0.2), score: 3 }
    expect(texts(checked(plotAttributions(plain, { names: ['a', 'b'] }).svg).root).slice(1, 5)).toEqual([
      'b',
      '+2',
      'a',
      '+1',
    ])
    const several = {
      importances: { a: column(1, 2), b: column(5) },
      deviations: { a: column(0, 0), b: column(0) },
      score: 1,
    }
    expect(texts(checked(plotAttributions(several).svg).root).slice(1, 7)).toEqual([
      'b',
      '+5',
      'a 1',
      '+2',
      'a 0',
      '+1',
    ])
  })

  it('refuse what is no explanation', () => {
    expect(() => plotAttributions({ age: 'x' })).toThrow('needs what a method of myelin/explain returns')
    expect(() => plotAttributions({ attributions: { a: tensor([1, 2]), b: tensor([1]) } })).toThrow(
      "all inputs must have as many rows, 'a' has 2 and 'b' has 1",
    )
    expect(() => plotAttributions({ a: tensor([[[1]]]), b: tensor([1]) })).toThrow(
      'Give the attributions of one of them',
    )
  })

  it('depend on categories in lanes, on dates along an axis', () => {
    const curves = { average: tensor([0.2, 0.6]), individual: tensor([[0.1, 0.5], [0.3, 0.7]]) } // prettier-ignore
    const cities = {
      grid: new StringTensor(['Bern', ''], [2]),
      ...curves,
      column: { name: 'city', kind: 'category' as const },
    }
    const { root, descriptionText } = checked(plotDependence(cities, { output: 'price' }).svg)
    expect(texts(root)).toEqual(expect.arrayContaining(['city', 'Bern', '(missing)', 'price', '0.2', '0.6']))
    expect(descriptionText).toBe('price on average over 2 rows, by city. Bern: 0.2; (missing): 0.6.')
    expect(all(root, 'circle')).toHaveLength(6)
    const days = {
      grid: new StringTensor(['2024-01-01', '2024-02-01'], [2]),
      ...curves,
      column: { name: 'day', kind: 'date' as const },
    }
    const drawn = checked(dependenceCurves(days))
    expect(texts(drawn.root)).toEqual(expect.arrayContaining(['day', '2024-01-01', '2024-02-01']))
    expect(() => plotDependence({} as never)).toThrow('plotDependence: needs the result of partialDependence')
  })
})
