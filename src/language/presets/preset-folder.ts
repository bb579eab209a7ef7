// The folder of a model: files by name, read in parts. Where the files are is in the modules beside it: file-folder.ts, listed-files.ts,
// remote-folder.ts.

import { FormatError } from '../../core/errors'
import type { Json } from '../../core/registry'
import { decodeUtf8 } from '../../core/text'
import { tokenizerContent, type TokenizerContent } from '../tokens/tokenizer-content'

/** A file of a preset. */
export interface PresetFile {
  /** Its place, for errors. */
  readonly name: string
  /** Its length in bytes. */
  readonly size: number
  /**
   * The bytes from `start` to `end`, without that at `end`.
   * @param into room for them, which a file of the file system fills
   */
  read(start: number, end: number, into?: Uint8Array<ArrayBuffer>): Promise<Uint8Array>
  /** Runs `body`, during which reads do not open the file again. Only files of the file system have this. */
  whileOpen?<Result>(body: () => Promise<Result>): Promise<Result>
}

/** Opens files by their names; null if there is none of a name. */
export interface FileOpener {
  /** The folder, for errors. */
  readonly name: string
  open(name: string): Promise<PresetFile | null>
  /** The names of files, where they can be listed. */
  list(): Promise<readonly string[]>
}

/** The largest JSON or text file that is read: that of the tokenizer of a large vocabulary has some 30 MB. */
const MOST_TEXT = 2 ** 28

export class PresetFolder {
  constructor(private readonly opener: FileOpener) {}

  /** The folder, for errors. */
  get name(): string {
    return this.opener.name
  }

  /** A file; null if there is none. */
  open(name: string): Promise<PresetFile | null> {
    return this.opener.open(name)
  }

  /** The names of the files, as far as they can be listed. */
  list(): Promise<readonly string[]> {
    return this.opener.list()
  }

  /** The text of a file; null if there is none. @throws FormatError for a file that is too large, or no UTF-8 */
  text(name: string): Promise<string | null> {
    return this.read(name, decodeUtf8)
  }

  /** The value of a JSON file; null if there is none. @throws FormatError for text that is no JSON */
  json(name: string): Promise<Json> {
    return this.read(name, (bytes): Json => JSON.parse(decodeUtf8(bytes)))
  }

  /** The content of tokenizer.json; null if there is none. @throws FormatError for text that is no JSON */
  tokenizer(): Promise<TokenizerContent | null> {
    return this.read('tokenizer.json', tokenizerContent)
  }

  private async read<Value>(name: string, parse: (bytes: Uint8Array) => Value): Promise<Value | null> {
    const file = await this.open(name)
    if (file === null) return null
    if (file.size > MOST_TEXT)
      throw new FormatError(`${file.name} has ${file.size} bytes; a text file of a model has at most ${MOST_TEXT}`)
    const bytes = await file.read(0, file.size)
    try {
      return parse(bytes)
    } catch (cause) {
      if (cause instanceof TypeError)
        throw new FormatError(`${file.name} is damaged: it is no text in UTF-8`, { cause })
      if (cause instanceof SyntaxError)
        throw new FormatError(`${this.name}: ${name} is damaged or truncated: it is no JSON`, { cause })
      throw cause
    }
  }
}
