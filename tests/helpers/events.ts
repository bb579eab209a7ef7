// Reads event files for tests: the tags of a file, their steps and scalars.

import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'

type Fields = [number: number, content: Uint8Array | number][]

/** The fields of a message of protocol buffers. */
function fieldsOf(bytes: Uint8Array): Fields {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const fields: Fields = []
  let at = 0
  const varint = (): number => {
    let value = 0
    for (let factor = 1; ; factor *= 128) {
      const byte = bytes[at++]!
      value += (byte & 127) * factor
      if (byte < 128) return value
    }
  }
  while (at < bytes.length) {
    const key = varint()
    const wire = key & 7
    if (wire === 2) {
      const length = varint()
      fields.push([key >> 3, bytes.subarray(at, at + length)])
      at += length
    } else {
      fields.push([
        key >> 3,
        wire === 0 ? varint() : wire === 1 ? view.getFloat64(at, true) : view.getFloat32(at, true),
      ])
      at += wire === 0 ? 0 : wire === 1 ? 8 : 4
    }
  }
  return fields
}

/** By tag: [step, scalar]; [step, null] for other values. */
export type Events = Record<string, [step: number, scalar: number | null][]>

/** The fields of each event of the only event file of a folder. */
async function recordsIn(folder: string): Promise<Fields[]> {
  const names = await readdir(folder)
  if (names.length !== 1 || !names[0]!.includes('tfevents'))
    throw new Error(`expected one event file, received ${names.join()}`)
  const bytes = await readFile(join(folder, names[0]!))
  const records: Fields[] = []
  for (let at = 0; at < bytes.length;) {
    const length = bytes.readUInt32LE(at)
    records.push(fieldsOf(bytes.subarray(at + 12, at + 12 + length)))
    at += 12 + length + 4
  }
  return records
}

/** The number of graphs in the only event file of a folder. */
export async function graphsIn(folder: string): Promise<number> {
  const records = await recordsIn(folder)
  return records.filter((event) => event.some(([number]) => number === 4)).length
}

/** The contents of the only event file of a folder. */
export async function eventsIn(folder: string): Promise<Events> {
  const events: Events = {}
  for (const event of await recordsIn(folder)) {
    const step = event.find(([number]) => number === 2)?.[1] as number | undefined
    const summary = event.find(([number]) => number === 5)?.[1] as Uint8Array | undefined
    for (const [, value] of summary === undefined ? [] : fieldsOf(summary)) {
      const parts = fieldsOf(value as Uint8Array)
      const tag = Buffer.from(parts.find(([number]) => number === 1)![1] as Uint8Array).toString()
      const scalar = parts.find(([number]) => number === 2)?.[1] as number | undefined
      ;(events[tag] ??= []).push([step ?? 0, scalar ?? null])
    }
  }
  return events
}
