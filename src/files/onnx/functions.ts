// The functions of a file, which nodes call by their names, and the version of the operators that a file or a function names.

import { FormatError } from '../../core/errors'
import type { AttributeProto, FunctionProto, NodeProto, OperatorSet } from './proto'

/** Whether operators of a domain are those of ONNX itself. */
export const isStandard = (domain: string): boolean => domain === '' || domain === 'ai.onnx'

/** The name of an operator: with its domain, unless it is of ONNX itself. */
export const operatorName = ({ domain, type }: NodeProto): string => (isStandard(domain) ? type : `${domain}.${type}`)

/** The key of a function. */
export const keyOf = (domain: string, name: string): string => `${isStandard(domain) ? '' : domain}:${name}`

/** The function of the file that a node calls; null for an operator. */
export function functionOf(
  { domain, type }: NodeProto,
  functions: ReadonlyMap<string, FunctionProto>,
): FunctionProto | null {
  return functions.get(keyOf(domain, type)) ?? null
}

/** The attributes of a node of a function: those that refer to one of the calling node get its value. */
export function bound(
  attributes: readonly AttributeProto[],
  callerAttributes: ReadonlyMap<string, AttributeProto>,
): readonly AttributeProto[] {
  if (attributes.every(({ reference }) => reference === '')) return attributes
  return attributes.flatMap((each) => {
    if (each.reference === '') return [each]
    const value = callerAttributes.get(each.reference)
    return value === undefined ? [] : [{ ...value, name: each.name }]
  })
}

/** The oldest version of the operators that is read. */
const OLDEST = 7
/** The newest one. */
export const NEWEST = 23

/** The version of the standard operators. */
export function opsetOf(opsets: readonly OperatorSet[], where: string): number {
  const versions = opsets.filter(({ domain }) => isStandard(domain)).map(({ version }) => version)
  // skl2onnx names a domain once for each part of a pipeline.
  const [version, ...others] = new Set(versions)
  if (version === undefined) throw new FormatError(`${where}: it names no version of the operators`)
  if (version >= OLDEST && version <= NEWEST && others.length === 0) return version
  throw new FormatError(
    `${where}: it needs version ${versions.join(' and ')} of the operators; versions ${OLDEST} to ${NEWEST} are read. Convert it in Python with onnx.version_converter.`,
  )
}

/** Whether a function names a version of the standard operators. */
export function hasOpset({ opsets }: FunctionProto): boolean {
  return opsets.some(({ domain }) => isStandard(domain))
}
