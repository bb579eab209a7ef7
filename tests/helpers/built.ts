// Sources as modules that another process can import, for tests of processes that are killed or have limits.

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'tsdown'

/** Bundles entries of `src` into a folder. @returns their addresses, by their names */
export async function builtEntries<Name extends string>(
  folder: string,
  names: readonly Name[],
): Promise<Readonly<Record<Name, string>>> {
  await build({
    entry: names.map((name) => `src/${name}.ts`),
    outDir: folder,
    format: 'esm',
    platform: 'node',
    dts: false,
    config: false,
    logLevel: 'silent',
  })
  const files = readdirSync(folder)
  const addressOf = (name: string): string =>
    pathToFileURL(
      join(
        folder,
        files.find((file) => file === `${name}.mjs` || file === `${name}.js`)!,
      ),
    ).href
  return Object.fromEntries(names.map((name) => [name, addressOf(name)])) as Record<Name, string>
}
