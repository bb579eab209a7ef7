// All families of models by their names in config.json.

import { FormatError, quoted } from '../../core/errors'
import { decoders } from './decoders'
import type { Family } from './description'
import { encoders } from './encoders'

export type Kind = Family['kind']

const families: readonly Family[] = [...decoders, ...encoders]

/** @throws FormatError for a family that is not in the table, or of another kind */
export function familyOf(type: string, kind: Kind): Family {
  const found = families.filter(({ types }) => types.includes(type))
  const fitting = found.find((family) => family.kind === kind)
  if (fitting !== undefined) return fitting
  const known = families.filter((family) => family.kind === kind).flatMap(({ types }) => types)
  const use =
    kind === 'decoder' ? 'Its models encode texts: use TextEmbedder' : 'Its models continue texts: use CausalLM'
  throw new FormatError(
    `config.json: the model_type ${quoted(type)} is not supported${found.length > 0 ? ` here. ${use}` : ''}. Supported: ${known.join(', ')}`,
  )
}
