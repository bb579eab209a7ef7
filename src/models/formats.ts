// Formats of other libraries. Their code is in sub-paths of the package and is loaded when a file of theirs is met, so that a page
// without such files does not contain it.

import { StateError } from '../core/errors'
import { isKerasFile } from '../formats/foreign'
import type { FormatModule } from './format-hook'

/** A format. */
interface Format {
  /** The sub-path with its code, for errors. */
  readonly subPath: string
  /** The ending of the paths to which it is written. */
  readonly extension: string
  /** Whether bytes are a file of the format. */
  is(bytes: Uint8Array): boolean
  load(): Promise<FormatModule>
}

const formats: readonly Format[] = [
  {
    subPath: 'keras',
    extension: '.keras',
    is: isKerasFile,
    load: async () => {
      const { fillFromKeras, modelFromKeras, saveAsKeras } = await import('../keras')
      return { read: modelFromKeras, fill: fillFromKeras, save: saveAsKeras }
    },
  },
]

/** The code of the format of a file, by its bytes or by its path; null for a file of this library. */
export async function formatOf(file: Uint8Array | string): Promise<FormatModule | null> {
  const format = formats.find(({ is, extension }) => (typeof file === 'string' ? file.endsWith(extension) : is(file)))
  if (format === undefined) return null
  try {
    return await format.load()
  } catch (cause) {
    throw new StateError(
      `Files of this format are read and written by 'myelin/${format.subPath}', which could not be loaded. Import it: import 'myelin/${format.subPath}'`,
      { cause },
    )
  }
}
