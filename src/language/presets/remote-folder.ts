// A folder on a server: files are read in ranges. A broken transfer goes on where it stopped; a file that changes meanwhile is an error.

import { StateError } from '../../core/errors'
import { ask, bodyOf } from '../../engine/runtime/platform'
import type { FileOpener, PresetFile } from './preset-folder'

/** How often a transfer that breaks is continued. */
const RETRIES = 4
/** The pause before the first of them, in ms; it doubles. */
const PAUSE = 250

export interface RemoteOptions {
  readonly headers: Readonly<Record<string, string>>
  readonly signal: AbortSignal | null
  /** Whether the server is the hub, which states the SHA-256 of large files. */
  readonly isHub: boolean
  /** Is called with the bytes of a file so far. */
  readonly onProgress: ((progress: DownloadProgress) => void) | null
}

export interface DownloadProgress {
  /** The name of the file within the folder. */
  readonly file: string
  /** The bytes of it that were read, and all. */
  readonly loaded: number
  readonly total: number
}

export interface RemoteFolder extends FileOpener {
  open(name: string): Promise<RemoteFile | null>
}

/** @param base the address of the folder, which ends in / */
export function remoteFolder(base: string, options: RemoteOptions): RemoteFolder {
  return {
    name: base,
    list: () => Promise.resolve([]),
    async open(name) {
      const file = new RemoteFile(new URL(name, base).href, name, options)
      return (await file.begin()) ? file : null
    },
  }
}

export class RemoteFile implements PresetFile {
  size = 0
  /** The tag of the version that is read; null if the server gives none. */
  tag: string | null = null
  /** The SHA-256 of the content that the server states; null if it states none. */
  sha256: string | null = null
  /** The whole file, from a server that does not send ranges. */
  private whole: Uint8Array | null = null
  private loaded = 0

  constructor(
    readonly name: string,
    private readonly file: string,
    private readonly options: RemoteOptions,
  ) {}

  /** Asks for the size. @returns whether there is such a file */
  async begin(): Promise<boolean> {
    this.sha256 = await this.statedSum()
    const response = await this.request(0, 1)
    if (response.status === 404) {
      await response.body?.cancel()
      return false
    }
    this.tag = strongTag(response)
    this.sha256 ??= sumIn(response.headers.get('etag'))
    const total = /\/(\d+)$/.exec(response.headers.get('content-range') ?? '')?.[1]
    if (response.status === 206 && total !== undefined) {
      this.size = Number(total)
      await response.body?.cancel()
    } else if (response.status === 416) this.size = 0
    else this.whole = await this.wholeOf(response)
    return true
  }

  /** The hub states the sum in the answer that leads to another server, which pages cannot see. */
  private async statedSum(): Promise<string | null> {
    if (!this.options.isHub) return null
    const { headers, signal } = this.options
    const response = await ask(this.name, { method: 'HEAD', redirect: 'manual', headers, signal })
    return sumIn(response.headers.get('x-linked-etag'))
  }

  /** Notes that bytes at the beginning are there already. */
  skip(bytes: number): void {
    this.note(bytes)
  }

  private async wholeOf(response: Response): Promise<Uint8Array> {
    this.requireOk(response)
    const whole = new Uint8Array(await response.arrayBuffer())
    this.size = whole.length
    this.note(whole.length)
    return whole
  }

  async read(start: number, end: number): Promise<Uint8Array> {
    if (this.whole !== null) return this.whole.subarray(start, end)
    const bytes = new Uint8Array(end - start)
    let at = 0
    for (let attempt = 0; at < bytes.length;) {
      const before = at
      try {
        for await (const part of this.parts(start + at, end)) {
          bytes.set(part, at)
          at += part.length
          this.note(part.length)
        }
        if (at < bytes.length) throw new StateError(`${this.name}: the server sent only ${at} of ${bytes.length} bytes`)
      } catch (error) {
        this.options.signal?.throwIfAborted()
        if (error instanceof ChangedError) throw error
        // A transfer that goes on is no failure.
        attempt = at > before ? 1 : attempt + 1
        if (attempt > RETRIES) throw error
        await new Promise((resolve) => setTimeout(resolve, PAUSE * 2 ** (attempt - 1)))
      }
    }
    return bytes
  }

  private async *parts(start: number, end: number): AsyncGenerator<Uint8Array, void, void> {
    const response = await this.request(start, end)
    const tag = strongTag(response)
    // A whole file where a part in the middle was asked for is another version, or the server does not know ranges any more.
    if ((response.status === 200 && start > 0) || (tag !== null && this.tag !== null && tag !== this.tag)) {
      await response.body?.cancel()
      throw new ChangedError(`${this.name} has changed on the server while it was read. Load it again`)
    }
    this.requireOk(response)
    let left = end - start
    for await (const part of bodyOf(response, this.name)) {
      yield part.subarray(0, left)
      left -= part.length
      if (left <= 0) return
    }
  }

  private request(start: number, end: number): Promise<Response> {
    const { headers, signal } = this.options
    const range = { Range: `bytes=${start}-${end - 1}`, ...(this.tag === null ? {} : { 'If-Range': this.tag }) }
    return ask(this.name, { headers: { ...headers, ...range }, signal })
  }

  private requireOk({ status }: Response): void {
    if (status === 200 || status === 206) return
    const advice = status === 401 || status === 403 ? '. The repository may require a token: pass the option token' : ''
    throw new StateError(`${this.name}: the server answered ${status}${advice}`)
  }

  private note(bytes: number): void {
    this.loaded = Math.min(this.size, this.loaded + bytes)
    this.options.onProgress?.({ file: this.file, loaded: this.loaded, total: this.size })
  }
}

/** Another file has the same address now. */
class ChangedError extends StateError {}

/** The tag of a version of a file; null for a weak one, which ranges cannot use. */
function strongTag(response: Response): string | null {
  const tag = response.headers.get('etag')
  return tag === null || tag.startsWith('W/') ? null : tag
}

/** A tag that is a SHA-256. */
function sumIn(tag: string | null): string | null {
  return /^"?([\da-f]{64})"?$/.exec(tag ?? '')?.[1] ?? null
}
