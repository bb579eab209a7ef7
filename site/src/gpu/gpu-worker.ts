// A worker that builds the rows of bench/webgpu and times them, on the GPU or with WebAssembly.

import * as myelin from 'myelin'
import { ledger } from 'myelin/thrift'
import { useWebGPU } from 'myelin/webgpu'
import { sampleOf } from '../../../bench/peers/measure.mjs'
import { countCalls } from '../../../bench/webgpu/counts.mjs'
import { measuredLimits } from '../../../bench/webgpu/limits.mjs'
import { flopsOf, myelinAdapter } from '../../../bench/webgpu/myelin.mjs'
import { placesOfAuto, useDevice } from '../../../bench/webgpu/places.mjs'
import { adapterLines } from '../../../bench/webgpu/report.mjs'
import { countedRow, preparedRow } from '../../../bench/webgpu/rows.mjs'
import type { Answer, Built, CallName, Found, Question, Questions } from './protocol'

const library = myelinAdapter(myelin)
const counter = typeof GPUDevice === 'undefined' ? { take: () => ({}) } : countCalls(globalThis)

type Row = Awaited<ReturnType<typeof countedRow>>
interface Current {
  readonly prepared: ReturnType<typeof preparedRow>
  readonly row: Row
  readonly end: () => void
}
let current: Current | null = null

function theCurrent(): Current {
  if (current === null) throw new Error('internal: no row is built')
  return current
}

async function find(): Promise<Found> {
  const { note, isAvailable, stop } = await useWebGPU()
  stop()
  const adapter = (await navigator.gpu?.requestAdapter()) ?? null
  if (adapter === null) return { note, isAvailable, lines: [], limits: null }
  const lines = adapterLines(adapter)
  return { note, isAvailable, lines, limits: isAvailable ? await measuredLimits(await adapter.requestDevice()) : null }
}

async function build({ id, place, isCounted }: Questions['build']['argument']): Promise<Built> {
  const prepared = preparedRow(id, { isCounted })
  const device = place === 'gpu' ? await useDevice(useWebGPU, 'always') : null
  const row: Row = await countedRow(library, prepared, counter)
  current = {
    prepared,
    row,
    end() {
      row.dispose()
      device?.end()
    },
  }
  const about = (call: string): [string, object] => [
    call,
    { flops: flopsOf({ myelin, ledger }, prepared, call), counts: row.counts[call] },
  ]
  return {
    calls: Object.fromEntries(Object.keys(row.calls).map(about)),
    refused: device?.use.programs.flatMap(({ device: on, why }) => (on === 'gpu' ? [] : [why])) ?? [],
  }
}

async function sample({ call, milliseconds }: Questions['sample']['argument']): Promise<number> {
  const { call: run, units } = theCurrent().row.calls[call]!
  return (await sampleOf(run, milliseconds)) / units
}

function end(): null {
  current?.end()
  current = null
  return null
}

async function auto(): Promise<Questions['auto']['answer']> {
  const { prepared } = theCurrent()
  end()
  return placesOfAuto(useWebGPU, library, prepared) as Promise<Partial<Record<CallName, never>>>
}

const answers: {
  readonly [Kind in keyof Questions]: (
    argument: Questions[Kind]['argument'],
  ) => Questions[Kind]['answer'] | Promise<Questions[Kind]['answer']>
} = { find, build, sample, auto, end }

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker has no other origins
const post = (answer: Answer): void => self.postMessage(answer)

self.addEventListener('message', async ({ data: { id, kind, argument } }: MessageEvent<Question>) => {
  try {
    post({ id, value: await (answers[kind] as (of: unknown) => unknown)(argument), error: null })
  } catch (error) {
    post({ id, value: null, error: error instanceof Error ? error.message : String(error) })
  }
})
