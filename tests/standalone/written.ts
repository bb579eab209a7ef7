// Runs what exportModule writes.

import { moduleFiles, type ExportOptions } from '../../src/entries/standalone'
import type { Model } from '../../src'

/** The exports of a module. */
export interface Written {
  readonly predict: (x: unknown) => unknown
  readonly info: { readonly inputs: readonly Port[]; readonly outputs: readonly Port[] }
}
interface Port {
  readonly name: string
  readonly shape: readonly number[]
  readonly dtype: string
}

// oxlint-disable-next-line typescript/no-explicit-any -- models of any inputs
export type AnyModel = Model<any, any>

export function textOf(model: AnyModel, options: ExportOptions = {}, name = 'model.js'): string {
  return new TextDecoder().decode(moduleFiles(model, name, options)[0]!.bytes)
}

/** The module, imported as the text that it is. */
export async function written(model: AnyModel, options: ExportOptions = {}): Promise<Written> {
  const text = textOf(model, options)
  return import(
    /* @vite-ignore */ `data:text/javascript;base64,${Buffer.from(text).toString('base64')}`
  ) as Promise<Written>
}
