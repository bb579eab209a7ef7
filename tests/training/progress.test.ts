// modes: simd
// The entry for Node is not used here, so the bar is set for each test.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ProgressBar, formatDuration, formatLogs, progress } from '../../src/training/callbacks/progress'
import { cutTo, widthOf } from '../../src/engine/runtime/live-line'
import { hasColours, isDumb } from '../../src/engine/runtime/terminal'
import { useLoggedProgress } from '../../src/training/callbacks/logged-progress'
import { useTerminalProgress } from '../../src/training/callbacks/terminal-progress'
import { binaryModel, outputOf, samples } from '../helpers/training'

const { x, yes } = samples(20)

describe('formatDuration', () => {
  it.each([
    [0.45, '450us'],
    [1, '1ms'],
    [999, '999ms'],
    [12_000, '12s'],
    [59_400, '59s'],
    [60_000, '1:00'],
    [185_000, '3:05'],
    [3_600_000, '1:00:00'],
    [3_725_000, '1:02:05'],
  ])('%d ms is %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text)
  })
})

describe('formatLogs', () => {
  it('has four decimals, and an exponent for small numbers', () => {
    expect(formatLogs({ loss: 0.43214, accuracy: 0.875 })).toBe(' - loss: 0.4321 - accuracy: 0.8750')
    expect(formatLogs({ loss: 0.00012345 })).toBe(' - loss: 1.2345e-4')
    expect(formatLogs({ loss: 0 })).toBe(' - loss: 0.0000')
  })
})

const duration = String.raw`(\d+(us|ms|s)|\d+:\d\d)`
const pace = `${duration} ${duration}/step`

describe('the output of fit', () => {
  // Another file of this process may have imported the entry for Node, which sets its own bar.
  const { make } = progress
  beforeEach(() => {
    progress.make = () => new ProgressBar()
  })
  afterEach(() => {
    progress.make = make
  })

  const fit = (verbose: 0 | 1 | 2, isTTY: boolean, more = {}) =>
    outputOf(() => binaryModel().fit(x, yes, { epochs: 2, batchSize: 8, verbose, ...more }), { isTTY })

  it.each([true, false])('verbose 0 is silent (terminal: %s)', async (isTTY) => {
    expect(await fit(0, isTTY)).toBe('')
  })

  it.each([true, false])('verbose 2 is a line per epoch (terminal: %s)', async (isTTY) => {
    const lines = (await fit(2, isTTY, { validationData: [x, yes] })).split('\n')
    const logs = String.raw` - loss: \d\.\d{4} - accuracy: \d\.\d{4} - valLoss: \d\.\d{4} - valAccuracy: \d\.\d{4}`
    expect(lines).toEqual([
      expect.stringMatching(`^Epoch 1/2 - ${pace}${logs}$`),
      expect.stringMatching(`^Epoch 2/2 - ${pace}${logs}$`),
      '',
    ])
  })

  it.each([true, false])('verbose 1 is a line per epoch where no entry shows more (terminal: %s)', async (isTTY) => {
    const lines = (await fit(1, isTTY)).split('\n')
    const done = (epoch: number): unknown =>
      expect.stringMatching(`^Epoch ${epoch}/2 - ${pace} - loss: .* - accuracy: .*$`)
    expect(lines).toEqual([done(1), done(2), ''])
  })

  it('is a line by default', async () => {
    expect(await outputOf(() => binaryModel().fit(x, yes))).toMatch(/^Epoch 1\/1 - .*\n$/)
  })
})

/** Slow enough to be painted meanwhile. */
const slowly = { onTrainBatchEnd: () => new Promise<void>((resolve) => setTimeout(resolve, 12)) }

/** What `action` writes to a terminal of so many columns, with the bar of the entry for Node. */
async function onTerminal(
  action: () => Promise<unknown>,
  { columns, env = { TERM: 'xterm', NO_COLOR: '1' } }: { columns: number; env?: Readonly<Record<string, string>> },
): Promise<string> {
  const before = { make: progress.make, columns: Object.getOwnPropertyDescriptor(process.stdout, 'columns') }
  useTerminalProgress({ hasColours, isDumb })
  for (const name of ['NO_COLOR', 'FORCE_COLOR', 'TERM']) vi.stubEnv(name, env[name])
  Object.defineProperty(process.stdout, 'columns', { value: columns, configurable: true })
  try {
    return await outputOf(action, { isTTY: true })
  } finally {
    progress.make = before.make
    vi.unstubAllEnvs()
    if (before.columns === undefined) Reflect.deleteProperty(process.stdout, 'columns')
    else Object.defineProperty(process.stdout, 'columns', before.columns)
  }
}

/** The rows that a terminal shows in the end, and the most that it showed. */
function screenOf(text: string, columns: number): { rows: readonly string[]; most: number } {
  const rows = ['']
  let [row, at, most] = [0, 0, 1]
  const next = (): void => void ((at = 0), ++row, (rows[row] ??= ''))
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '\r') at = 0
    else if (text[i] === '\n') next()
    else if (text.startsWith('\u001b[K', i)) [rows[row], i] = [rows[row]!.slice(0, at), i + 2]
    else {
      if (at === columns) next()
      rows[row] = rows[row]!.padEnd(at).slice(0, at) + text[i] + rows[row]!.slice(at + 1)
      at++
    }
    most = Math.max(most, rows.length)
  }
  return { rows, most }
}

describe('the line on a terminal', () => {
  it('is rewritten, with the remaining time', async () => {
    const model = binaryModel()
    const text = await onTerminal(
      () => model.fit(x, yes, { epochs: 1, batchSize: 1, verbose: 1, callbacks: [slowly] }),
      { columns: 200 },
    )
    const [head, rest] = text.split('\n')
    expect(head).toBe('Epoch 1/1')
    const paints = rest!.split('\r').slice(1)
    expect(paints.length).toBeGreaterThanOrEqual(2)
    for (const paint of paints.slice(0, -1)) {
      expect(paint).toMatch(
        new RegExp(String.raw`^\d+/20 ━*─* ETA ${duration} ${duration}/step - loss: .* - accuracy: `),
      )
      const [done] = paint.split('/')
      expect(paint.match(/━/g)?.length ?? 0).toBe(Number(done))
    }
    expect(paints.at(-1)).toMatch(new RegExp(`^20/20 ━{20} ${pace} - loss: `))
    expect(text.endsWith('\n')).toBe(true)
  })

  it.each([20, 40, 80])('takes one row of %d columns, and leaves nothing behind', async (columns) => {
    const model = binaryModel()
    model.compile({ loss: 'binaryCrossentropy', metrics: ['accuracy', 'precision', 'recall', 'auc'] })
    const options = { epochs: 3, batchSize: 1, verbose: 1, validationData: [x, yes], callbacks: [slowly] } as const
    const text = await onTerminal(() => model.fit(x, yes, options), { columns })
    for (const paint of text.split(/[\r\n]/)) expect(paint.replace('\u001b[K', '').length).toBeLessThan(columns)
    const { rows } = screenOf(text, columns)
    // Every row is the name of an epoch, its first row, or a value that has no room there.
    for (const row of rows.slice(0, -1)) expect(row).toMatch(/^(?:Epoch \d\/3|20\/20 .*| {2}- \w+: .+)$/)
    expect(rows.filter((row) => row.startsWith('20/20'))).toHaveLength(3)
    expect(rows.join('').match(/- valLoss: \d/g) ?? []).toHaveLength(3)
    expect(text).toContain('\u001b[K')
  })

  it('shows the time of the whole run beside that of the epoch, until the last', async () => {
    const text = await onTerminal(
      () => binaryModel().fit(x, yes, { epochs: 3, batchSize: 1, verbose: 1, callbacks: [slowly] }),
      { columns: 200 },
    )
    const [first, second, third] = text.split(/Epoch \d\/3\n/).slice(1)
    for (const epoch of [first!, second!])
      expect(epoch).toMatch(new RegExp(String.raw`ETA ${duration} \(run ${duration}\) `))
    expect(third).toContain('ETA')
    expect(third).not.toContain('(run')
    const run = /ETA \S+ \(run (\d+)ms\)/.exec(second!)
    // Two epochs of at least 240 ms, less what has gone.
    expect(Number(run![1])).toBeGreaterThan(240)
  })

  it('is cut by columns, of which characters may take two or none', () => {
    expect(cutTo('abcdef', 6)).toBe('abcdef')
    expect(cutTo('abcdefg', 6)).toBe('abcde…')
    expect(cutTo('精度: 0.5', 6)).toBe('精度:…')
    expect(widthOf('精度 e\u0301 😀')).toBe(9)
  })
})

describe('the progress bar of the entry for Node', () => {
  /** The painted lines of three epochs. */
  async function paints(env: Readonly<Record<string, string>>, columns = 200): Promise<readonly string[]> {
    const text = await onTerminal(() => binaryModel().fit(x, yes, { epochs: 3, batchSize: 8, verbose: 1 }), {
      columns,
      env,
    })
    return text.replaceAll('\u001b[K', '').split('\n').flatMap((line) => line.split('\r').slice(-1)).filter((line) => line.startsWith('3/3')) // prettier-ignore
  }

  it('has colours, and a sparkline of the loss from the second epoch on', async () => {
    const lines = await paints({ TERM: 'xterm' })
    expect(lines).toHaveLength(3)
    expect(lines[0]).toContain('\u001b[36m━━━━━━━━━━━━━━━━━━━━\u001b[0m')
    expect(lines[0]).not.toMatch(/[▁-█]/)
    expect(lines[2]!.replaceAll('\u001b', 'ESC')).toMatch(/ ESC\[33m[▁-█]{3}ESC\[0m *$/)
  })

  it('has no colours with NO_COLOR, which counts more than FORCE_COLOR', async () => {
    for (const env of [{ NO_COLOR: '1' }, { NO_COLOR: '1', FORCE_COLOR: '1' }]) {
      const lines = await paints({ TERM: 'xterm', ...env })
      expect(lines.join('')).not.toContain('\u001b')
      expect(lines[2]).toMatch(/ [▁-█]{3} *$/)
    }
  })

  it('is plain on a dumb terminal, and has no sparkline that would not fit', async () => {
    const dumb = (await paints({ TERM: 'dumb' })).join('')
    expect(dumb).not.toContain('\u001b')
    expect(dumb).not.toMatch(/[▁-█]/)
    expect((await paints({ TERM: 'xterm', NO_COLOR: '1' }, 40)).join('')).not.toMatch(/[▁-█]/)
    expect((await paints({ TERM: 'dumb', FORCE_COLOR: '1' }))[0]).toContain('\u001b[36m')
  })
})

describe('the progress of the entry for Deno', () => {
  /** What fit logs, and what it writes to stdout. */
  async function seen(isTTY: boolean): Promise<{ logged: readonly unknown[]; written: string }> {
    const { make } = progress
    const log = vi.spyOn(console, 'log').mockReturnValue()
    try {
      const written = await outputOf(
        () => {
          useLoggedProgress()
          return binaryModel().fit(x, yes, { epochs: 2, batchSize: 8 })
        },
        { isTTY },
      )
      return { logged: log.mock.calls.map(([line]) => line as unknown), written }
    } finally {
      progress.make = make
      log.mockRestore()
    }
  }

  it('is logged where there is no terminal, because notebooks do not show stdout', async () => {
    const done = (epoch: number): unknown => expect.stringMatching(`^Epoch ${epoch}/2 - ${pace} - loss: `)
    expect(await seen(false)).toEqual({ logged: [done(1), done(2)], written: '' })
  })

  it('is a bar on a terminal', async () => {
    const { logged, written } = await seen(true)
    expect(logged).toEqual([])
    expect(written).toMatch(/^Epoch 1\/2\n/)
  })
})
