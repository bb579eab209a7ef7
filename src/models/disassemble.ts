// The compiled programs of a model as text. docs/tape.md explains how to read it.

import { requireArguments } from '../core/arguments'
import { programText } from '../engine/runtime/program-text'
import type { Model } from './model'
import { requireModel } from './required-model'

/**
 * The compiled programs of a model as text, by input signature, with the layer's name on every instruction. A program exists from its
 * first use on: a model that has not run has none.
 *
 *   for (const [signature, text] of disassemble(model)) console.log(`${signature}\n${text}`)
 *
 * @throws ArgumentError for a value that is not a model
 */
export function disassemble(model: Pick<Model, 'layers' | 'summary'>): Map<string, string> {
  requireArguments('disassemble', arguments, 1)
  requireModel('disassemble', model)
  return new Map(Array.from(model.training.steps.programs, ([signature, program]) => [signature, programText(program)]))
}
