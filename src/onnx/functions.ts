// The functions of a file, which nodes call by their names.

import type { FunctionProto, NodeProto } from './proto'

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
