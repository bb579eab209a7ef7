// Post-processors of tokenizer.json: they add special tokens around one text or two.

import { FormatError, quoted } from '../../core/errors'
import { isList, isRecord, itemsOf, recordAt, valueAt, type JsonRecord } from '../../files/containers/json'
import type { Json } from '../../core/registry'
import { countField, partOf, recordField, textField, type PartTable } from './fields'

/** A part of what a model sees: special tokens, or the first (A) or the second text (B). */
export type Part =
  | { readonly ids: readonly number[]; readonly type: number }
  | { readonly text: 'A' | 'B'; readonly type: number }

/** What surrounds one text, and two. */
export interface Template {
  readonly single: readonly Part[]
  readonly pair: readonly Part[]
  /** The same without special tokens. */
  readonly bareSingle: readonly Part[]
  readonly barePair: readonly Part[]
}

const A: Part = { text: 'A', type: 0 }
const B: Part = { text: 'B', type: 1 }

/** Adds no tokens. */
export const PLAIN: Template = { single: [A], pair: [A, B], bareSingle: [A], barePair: [A, B] }

const POST_PROCESSORS: PartTable<Template> = {
  BertProcessing: (record, where) => {
    const [begin, end] = endsOf(record, where)
    return { ...PLAIN, single: [begin, A, end], pair: [begin, A, end, B, { ...end, type: 1 }] }
  },
  // It changes only offsets.
  ByteLevel: () => PLAIN,
  RobertaProcessing: (record, where) => {
    const [begin, end] = endsOf(record, where)
    return { ...PLAIN, single: [begin, A, end], pair: [begin, A, end, end, { ...B, type: 0 }, end] }
  },
  Sequence: (record, where) => {
    const parts = itemsOf(valueAt(record, 'processors')).map((each) =>
      partOf(each, 'post-processor', where, POST_PROCESSORS),
    )
    const [template = PLAIN, ...others] = parts.filter((part) => part !== PLAIN)
    if (others.length > 0) throw new FormatError(`${where}: two post-processors that add tokens are not supported`)
    return template
  },
  TemplateProcessing: (record, where) => {
    const single = templateOf(record, 'single', where)
    const pair = templateOf(record, 'pair', where)
    const bare = (parts: readonly Part[]): Part[] => parts.filter((part) => 'text' in part)
    return { single, pair, bareSingle: bare(single), barePair: bare(pair) }
  },
}

/** The post-processor of a record of tokenizer.json. @throws FormatError for a kind that is not supported */
export function templateOfPostProcessor(record: JsonRecord, where: string): Template {
  return partOf(record, 'post-processor', where, POST_PROCESSORS)
}

type Special = Extract<Part, { ids: readonly number[] }>

/** The special tokens at the begin and the end of BERT: pairs of a token and its id. */
function endsOf(record: JsonRecord, where: string): [Special, Special] {
  const special = (key: string): Special => {
    const pair = valueAt(record, key)
    const id: unknown = isList(pair) ? pair[1] : undefined
    if (typeof id === 'number') return { ids: [id], type: 0 }
    throw new FormatError(`${where}: '${key}' must be [token, id], received ${quoted(pair)}`)
  }
  return [special('cls'), special('sep')]
}

function templateOf(record: JsonRecord, key: string, where: string): Part[] {
  const list = valueAt(record, key)
  if (!Array.isArray(list)) throw new FormatError(`${where}: '${key}' must be a list, received ${quoted(list)}`)
  const specials = recordAt(record, 'special_tokens')
  return itemsOf(list).map((item: Json): Part => {
    const [kind, value] = (isRecord(item) ? Object.entries(item)[0] : undefined) ?? []
    if (!isRecord(value)) throw new FormatError(`${where}: a part of '${key}' is ${quoted(item)}`)
    const id = textField(value, 'id', where)
    const type = countField(value, 'type_id', where, 0)
    if (kind === 'Sequence' && (id === 'A' || id === 'B')) return { text: id, type }
    const ids = itemsOf(valueAt(recordField(specials, id, `${where}, 'special_tokens'`), 'ids'))
    return { ids: ids.map(Number), type }
  })
}
