// Data to learn from, as layers that adapt read them: at once from arrays, or batch by batch from what comes one after the other.

import type { ElementsOrMaker, Source } from '../../data/source'
import { END, isElements, sourceOf } from '../../data/source'
import { ArgumentError } from '../../core/errors'

/** Data to adapt to: an array, or batches or rows one after the other. */
export type AdaptData<Data> = Data | ElementsOrMaker<Data>

/** Calls a function with the data, or with each of their parts. @throws ArgumentError for data without end */
export async function eachPart<Data>(data: AdaptData<Data>, where: string, visit: (part: Data) => void): Promise<void> {
  if (!isElements(data)) return visit(data as Data)
  const source: Source<Data> = sourceOf(data as ElementsOrMaker<Data>, where)
  if (source.size === Infinity) throw new ArgumentError(`${where}: the data have no end. Use take.`)
  const cursor = source.open(0)
  try {
    for (;;) {
      const part = await cursor.next()
      if (part === END) return
      visit(part)
    }
  } finally {
    await cursor.close()
  }
}
