// Graph-models for tests: JSON of a model and its tensors, from a few words.

import type { Json } from '../../src/core/registry'
import type { JsonRecord } from '../../src/files/containers/json'
import type { ManifestTensor } from '../../src/files/tfjs/manifest'

export interface NodeText {
  readonly name: string
  readonly op: string
  readonly input?: readonly string[]
  readonly attr?: JsonRecord
}

const DTYPES = { float32: 'DT_FLOAT', int32: 'DT_INT32', bool: 'DT_BOOL' } as const
const ARRAYS = { float32: Float32Array, int32: Int32Array, bool: Uint8Array } as const
type Name = keyof typeof DTYPES

export const shapeJson = (shape: readonly (number | null)[]): JsonRecord => ({
  dim: shape.map((extent) => ({ size: String(extent ?? -1) })),
})

export const placeholder = (name: string, shape: readonly (number | null)[], dtype: Name = 'float32'): NodeText => ({
  name,
  op: 'Placeholder',
  attr: { dtype: { type: DTYPES[dtype] }, shape: { shape: shapeJson(shape) } },
})

export const node = (
  name: string,
  op: string,
  input: readonly string[] = [],
  attr: Record<string, unknown> = {},
): NodeText => ({
  name,
  op,
  input,
  attr: Object.fromEntries(Object.entries(attr).map(([key, value]) => [key, attribute(value)])),
})

/** 3 is an integer, [3] a list of them, 'SAME' a text, and records are as they are. */
function attribute(value: unknown): JsonRecord {
  if (typeof value === 'boolean') return { b: value }
  if (typeof value === 'number') return { i: String(value) }
  if (typeof value === 'string') return { s: btoa(value) }
  if (!Array.isArray(value)) return value as JsonRecord
  const texts = value.every((each) => typeof each === 'string')
  return texts ? { list: { s: value.map((each) => btoa(each)) } } : { list: { i: value.map(String) } }
}

export function tensorNamed(
  name: string,
  shape: readonly number[],
  data: readonly number[],
  dtype: Name = 'float32',
): ManifestTensor {
  return { name, shape, dtype, group: 'model', read: () => ARRAYS[dtype].from(data) }
}

/** model.json: nodes, a Const node for each tensor, and a signature. */
export function modelJson(
  nodes: readonly NodeText[],
  tensors: readonly ManifestTensor[] = [],
  signature: { readonly inputs?: Json; readonly outputs?: Json } = {},
): JsonRecord {
  const constants = tensors.map(({ name, dtype }) => ({
    name,
    op: 'Const',
    attr: { dtype: { type: DTYPES[dtype as Name] } },
  }))
  return {
    format: 'graph-model',
    signature,
    modelTopology: { node: [...constants, ...nodes] as unknown as Json },
  } as JsonRecord
}
