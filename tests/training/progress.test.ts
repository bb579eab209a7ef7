// modes: simd
// The entry for Node is not used here, so the bar is set for each test.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ProgressBar, formatDuration, formatLogs, progress } from '../../src/training/callbacks/progress'
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

  it('verbose 1 in a log is two lines per epoch', async () => {
    const lines = (await fit(1, false)).split('\n')
    const done = expect.stringMatching(`^3/3 ━{20} ${pace} - loss: .* - accuracy: .*$`)
    expect(lines).toEqual(['Epoch 1/2', done, 'Epoch 2/2', done, ''])
  })

  it('verbose 1 on a terminal rewrites its line, with the remaining time', async () => {
    const model = binaryModel()
    const text = await outputOf(
      () =>
        model.fit(x, yes, {
          epochs: 1,
          batchSize: 1,
          verbose: 1,
          // Slow enough to be painted meanwhile.
          callbacks: [{ onTrainBatchEnd: () => new Promise((resolve) => setTimeout(resolve, 12)) }],
        }),
      { isTTY: true },
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

  it('is a bar by default', async () => {
    expect(await outputOf(() => binaryModel().fit(x, yes))).toMatch(/^Epoch 1\/1\n1\/1 ━{20} /)
  })
})

describe('the progress bar of the entry for Node', () => {
  /** The painted lines of three epochs. */
  async function paints(env: Readonly<Record<string, string>>, columns = 200): Promise<readonly string[]> {
    const before = { make: progress.make, columns: Object.getOwnPropertyDescriptor(process.stdout, 'columns') }
    useTerminalProgress()
    for (const name of ['NO_COLOR', 'FORCE_COLOR', 'TERM']) vi.stubEnv(name, env[name])
    Object.defineProperty(process.stdout, 'columns', { value: columns, configurable: true })
    try {
      const text = await outputOf(() => binaryModel().fit(x, yes, { epochs: 3, batchSize: 8, verbose: 1 }), {
        isTTY: true,
      })
      return text.split('\n').flatMap((line) => line.split('\r').slice(-1)).filter((line) => line.startsWith('3/3')) // prettier-ignore
    } finally {
      progress.make = before.make
      vi.unstubAllEnvs()
      if (before.columns === undefined) Reflect.deleteProperty(process.stdout, 'columns')
      else Object.defineProperty(process.stdout, 'columns', before.columns)
    }
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
    const done = expect.stringMatching(`^3/3 ━{20} ${pace} - loss: `)
    expect(await seen(false)).toEqual({ logged: ['Epoch 1/2', done, 'Epoch 2/2', done], written: '' })
  })

  it('is a bar on a terminal', async () => {
    const { logged, written } = await seen(true)
    expect(logged).toEqual([])
    expect(written).toMatch(/^Epoch 1\/2\n/)
  })
})
