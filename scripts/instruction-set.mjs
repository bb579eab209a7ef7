// The number of the instruction set, computed by src/engine/runtime/wasm/instruction-set.ts: that file and its imports, run
// with their types stripped.
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import ts from 'typescript'

const file = 'src/engine/runtime/wasm/instruction-set.ts'
const compilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true }

/** The URL from which a module can be imported. */
function addressOf(path) {
  const { outputText } = ts.transpileModule(readFileSync(path, 'utf8'), { compilerOptions })
  const linked = outputText.replace(
    / from '(\.[^']+)'/g,
    (_, other) => ` from '${addressOf(join(dirname(path), `${other}.ts`))}'`,
  )
  return `data:text/javascript;base64,${Buffer.from(linked).toString('base64')}`
}

export async function instructionSet() {
  const module = await import(addressOf(file))
  return module.instructionSet()
}
