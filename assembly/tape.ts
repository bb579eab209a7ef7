// The instruction loop: fetch, call the kernel, go on. Computes nothing itself and keeps no state.

import { Opcode } from './shared/opcodes'
import { END_OF_TAPE, Header } from './shared/instructions'
import { chain } from './kernels/chain'
import { gemm } from './kernels/gemm'
import { guard } from './kernels/guard'
import { gather, scatterAdd } from './kernels/index'
import { copy, fill } from './kernels/move'
import { adam, rmsProp, sgd } from './kernels/optim'
import { random } from './kernels/random'
import { argReduce, reduce } from './kernels/reduce'
import { softmax } from './kernels/softmax'

/** Runs the instruction at `instruction`. 1 when it is a Guard that found NaN or ±Inf, else 0. */
export function runOne(instruction: usize): i32 {
  switch (load<i32>(instruction, Header.opcode)) {
    case Opcode.Chain: chain(instruction); break
    case Opcode.Gemm: gemm(instruction); break
    case Opcode.Reduce: reduce(instruction); break
    case Opcode.ArgReduce: argReduce(instruction); break
    case Opcode.Softmax: softmax(instruction); break
    case Opcode.Gather: gather(instruction); break
    case Opcode.ScatterAdd: scatterAdd(instruction); break
    case Opcode.Copy: copy(instruction); break
    case Opcode.Fill: fill(instruction); break
    case Opcode.Random: random(instruction); break
    case Opcode.Guard: return guard(instruction)
    case Opcode.Sgd: sgd(instruction); break
    case Opcode.RmsProp: rmsProp(instruction); break
    case Opcode.Adam: adam(instruction); break
  }
  return 0
}

/**
 * Runs a tape to its end and returns 0; or stops at the first Guard that finds NaN or ±Inf and returns
 * 1 + the bytes from the start of the tape to that Guard.
 */
export function run(tape: usize): i32 {
  let instruction = tape
  while (load<i32>(instruction, Header.opcode) != END_OF_TAPE) {
    if (runOne(instruction)) return <i32>(instruction - tape) + 1
    instruction += load<usize>(instruction, Header.byteLength)
  }
  return 0
}
