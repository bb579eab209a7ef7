// Temporary files and folders, which get their names when they are complete, and the removal of those that killed processes
// left (Node).

import { xxh32 } from '../../core/xxh32'
import { nodeModule, nodeProcess, type NodeModules } from './platform'

type FileSystem = NodeModules['node:fs/promises']

/** After this time no process, on any machine, is still writing a file. */
const ABANDONED_MS = 24 * 3600 * 1000

/** What a temporary name stands for: a file that becomes another, or the list of files that a process is writing. */
export type Ending = 'tmp' | 'list'

const NAME = /^\.myelin-(?:([0-9a-f]{8})-)?(\d+)-[0-9a-z]*\.(tmp|list)$/

/** Identifies a scope of process ids: one boot of a machine and, for containers, a namespace. */
function scopeOf(): string {
  const files = nodeModule('node:fs')
  const reading = (read: () => string | undefined): string => {
    try {
      return read() ?? ''
    } catch {
      // Only Linux has these; other systems have one scope of process ids per machine.
      return ''
    }
  }
  const text = [
    reading(() => nodeModule('node:os')?.hostname()),
    reading(() => files?.readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')),
    reading(() => files?.readlinkSync('/proc/self/ns/pid')),
  ].join('\n')
  return xxh32(Uint8Array.from(text, (letter) => letter.charCodeAt(0)))
    .toString(16)
    .padStart(8, '0')
}

/** A name that no other write uses: `.myelin-scope-process-random.tmp`. */
export function temporaryName(ending: Ending = 'tmp'): string {
  return `.myelin-${scopeOf()}-${nodeProcess()!.pid}-${Math.random().toString(36).slice(2)}.${ending}`
}

function isAlive(pid: number): boolean {
  try {
    return nodeProcess()!.kill(pid, 0)
  } catch (error) {
    // EPERM: the process exists and belongs to another user.
    return !(typeof error === 'object' && error !== null && 'code' in error && error.code === 'ESRCH')
  }
}

/**
 * The paths of what killed processes left in a folder. A file stays while a process with its id is alive,
 * so a reused id only delays the removal. Ids from another machine, boot or container are meaningless here:
 * such a file counts as left when it is older than a day.
 */
export async function leftovers(
  files: FileSystem,
  folder: string,
  join: (...parts: string[]) => string,
  ending: Ending = 'tmp',
): Promise<string[]> {
  const scope = scopeOf()
  const names = await files.readdir(folder).catch(() => [])
  const found = await Promise.all(
    names.map(async (name) => {
      const [, owner, id, kind] = NAME.exec(name) ?? []
      const path = join(folder, name)
      if (kind !== ending || isAlive(Number(id))) return []
      const isKnown = owner === scope
      return isKnown || (await ageOf(files, path)) > ABANDONED_MS ? [path] : []
    }),
  )
  return found.flat()
}

/** Removes the files and folders that killed processes left in a folder. */
export async function removeLeftovers(files: FileSystem, folder: string, join: (...parts: string[]) => string) {
  const paths = await leftovers(files, folder, join)
  // Another process may have removed one meanwhile.
  await Promise.all(paths.map((path) => files.rm(path, { recursive: true, force: true }).catch(() => {})))
}

async function ageOf(files: FileSystem, path: string): Promise<number> {
  return Date.now() - ((await files.stat(path).catch(() => null))?.mtimeMs ?? NaN)
}
