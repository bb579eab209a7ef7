// A log of footprints that lasts: a line of a file for each run, with the columns of CodeCarbon's emissions.csv.

import { StateError } from '../core/errors'
import { encodeUtf8, utf8Text } from '../core/text'
import { GrowingFile } from '../engine/runtime/files'
import { nodeModule } from '../engine/runtime/platform'
import { writingTo } from '../training/callbacks/places'
import { WATTS_PER_CORE } from './energy'
import type { Footprint } from './figures'
import { JOULES_PER_KWH, csvField } from './footprint'

/** The columns of CodeCarbon 3.3, in its order. Unknown values stay empty. */
export const COLUMNS = [
  'timestamp',
  'project_name',
  'run_id',
  'experiment_id',
  'duration',
  'emissions',
  'emissions_rate',
  'cpu_power',
  'gpu_power',
  'ram_power',
  'cpu_energy',
  'gpu_energy',
  'ram_energy',
  'energy_consumed',
  'water_consumed',
  'country_name',
  'country_iso_code',
  'region',
  'cloud_provider',
  'cloud_region',
  'os',
  'python_version',
  'codecarbon_version',
  'cpu_count',
  'cpu_model',
  'gpu_count',
  'gpu_model',
  'longitude',
  'latitude',
  'ram_total_size',
  'tracking_mode',
  'cpu_utilization_percent',
  'gpu_utilization_percent',
  'ram_utilization_percent',
  'ram_used_gb',
  'on_cloud',
  'pue',
  'wue',
] as const

/** The columns of a run that its footprint does not contain. */
export interface LoggedRun {
  readonly project: string
  readonly country: string | null
  readonly pue: number
}

/** Adds a line to the log, and the header to a new one. @throws StateError for a file with other columns */
export function logFootprint(path: string, footprint: Footprint, run: LoggedRun): Promise<void> {
  return writingTo(path, 'EmissionsTracker', async () => {
    const file = new GrowingFile(path, null)
    const header = `${COLUMNS.join(',')}\n`
    const isNew = (await file.length()) === 0
    if (!isNew && !(await beginsWith(path, header.trimEnd())))
      throw new StateError(
        `EmissionsTracker: '${path}' has other columns than those of CodeCarbon 3.3. Give log another path.`,
      )
    const cells = cellsOf(footprint, run)
    const line = COLUMNS.map((name) => csvField(String(cells[name] ?? ''))).join(',')
    await file.append(encodeUtf8(`${isNew ? header : ''}${line}\n`))
  })
}

async function beginsWith(path: string, header: string): Promise<boolean> {
  const handle = await nodeModule('node:fs/promises')!.open(path, 'r')
  try {
    const { buffer, bytesRead } = await handle.read(new Uint8Array(header.length + 1), 0, header.length + 1, 0)
    const text = utf8Text(buffer.subarray(0, bytesRead))
    return text.startsWith(header) && /[\r\n]$/.test(text)
  } finally {
    await handle.close()
  }
}

/** Energies in kWh, emissions in kg, seconds, W and GB, as CodeCarbon has them. */
function cellsOf(
  { seconds, cpuSeconds, joules, gCO2e }: Footprint,
  { project, country, pue }: LoggedRun,
): Partial<Record<(typeof COLUMNS)[number], string | number>> {
  const isMeasured = joules.how === 'measured'
  const processor = isMeasured ? joules.value : pue * WATTS_PER_CORE * cpuSeconds.value
  const memory = joules.value - processor
  const duration = seconds.value
  const emissions = gCO2e.value / 1000
  const os = nodeModule('node:os')
  const processors = os?.cpus() ?? []
  return {
    timestamp: new Date().toISOString().slice(0, 19),
    project_name: project,
    run_id: globalThis.crypto.randomUUID(),
    duration,
    emissions,
    emissions_rate: emissions / duration,
    cpu_power: processor / duration,
    cpu_energy: processor / JOULES_PER_KWH,
    // RAPL of whole processors may contain memory or not.
    ...(isMeasured ? {} : { ram_power: memory / duration, ram_energy: memory / JOULES_PER_KWH }),
    energy_consumed: joules.value / JOULES_PER_KWH,
    country_iso_code: country ?? '',
    pue,
    tracking_mode: isMeasured ? 'machine' : 'process',
    ...(os === null
      ? {}
      : {
          os: `${os.type()}-${os.release()}-${os.machine()}`,
          cpu_count: processors.length,
          cpu_model: processors[0]?.model ?? '',
          ram_total_size: os.totalmem() / 1024 ** 3,
        }),
  }
}
