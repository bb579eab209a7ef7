// Pictures for terminals.
// modes: simd
import { afterEach, describe, expect, it, vi } from 'vitest'
import { ArgumentError, DataError, ShapeError } from '../../src'
import { sparkline, textConfusionMatrix, textCurve } from '../../src/entries/plot'

const plain = (text: string): string => text.replaceAll('\u001b[36m', '').replaceAll('\u001b[0m', '')

describe('sparkline', () => {
  it('draws numbers from the lowest to the highest', () => {
    expect(sparkline([0, 1, 2, 3, 4, 5, 6, 7])).toBe('▁▂▃▄▅▆▇█')
    expect(sparkline([7, 0])).toBe('█▁')
    expect(sparkline([-1.7e308, 0, 1.7e308])).toBe('▁▅█')
  })

  it('leaves blanks, draws equal numbers at half the height, and averages many', () => {
    expect(sparkline([0, NaN, 1, Infinity])).toBe('▁ █ ')
    expect(sparkline([3, 3])).toBe('▄▄')
    expect(sparkline([])).toBe('')
    expect(sparkline([0, 0, 1, 1], { width: 2 })).toBe('▁█')
    expect(sparkline(new Float32Array(100_000).fill(1))).toHaveLength(40)
    expect(() => sparkline(3 as never)).toThrow(ArgumentError)
    expect(() => sparkline([1], { size: 2 } as never)).toThrow("Unknown option of sparkline 'size'")
  })
})

describe('textCurve', () => {
  const history = { loss: [4, 3, 2, 1], valLoss: [4, 4, 3, 3], accuracy: [0, 0.2, 0.5, 1] }

  it('draws the losses with their range, epochs and last numbers', () => {
    const lines = textCurve(history, { width: 20, height: 4, colours: false }).split('\n')
    expect(lines).toHaveLength(7)
    expect([lines[0]!.slice(0, 3), lines[3]!.slice(0, 3)]).toEqual(['4 ┤', '1 ┤'])
    expect(lines[5]!.trim()).toMatch(/^1 +epoch +4$/)
    expect(lines[6]!.trim()).toBe('⠤⠤ loss 1   ·· valLoss 3')
    // The first dot is in the upper left corner, the last in the lower right one.
    const code = (text: string): number => text.charCodeAt(0) - 0x2800
    expect(code(lines[0]![3]!) & 0x01).toBe(0x01)
    expect(code(lines[3]![22]!) & 0x80).toBe(0x80)
  })

  it('colours curves, and draws chosen names, lists and gaps', () => {
    expect(textCurve(history, { colours: true })).toContain('\u001b[36m')
    expect(plain(textCurve(history, { colours: true, names: ['accuracy'] }))).toContain('accuracy 1')
    expect(textCurve([1, 2], { colours: false })).toContain('values 2')
    expect(textCurve([NaN, 2, NaN], { colours: false })).toContain('values NaN')
    expect(textCurve([5], { colours: false })).toContain('values 5')
    expect(() => textCurve([NaN])).toThrow(DataError)
    expect(() => textCurve([])).toThrow(DataError)
    expect(() => textCurve(history, { names: ['lost'] })).toThrow(ArgumentError)
  })
})

describe('textConfusionMatrix', () => {
  it('lists true classes in lines', () => {
    const text = textConfusionMatrix(
      [
        [3, 1],
        [0, 12],
      ],
      { names: ['no', 'yes'], colours: false },
    )
    expect(text.split('\n')).toEqual([
      'true │  no  yes  │ right',
      '─────┼───────────┼──────',
      '  no │   3    1  │  75 %',
      ' yes │   ·   12  │ 100 %',
      '       columns: predicted; 93.8 % of all are right',
    ])
    expect(() => textConfusionMatrix([[1, 2]])).toThrow(ShapeError)
  })
})

describe('colours', () => {
  afterEach(() => vi.unstubAllEnvs())
  const isColoured = (): boolean => textConfusionMatrix([[1]]).includes('\u001b')

  it('are those of the terminal, unless NO_COLOR or an option says otherwise', () => {
    vi.stubEnv('NO_COLOR', '')
    vi.stubEnv('FORCE_COLOR', '1')
    expect(isColoured()).toBe(true)
    expect(textConfusionMatrix([[1]], { colours: false })).not.toContain('\u001b')
    vi.stubEnv('NO_COLOR', '1')
    expect(isColoured()).toBe(false)
    expect(textConfusionMatrix([[1]], { colours: true })).toContain('\u001b')
    vi.stubEnv('NO_COLOR', '')
    vi.stubEnv('FORCE_COLOR', '0')
    expect(isColoured()).toBe(process.stdout.isTTY === true)
  })
})
