// interim
import { readFileSync, existsSync } from 'node:fs'
import type { PresetFolder } from './preset-folder'
export type PresetSource = string | URL | readonly File[]
export interface OpenPresetOptions {
  readonly signal?: AbortSignal | null
}
export async function openPreset(source: PresetSource, _options: OpenPresetOptions): Promise<PresetFolder> {
  const path = String(source)
  const bytes = async (name: string) => (existsSync(`${path}/${name}`) ? readFileSync(`${path}/${name}`) : null)
  const text = async (name: string) => (await bytes(name))?.toString('utf8') ?? null
  return {
    name: path,
    bytes,
    text,
    json: async (name) => {
      const t = await text(name)
      return t === null ? null : JSON.parse(t)
    },
  }
}
