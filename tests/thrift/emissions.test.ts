// Footprints: exact counts, times, and estimates by the documented formula.
// modes: simd, interpreter
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { ArgumentError, Dense, Sequential, StateError } from '../../src'
import { Budget, EmissionsTracker, ledger, type Figure } from '../../src/entries/thrift'
import { EnergyMeter, Rapl, whyEstimated } from '../../src/thrift/energy'
import { COLUMNS } from '../../src/thrift/emissions-log'
import { intensityOf } from '../../src/thrift/intensities'
import { Pace } from '../../src/data/samples/pace'

function network() {
  const model = new Sequential([new Dense({ units: 3, inputShape: [2], activation: 'tanh' }), new Dense({ units: 1 })])
  model.compile({ optimizer: 'sgd', loss: 'mse' })
  return model
}
const rows = (n: number) =>
  [Array.from({ length: n }, (_, i) => [i / n, 1 - i / n]), Array.from({ length: n }, (_, i) => [i / n])] as const

describe('EmissionsTracker', () => {
  it('counts every step, however many run in one call of the engine', async () => {
    const model = network()
    const [x, y] = rows(70)
    const history = await model.fit(x, y, { epochs: 9, batchSize: 8, verbose: 0, callbacks: [new EmissionsTracker()] })
    const { steps, runs, flops, bytes, seconds, cpuSeconds, joules, gCO2e, sci } = history.reports.footprint!
    // Eight batches of 8 rows, and one of 6, in each epoch.
    expect(steps.value).toBe(9 * 9)
    expect(runs.value).toBe(9 * 9)
    const of = (batchSize: number) => ledger(model, { batchSize }).training!
    expect(flops.value).toBe(9 * (8 * of(8).flops + of(6).flops))
    expect(bytes.value).toBe(9 * (8 * of(8).bytes + of(6).bytes))
    expect(seconds.value).toBeGreaterThan(0)
    expect(cpuSeconds.value).toBeGreaterThan(0)
    expect([steps, runs, seconds, cpuSeconds].every(({ how }) => how === 'measured')).toBe(true)
    expect([flops, bytes, gCO2e, sci].every(({ how }) => how === 'estimated')).toBe(true)
    expect(gCO2e.value).toBeCloseTo((joules.value / 3.6e6) * 475, 12)
    expect(sci.value).toBeCloseTo(gCO2e.value / 81, 12)
  })

  it('tracks predictions and whatever else runs', async () => {
    const model = network()
    const [x] = rows(10)
    const tracker = new EmissionsTracker({ intensity: 100, pue: 2, embodied: 6 })
    const { result, footprint } = await tracker.track(() => model.predict(x, { batchSize: 4 }))
    expect(result.shape).toEqual([10, 1])
    expect(footprint.runs.value).toBe(3)
    expect(footprint.flops.value).toBe(
      2 * ledger(model, { batchSize: 4 }).prediction.flops + ledger(model, { batchSize: 2 }).prediction.flops,
    )
    expect(footprint.steps.value).toBe(0)
    expect(footprint.gCO2e.value).toBeCloseTo((footprint.joules.value / 3.6e6) * 100, 12)
    expect(footprint.sci.value).toBeCloseTo((footprint.gCO2e.value + 6) / 3, 12)
    expect(footprint.joules.from).toContain('PUE 2')
    expect(tracker.footprint).toBe(footprint)
    // Nothing more is counted after the end, and the next one starts at zero.
    await model.predict(x)
    expect((await tracker.track(() => 5)).footprint.runs.value).toBe(0)
    await expect(tracker.track(() => Promise.reject(new Error('mine')))).rejects.toThrow('mine')
  })

  it('prints a line after fit, unless fit is silent; is written as JSON and CSV', async () => {
    const model = network()
    const [x, y] = rows(8)
    const lines: string[] = []
    const log = vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(line))
    const progress = vi.spyOn(process.stdout, 'write').mockImplementation(() => true)
    try {
      const history = await model.fit(x, y, { verbose: 2, callbacks: [new EmissionsTracker()] })
      expect(lines.at(-1)).toMatch(
        /^Footprint: 1 step, [\d.]+ k?FLOP, .* s CPU \(measured\), .* J \((measured|estimated: CPU seconds × 12 W)\), .* g CO2e \(estimated\)$/,
      )
      const written = JSON.parse(JSON.stringify(history)) as {
        reports: { footprint: Record<string, Figure> }
      }
      expect(Object.keys(written.reports.footprint)).toEqual([
        'steps',
        'runs',
        'flops',
        'bytes',
        'seconds',
        'cpuSeconds',
        'joules',
        'gCO2e',
        'sci',
      ])
      const csv = history.reports.footprint!.toCSV().split('\n')
      expect(csv[0]).toBe('figure,value,unit,how,from')
      expect(csv[1]).toBe("steps,1,steps,measured,the optimizer's count")
      expect(csv.find((line) => line.startsWith('flops'))).toMatch(/,"operations of every program, times its runs"$/)
      expect(csv).toHaveLength(11)
    } finally {
      log.mockRestore()
      progress.mockRestore()
    }
    const silent = await model.fit(x, y, { verbose: 0 })
    expect(silent.reports).toEqual({})
    expect(JSON.parse(JSON.stringify(silent))).not.toHaveProperty('reports')
  })

  it('starts again after a failed fit', async () => {
    const model = network()
    const [x, y] = rows(8)
    const tracker = new EmissionsTracker()
    const failing = {
      onTrainBegin: () => {
        throw new Error('mine')
      },
    }
    await expect(model.fit(x, y, { verbose: 0, callbacks: [tracker, failing] })).rejects.toThrow('mine')
    expect(tracker.footprint).toBeNull()
    const { reports } = await model.fit(x, y, { verbose: 0, callbacks: [tracker] })
    expect(reports.footprint!.runs.value).toBe(1)
  })

  it('refuses invalid options', () => {
    expect(() => new EmissionsTracker({ intensity: -1 })).toThrow('intensity')
    expect(() => new EmissionsTracker({ pue: 0.9 })).toThrow('pue')
    // @ts-expect-error: misspelt
    expect(() => new EmissionsTracker({ intesity: 1 })).toThrow("Did you mean 'intensity'?")
  })
})

/** A folder like /sys/class/powercap, with counters set by the test. */
function powercap(range = 1000) {
  const root = mkdtempSync(join(tmpdir(), 'powercap-'))
  const set = (name: string, microjoules: number | string, kind = 'package-0'): void => {
    mkdirSync(join(root, name), { recursive: true })
    writeFileSync(join(root, name, 'name'), `${kind}\n`)
    writeFileSync(join(root, name, 'energy_uj'), `${microjoules}\n`)
    writeFileSync(join(root, name, 'max_energy_range_uj'), `${range}\n`)
  }
  return { root, set, remove: () => rmSync(root, { recursive: true }) }
}

describe('RAPL', () => {
  it('adds up processors, not their parts nor the whole computer, over the end of the counter', () => {
    const { root, set, remove } = powercap()
    try {
      set('intel-rapl:0', 900)
      set('intel-rapl:0:0', 5)
      set('intel-rapl:1', 10, 'package-1')
      set('intel-rapl:2', 3, 'psys')
      const rapl = Rapl.open(root)!
      expect(rapl.read()).toBe(0)
      set('intel-rapl:0', 950)
      set('intel-rapl:0:0', 900)
      set('intel-rapl:1', 30, 'package-1')
      set('intel-rapl:2', 800, 'psys')
      expect(rapl.read()).toBeCloseTo(70e-6, 12)
      set('intel-rapl:0', 20)
      expect(rapl.read()).toBeCloseTo(140e-6, 12)
      const energy = new EnergyMeter(2, 0, Rapl.open(root))
      set('intel-rapl:1', 31, 'package-1')
      expect(energy.joules()).toEqual({
        value: expect.closeTo(2e-6, 12) as number,
        how: 'measured',
        from: expect.stringContaining('RAPL') as string,
      })
      energy.close()
    } finally {
      remove()
    }
  })

  it('is null without counters, or if they are not readable', () => {
    const { root, set, remove } = powercap()
    try {
      expect(Rapl.open(join(root, 'nowhere'))).toBeNull()
      expect(Rapl.open(root)).toBeNull()
      set('intel-rapl:0', 'secret')
      expect(Rapl.open(root)).toBeNull()
    } finally {
      remove()
    }
  })

  it('in a page: the clock, without the time yielded to other tasks', async () => {
    vi.stubGlobal('process', undefined)
    const energy = new EnergyMeter(1, 2e9, null)
    vi.unstubAllGlobals()
    await new Promise((resolve) => setTimeout(resolve, 20))
    const before = energy.cpuSeconds()
    expect(before.from).toContain('the clock')
    expect(before.value).toBeGreaterThan(0.015)
    const start = performance.now()
    setTimeout(() => {
      while (performance.now() < start + 40);
    }, 0)
    const pace = new Pace(undefined)
    while (performance.now() < start + 41) await pace.yield()
    expect(energy.cpuSeconds().value - before.value).toBeLessThan(0.03)
    expect(energy.joules().from).toContain('of 2.00 GB')
  })

  it('estimates from the peak of memory, also if it is free again at the end', () => {
    const energy = new EnergyMeter(1, 0, null)
    const gigabytes = () => Number(/of ([\d.]+) GB/.exec(energy.joules().from)![1])
    const before = gigabytes()
    // Above the peak of the process so far, which this file's other tests may have made.
    const bytes = 1024 * process.resourceUsage().maxRSS + 2e8 - process.memoryUsage.rss()
    let held: Uint8Array | null = new Uint8Array(bytes).fill(1)
    expect(held.at(-1)).toBe(1)
    held = null
    expect(gigabytes()).toBeGreaterThan(before + 0.1)
    energy.close()
  })

  it('else the estimate of Green Algorithms: 12 W per busy core, 0.3725 W per GB', () => {
    const energy = new EnergyMeter(1, 0, null)
    const until = performance.now() + 30
    while (performance.now() < until);
    const times = () => [energy.cpuSeconds().value, energy.seconds()] as const
    const before = times()
    const { value, how, from } = energy.joules()
    const after = times()
    const gigabytes = Number(/of ([\d.]+) GB/.exec(from)![1])
    const estimate = ([cpu, seconds]: readonly [number, number]): number => 12 * cpu + 0.3725 * gigabytes * seconds
    expect(how).toBe('estimated')
    // The text has gigabytes with a few digits.
    expect(value).toBeGreaterThanOrEqual(0.98 * estimate(before))
    expect(value).toBeLessThanOrEqual(1.02 * estimate(after))
  })
})

describe('the intensity of a country', () => {
  it('is that of CodeCarbon, with its year and its source in the output', async () => {
    expect(intensityOf('FRA')).toEqual({ grams: 56, year: 2023 })
    expect(intensityOf('DEU')).toEqual({ grams: 381, year: 2023 })
    expect(intensityOf('ABW')).toEqual({ grams: 561, year: 2022 })
    expect(['XXX', 'fra', 'FR', '', '56'].map(intensityOf)).toEqual([null, null, null, null, null])
    const { footprint } = await new EmissionsTracker({ country: 'FRA' }).track(() => 5)
    expect(footprint.gCO2e.value).toBeCloseTo((footprint.joules.value / 3.6e6) * 56, 15)
    expect(footprint.gCO2e.from).toMatch(/at 56 g CO2e\/kWh \(FRA 2023: global_energy_mix\.json of CodeCarbon/)
    expect((await new EmissionsTracker().track(() => 5)).footprint.gCO2e.from).toContain(
      '475 g CO2e/kWh (world average',
    )
    expect((await new EmissionsTracker({ intensity: 475 }).track(() => 5)).footprint.gCO2e.from).not.toContain('world')
  })

  it('is refused for an unknown country, and beside an intensity', async () => {
    expect(() => new EmissionsTracker({ country: 'FR' })).toThrow(/three letters, such as 'FRA', received 'FR'/)
    const both = { country: 'FRA', intensity: 475 } as const
    await expect(new EmissionsTracker(both).track(() => 5)).rejects.toThrow(ArgumentError)
    const [x, y] = rows(8)
    const budget = new Budget({ joules: 5, ...both })
    await expect(network().fit(x, y, { verbose: 0, callbacks: [budget] })).rejects.toThrow(/give one of them/)
  })

  it('is saved with the options', () => {
    expect(new EmissionsTracker({ country: 'NOR' }).country).toBe('NOR')
  })
})

describe('the log', () => {
  const within = async (body: (path: string) => Promise<void>): Promise<void> => {
    const folder = mkdtempSync(join(tmpdir(), 'emissions-'))
    try {
      await body(join(folder, 'runs', 'emissions.csv'))
    } finally {
      rmSync(folder, { recursive: true })
    }
  }

  it('gets a line for each run, with the columns of CodeCarbon', () =>
    within(async (log) => {
      const tracker = new EmissionsTracker({ country: 'FRA', pue: 1.5, log, project: 'a, "b"' })
      const [x, y] = rows(8)
      await network().fit(x, y, { verbose: 0, callbacks: [tracker] })
      const { footprint } = await tracker.track(() => network().predict(x))
      const [header, ...lines] = readFileSync(log, 'utf8').trimEnd().split('\n')
      expect(header).toBe(COLUMNS.join(','))
      expect(header).toMatch(
        /^timestamp,project_name,run_id,experiment_id,duration,emissions,emissions_rate,cpu_power,/,
      )
      expect(lines).toHaveLength(2)
      // The model of the processor may have a comma of its own, which is quoted.
      const cells = Array.from(`${lines[1]!},`.matchAll(/(?:"((?:[^"]|"")*)"|([^",]*)),/g), ([, quoted, plain]) =>
        quoted === undefined ? plain! : quoted.replaceAll('""', '"'),
      )
      expect(cells).toHaveLength(COLUMNS.length)
      const cell = (name: (typeof COLUMNS)[number]): string => cells[COLUMNS.indexOf(name)]!
      expect(cell('project_name')).toBe('a, "b"')
      expect(cell('timestamp')).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/)
      expect(cell('country_iso_code')).toBe('FRA')
      expect(Number(cell('pue'))).toBe(1.5)
      expect(Number(cell('duration'))).toBe(footprint.seconds.value)
      expect(Number(cell('emissions'))).toBe(footprint.gCO2e.value / 1000)
      expect(Number(cell('emissions_rate'))).toBeCloseTo(footprint.gCO2e.value / 1000 / footprint.seconds.value, 12)
      expect(Number(cell('energy_consumed'))).toBe(footprint.joules.value / 3.6e6)
      const parts = Number(cell('cpu_energy')) + Number(cell('ram_energy'))
      expect(parts).toBeCloseTo(footprint.joules.value / 3.6e6, 15)
      if (footprint.joules.how === 'estimated')
        expect(Number(cell('cpu_energy'))).toBeCloseTo((1.5 * 12 * footprint.cpuSeconds.value) / 3.6e6, 15)
      expect([cell('python_version'), cell('codecarbon_version'), cell('gpu_energy')]).toEqual(['', '', ''])
    }))

  it('is not mixed with another file', () =>
    within(async (log) => {
      mkdirSync(join(log, '..'))
      writeFileSync(log, 'timestamp,project_name\n')
      await expect(new EmissionsTracker({ log }).track(() => 5)).rejects.toThrow(StateError)
      expect(readFileSync(log, 'utf8')).toBe('timestamp,project_name\n')
    }))
})

it('says for each platform why joules are estimated', () => {
  expect(whyEstimated('linux')).toContain('RAPL')
  expect(whyEstimated('darwin')).toContain('powermetrics')
  expect(whyEstimated('win32')).toContain('Windows')
  expect(whyEstimated('aix')).toBe('no counter is known on aix')
  expect(whyEstimated(null)).toBe('a page has no counter')
  const meter = new EnergyMeter(1, 0, null)
  expect(meter.joules().from).toMatch(/CPU seconds × 12 W \+ 0\.3725 W per GB of [\d.]+ GB; /)
  meter.close()
})
