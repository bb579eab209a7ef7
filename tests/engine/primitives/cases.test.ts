// Every row of the table: the mode's backend compared with the interpreter in float64, including special values;
// gradients compared with finite differences; and no byte written outside the results.
// modes: simd, relaxed, interpreter, turbo

import '../../helpers/families'
import { describe, it } from 'vitest'
import { makeRuntime } from '../../../src/engine/runtime/configure'
import { currentRuntime } from '../../../src/engine/runtime/current'
import { casesOf, primitiveNames } from './cases'
import { checkCase } from './check'

const { settings } = currentRuntime()
const runtime = makeRuntime(settings)

describe.each(primitiveNames)('%s', (name) => {
  for (const opCase of casesOf(name)) it(opCase.title, () => checkCase(runtime, opCase))
})
