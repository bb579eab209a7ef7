// Sources as modules that another process can import, for tests of processes that are killed or have limits.

import { basename, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'rolldown'

interface BundleOptions {
  readonly platform?: 'neutral' | 'node'
  /** The ending of the files. `js` needs a package.json with the type `module`. Default mjs. */
  readonly ending?: 'js' | 'mjs'
  readonly minify?: boolean
}

/** Bundles files, with everything that they import, into files of the same names in a folder. */
export async function bundle(
  entries: readonly string[],
  folder: string,
  { platform = 'neutral', ending = 'mjs', minify = false }: BundleOptions = {},
): Promise<void> {
  await build({
    input: Object.fromEntries(entries.map((entry) => [basename(entry).replace(/\.\w+$/, ''), entry])),
    platform,
    resolve: { mainFields: ['module', 'main'] },
    external: [/^node:/, /\.wasm$/],
    logLevel: 'silent',
    output: { dir: folder, entryFileNames: `[name].${ending}`, chunkFileNames: `[name].${ending}`, minify },
  })
}

/** Bundles entries of `src` into a folder. @returns their addresses, by their names */
export async function builtEntries<Name extends string>(
  folder: string,
  names: readonly Name[],
): Promise<Readonly<Record<Name, string>>> {
  const entries = names.map((name) => (name === 'index' ? 'src/index.ts' : `src/entries/${name}.ts`))
  await bundle(entries, folder, { platform: 'node' })
  const addressOf = (name: string): string => pathToFileURL(join(folder, `${name}.mjs`)).href
  return Object.fromEntries(names.map((name) => [name, addressOf(name)])) as Record<Name, string>
}
