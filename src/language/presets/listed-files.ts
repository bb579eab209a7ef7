// The files that a user has chosen in a page.

import { ArgumentError } from '../../core/errors'
import type { FileOpener } from './preset-folder'

/** Files by their names; those of a chosen folder by their paths within it. */
export function listedFiles(files: readonly File[], where: string): FileOpener {
  if (files.length === 0) throw new ArgumentError(`${where}: the list of files is empty`)
  const name = files[0]!.webkitRelativePath?.split('/')[0] || 'the chosen files'
  const byName = new Map(files.map((file) => [nameOf(file), file]))
  return {
    name,
    list: () => Promise.resolve([...byName.keys()]),
    open(wanted) {
      const file = byName.get(wanted)
      return Promise.resolve(
        file === undefined
          ? null
          : {
              name: wanted,
              size: file.size,
              read: async (start, end) => new Uint8Array(await file.slice(start, end).arrayBuffer()),
            },
      )
    },
  }
}

/** The path of a file within the chosen folder. */
function nameOf(file: File): string {
  const path = file.webkitRelativePath ?? ''
  return path === '' ? file.name : path.split('/').slice(1).join('/')
}
