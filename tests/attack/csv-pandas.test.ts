// 2,000 generated CSV files, with quotes, line ends inside cells, empty cells and lines, in chunks of odd sizes: the values of pandas.
// tests/golden/csv_pandas.py makes the same files. pandas leaves out lines of spaces alone, so here such cells are quoted.
// modes: simd

import { crc32 } from 'node:zlib'
import { expect, it } from 'vitest'
import { readCsv } from '../../src/entries/data'
import golden from '../golden/csv-pandas.json' with { type: 'json' }

const MISSING = ['', 'NA', 'N/A', 'NaN', 'nan', 'null', 'NULL']
const PIECES = ['a', 'B', 'é', '日', ' ', 'x1', '-', "'", '"', '\n', ',', ';', '\t', '|', '7', '🙂']

type Below = (count: number) => number

/** The generator of Lehmer. */
function lehmer(seed: number): Below {
  let state = seed
  return (count) => (state = (state * 48_271) % 2_147_483_647) % count
}

function numberText(below: Below): string {
  const kind = below(6)
  const digits = (most: number): string => Array.from({ length: 1 + below(most) }, () => below(10)).join('')
  const sign = (): string => ['', '-', '+'][below(3)]!
  const first = sign()
  if (kind < 2) return first + digits(9)
  if (kind === 2) return `${first}${digits(5)}.${digits(6)}`
  if (kind === 3) return `${first}.${digits(12)}`
  if (kind === 4) return `${first}${digits(3)}.${digits(14)}e${sign()}${below(30)}`
  return `${first}${digits(4)}.`
}

const text = (below: Below): string =>
  Array.from({ length: 1 + below(5) }, () => PIECES[below(PIECES.length)]!).join('')

interface Made {
  readonly content: string
  readonly delimiter: string
  readonly isNumber: readonly boolean[]
}

function made(seed: number): Made {
  const below = lehmer(seed)
  const delimiter = [',', ';', '\t', '|'][below(4)]!
  const end = ['\n', '\r\n'][below(2)]!
  const columns = 1 + below(5)
  const isNumber = Array.from({ length: columns }, () => below(2) === 0)
  const quoted = below(4)
  const lines = [isNumber.map((_, i) => `c${i}`).join(delimiter)]
  for (let row = 1 + below(30); row > 0; row--) {
    const cells = isNumber.map((isOne) => {
      const isMissing = below(8) === 0
      const cell = isMissing ? MISSING[below(MISSING.length)]! : isOne ? numberText(below) : text(below)
      const must =
        [delimiter, '"', '\n'].some((mark) => cell.includes(mark)) || (columns === 1 && /^[ \t]*$/.test(cell))
      return must || below(4) < quoted ? `"${cell.replaceAll('"', '""')}"` : cell
    })
    lines.push(cells.join(delimiter))
    if (below(12) === 0) lines.push('')
  }
  const content = lines.join(end) + ['', end][below(2)]!
  return { content: ['', '\ufeff'][below(2)]! + content, delimiter, isNumber }
}

async function checksum({ content, delimiter, isNumber }: Made, size: number): Promise<number> {
  const bytes = new TextEncoder().encode(content)
  const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
    bytes.subarray(i * size, (i + 1) * size),
  )
  const types = Object.fromEntries(isNumber.map((isOne, i) => [`c${i}`, isOne ? 'number' : 'string'] as const))
  const parts: Uint8Array[] = []
  for await (const row of readCsv(chunks, { delimiter, types, missing: null }))
    for (const value of Object.values(row as Record<string, number | string | null>))
      parts.push(
        value === null
          ? Buffer.from('m')
          : typeof value === 'number'
            ? Buffer.concat([Buffer.from('n'), new Uint8Array(Float64Array.of(value).buffer)])
            : Buffer.from(`s${value}\0`),
      )
  return crc32(Buffer.concat(parts))
}

it('2,000 files have the values of pandas', async () => {
  const others: number[] = []
  for (const [i, expected] of golden.checksums.entries())
    if ((await checksum(made(i + 1), 7 + (i % 200))) !== expected) others.push(i + 1)
  expect(golden.checksums.length).toBe(2000)
  expect(others).toEqual([])
})
