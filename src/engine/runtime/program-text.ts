// A compiled program as text.

import { internalError } from '../../core/errors'
import type { Address } from '../ir/operand'
import { printNode } from '../ir/print'
import { placed } from '../plan/memory'
import { disassemble } from '../tape/disassemble'
import type { Program } from './program'

/** The instructions of a program with their addresses by name; in the interpreter, the nodes of its graph. */
export function programText({ instructions, graph }: Program): string {
  return instructions === null ? graph.nodes.map(printNode).join('\n') : disassemble(instructions, nameOf)
}

function nameOf({ buffer, offset }: Address): string {
  const { home } = placed(buffer)
  switch (home.kind) {
    case 'workspace':
      return `work+${home.offset + offset}`
    case 'constants':
      return `const+${home.offset + offset}`
    case 'cell':
      return offset === 0 ? home.cell.name : `${home.cell.name}+${offset}`
    case 'scratch':
      return 'scratch'
    case 'inside':
      return nameOf({ buffer: home.at.buffer, offset: home.at.offset + offset })
    case 'moving':
      return `${nameOf({ buffer: home.stream.first.buffer, offset: home.stream.first.offset + offset })}…`
    case 'bound':
      throw internalError('a loop did not provide the bytes of a value')
  }
}
