// Files that TensorFlow.js wrote: see tests/golden/tfjs_layers.mjs.

import { readFileSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Golden } from '../keras/goldens'

const folder = new URL('../../golden/tfjs/layers/', import.meta.url)

/** The path of model.json of a case. */
export function pathOf(name: string): string {
  return fileURLToPath(new URL(`${name}.json`, folder))
}

export function bytesOf(file: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(readFileSync(new URL(file, folder)))
}

export function jsonOf<Content>(file: string): Content {
  return JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as Content
}

export function goldenOf(name: string): Golden {
  return jsonOf<Golden>(`${name}.golden.json`)
}

/** The names of the cases in a folder. */
export function casesIn(path = ''): string[] {
  return readdirSync(new URL(path, folder))
    .filter((name) => name.endsWith('.golden.json'))
    .map((name) => path + name.replace('.golden.json', ''))
}

/** The files of a case besides model.json, by their names. */
export function filesOf(name: string): Record<string, Uint8Array<ArrayBuffer>> {
  const { weightsManifest } = jsonOf<{ readonly weightsManifest: readonly { readonly paths: readonly string[] }[] }>(
    `${name}.json`,
  )
  const paths = weightsManifest.flatMap((group) => group.paths)
  const place = name.slice(0, name.lastIndexOf('/') + 1)
  return Object.fromEntries(paths.map((path) => [path, bytesOf(place + path)]))
}
