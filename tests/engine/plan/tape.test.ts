// Encoded tapes, read like the instruction loop reads them; and their disassembly.
// modes: simd

import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { END_OF_TAPE, Gemm, Header } from '../../../assembly/shared/instructions'
import type { Opcode } from '../../../assembly/shared/opcodes'
import { isAddress } from '../../../src/engine/ir/instruction'
import { planTape } from '../../../src/engine/tape'
import { disassemble } from '../../../src/engine/tape/disassemble'
import { byteLength, encode, instructionOffsets, tapeBytes } from '../../../src/engine/tape/encode'
import { exactly, floats } from '../../helpers/data'
import { graphOf } from '../../helpers/graphs'
import { drawGraph, recipes } from './random-graph'

const SOME_ADDRESS = 4096

it('instructions follow each other by their byteLength and end with the end marker', () => {
  fc.assert(
    fc.property(recipes, fc.boolean(), (recipe, fuse) => {
      const { instructions } = planTape(drawGraph(recipe, { address: 0, byteLength: 96 }), { fuse })
      const words = encode(instructions, () => SOME_ADDRESS)
      const found: Opcode[] = []
      const offsets: number[] = []
      let at = 0
      while (words[(at + Header.opcode) / 4] !== END_OF_TAPE) {
        found.push(words[(at + Header.opcode) / 4]!)
        offsets.push(at)
        at += words[(at + Header.byteLength) / 4]!
      }
      expect(found).toEqual(instructions.map(({ opcode }) => opcode))
      expect(offsets).toEqual(instructionOffsets(instructions))
      expect(at + 4).toBe(tapeBytes(instructions))
      expect(words.byteLength).toBe(tapeBytes(instructions))
    }),
    { numRuns: 50 },
  )
})

it('every word is the number, the float or the resolved address of the instruction', () => {
  const graph = graphOf([floats([4]), floats([4], -1, 1, 2)], (b, [p, g]) =>
    b.emit('sgd', [p!, g!, b.e.scalar(0.5)], { momentum: 0.25, nesterov: true, weightDecay: -0.125 }),
  )
  const { instructions } = planTape(graph, { fuse: true })
  const words = encode(instructions, ({ offset }) => SOME_ADDRESS + offset)
  const floatsOf = new Float32Array(words.buffer)
  const offsets = instructionOffsets(instructions)
  instructions.forEach((instruction, i) => {
    const wordAt = (byte: number) => (offsets[i]! + byte) / 4
    const check = (index: number, word: (typeof instruction.lists)[number]): void => {
      if (typeof word === 'number') expect(words[index]).toBe(word)
      else if (isAddress(word)) expect(words[index]).toBe(SOME_ADDRESS + word.offset)
      else expect(floatsOf[index]).toBe(Math.fround(word.float))
    }
    instruction.fields.forEach((word, j) => check(wordAt(Header.size) + j, word))
    instruction.lists.forEach((word, j) => check(wordAt(instruction.fixedBytes) + j, word))
    expect(words[wordAt(Header.byteLength)]).toBe(byteLength(instruction))
  })
  expect(words[words.length - 1]).toBe(END_OF_TAPE)
})

it('every field of an instruction has a word, and none is outside its fixed part', () => {
  fc.assert(
    fc.property(recipes, (recipe) => {
      for (const { fields, fixedBytes } of planTape(drawGraph(recipe, { address: 0, byteLength: 96 }), { fuse: true })
        .instructions) {
        expect(fields).toHaveLength((fixedBytes - Header.size) / 4)
        expect([...fields]).not.toContain(undefined)
      }
    }),
    { numRuns: 30 },
  )
})

it('the disassembly names the scope, the opcode, the fields and the steps', () => {
  const graph = graphOf([floats([2, 3]), floats([3, 4]), exactly([1, 2, 3, 4])], (b, [x, w, bias]) => {
    b.scope = 'dense_1'
    const y = b.emitOne('relu', [b.e.add(b.e.matmul(x!, w!), bias!)], {})
    b.scope = 'scale'
    return [b.e.exp(b.e.multiply(y, 2))]
  })
  const { instructions } = planTape(graph, { fuse: true })
  const text = disassemble(instructions, ({ buffer, offset }) => `buffer${buffer.id}+${offset}`)
  const lines = text.split('\n')
  expect(lines[0]).toMatch(/^ +0 +Gemm +dense_1: matmul\+add\+relu$/)
  expect(lines[1]).toContain('m=2 n=4 k=3')
  expect(lines[1]).toMatch(/out=buffer\d+\+0/)
  expect(text).toMatch(new RegExp(`^ +${Gemm.size} +Chain +scale: multiply\\+exp$`, 'm'))
  expect(text).toMatch(/r\d+ = Multiply r\d+ r\d+ r\d+/)
  expect(text).toMatch(/r\d+ = Exp r\d+/)
})
