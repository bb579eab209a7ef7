// The functions that a tape needs, from the binaries of the library: its kernels, the steps of its chains, and what these call.

import { Chain, ChainOperand, ChainStep } from '../../../assembly/shared/instructions'
import { Opcode } from '../../../assembly/shared/opcodes'
import { BYTES_PER_ELEMENT } from '../../core/dtypes'
import { internalError } from '../../core/errors'
import { core } from '../../engine/runtime/wasm/binaries'
import { familyOf, type Binary } from '../../engine/runtime/wasm/families'
import { bytesOf } from '../../engine/runtime/wasm/wasm'
import { bodyOffset, byteLength, type TapeInstruction } from '../../engine/tape/encode'
import type { MemoryImage } from '../image'
import { readBinary, type DataSegment, type Global, type KernelBinary } from './binary'
import { knownWords } from './known-words'
import type { WrittenFunction } from './module'
import { Reach, type KnownWord } from './reach'
import { trimmed } from './trim'

/** A binary, and what of it can run. */
interface Used {
  readonly binary: KernelBinary
  readonly reach: Reach
}

/** The functions of a module. Their numbers are their positions in `functions`. */
export interface Kernels {
  readonly functions: readonly WrittenFunction[]
  /** The numbers of the steps of chains, by their places in the table. */
  readonly steps: ReadonlyMap<number, number>
  /** The constants that the functions read. */
  readonly data: readonly DataSegment[]
  readonly globals: readonly Global[]
  /** The numbers of the functions that run before all others. */
  readonly starts: readonly number[]
  /** The number of the kernel of an opcode. */
  kernelOf(opcode: Opcode): number
  /** The number of the function that patches the words of a loop. */
  setTurn(): number
}

export function kernelsFor(image: MemoryImage): Kernels {
  const { instructions, tape } = image
  const finder = new Finder(knownWords(image), (address) => tape.words[(address - tape.address) / BYTES_PER_ELEMENT]!)
  finder.follow(instructions, tape.address)
  const numbers = new Map<KernelBinary, Map<number, number>>()
  const functions: WrittenFunction[] = []
  const globals: Global[] = []
  for (const { binary, reach } of finder.used.values()) {
    const ofBinary = new Map<number, number>()
    numbers.set(binary, ofBinary)
    for (const index of reach.functions.keys()) {
      ofBinary.set(index, functions.length)
      functions.push(writtenFunction(binary, reach, index, ofBinary, globals.length))
    }
    globals.push(...binary.globals)
  }
  const numberOf = ({ binary }: Used, index: number): number => numbers.get(binary)?.get(index) ?? -1
  return {
    functions,
    steps: new Map(
      [...finder.steps].map((place) => [place, numberOf(finder.usedOf(core), placeIn(finder.usedOf(core), place))]),
    ),
    data: [...finder.used.values()].flatMap(({ binary }) => binary.data),
    globals,
    starts: [...finder.used.values()].flatMap((used) =>
      used.binary.start === null ? [] : [numberOf(used, used.binary.start)],
    ),
    kernelOf: (opcode) => {
      const used = finder.usedOf(familyOf(opcode) ?? core)
      return numberOf(used, kernelIn(used, opcode))
    },
    setTurn: () => numberOf(finder.usedOf(core), setTurnIn(finder.usedOf(core))),
  }
}

function writtenFunction(
  binary: KernelBinary,
  reach: Reach,
  index: number,
  numbers: ReadonlyMap<number, number>,
  firstGlobal: number,
): WrittenFunction {
  const code = binary.functions[index]!
  return {
    type: code.type,
    code: (typeOf) =>
      trimmed(code, reach.codeOf(index), reach.functions.get(index)!, {
        functionOf: (each) => numbers.get(each)!,
        typeOf: (each) => typeOf(binary.types[each]!),
        globalOf: (each) => firstGlobal + each,
      }),
  }
}

/** Follows the instructions of a tape into the binaries. */
class Finder {
  readonly used = new Map<Binary, Used>()
  /** The places of the steps of chains. */
  readonly steps = new Set<number>()

  constructor(
    private readonly known: KnownWord,
    private readonly wordAt: (address: number) => number,
  ) {}

  usedOf(of: Binary): Used {
    let used = this.used.get(of)
    if (used === undefined) {
      const binary = readBinary(of.name, bytesOf(of, 'plain'))
      used = { binary, reach: new Reach(binary, this.known) }
      if (binary.start !== null) used.reach.call(binary.start)
      this.used.set(of, used)
    }
    return used
  }

  follow(instructions: readonly TapeInstruction[], start: number): void {
    let address = start
    for (const instruction of instructions) {
      const { opcode, body } = instruction
      const used = this.usedOf(familyOf(opcode) ?? core)
      if (opcode === Opcode.Loop) {
        used.reach.call(setTurnIn(used), [address])
        this.follow(body ?? [], address + bodyOffset(instruction))
      } else {
        used.reach.call(kernelIn(used, opcode), [address, 0, 1])
        if (opcode === Opcode.Chain) this.followSteps(address, used)
      }
      address += byteLength(instruction)
    }
  }

  /** The steps of a chain; see Chain in assembly/shared/instructions.ts. */
  private followSteps(address: number, used: Used): void {
    const field = (offset: number): number => this.wordAt(address + offset)
    const rank = field(Chain.rank)
    const operands = field(Chain.operandCount) * (ChainOperand.size + BYTES_PER_ELEMENT * rank)
    const program = Chain.size + BYTES_PER_ELEMENT * (rank + field(Chain.outputCount)) + operands
    for (let i = 0; i < field(Chain.stepCount); i++) {
      const place = field(program + i * ChainStep.size + ChainStep.step)
      this.steps.add(place)
      used.reach.call(placeIn(used, place))
    }
  }
}

function placeIn({ binary }: Used, place: number): number {
  const index = binary.table.get(place)
  if (index === undefined) throw internalError(`the ${binary.name} binary has nothing at place ${place} of its table`)
  return index
}

/** The core has its kernels at their opcodes; a family exports them by name. */
function kernelIn(used: Used, opcode: Opcode): number {
  const place: number = opcode
  const name = familyOf(opcode)?.kernels.find(([, each]) => each === place)?.[0]
  if (name === undefined) return placeIn(used, opcode)
  const index = used.binary.exports.get(name)
  if (index === undefined) throw internalError(`the ${used.binary.name} binary has no kernel ${name}`)
  return index
}

function setTurnIn({ binary }: Used): number {
  const index = binary.exports.get('setTurn')
  if (index === undefined) throw internalError('the core does not export setTurn')
  return index
}
