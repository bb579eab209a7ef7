// The loop over the instructions of a tape, which calls the kernel of each. Computes nothing itself and keeps no state.
// Runs on one thread, or on every thread of a pool, where each computes its part of each instruction.
//
// patience   the milliseconds that a thread waits for the others at a meeting; FOREVER for no limit

import { Opcode } from './shared/opcodes'
import { END_OF_TAPE, Header, Loop, LoopPatch } from './shared/instructions'
import { ABANDONED, PAUSE } from './shared/pool'
import { FOREVER, awaitTape, meet, publish, stopNext } from './barrier'
import { chain } from './kernels/chain'
import { gemm } from './kernels/gemm'
import { guard } from './kernels/guard'
import { gather, insert, scatter } from './kernels'
import { accumulate, copy, fill } from './kernels/move'
import { adam, rmsProp, sgd } from './kernels/optim'
import { random } from './kernels/random'
import { argReduce } from './kernels/arg-reduce'
import { reduce } from './kernels/reduce'
import { crossEntropy, crossEntropyGradient, softmax } from './kernels/softmax'

/**
 * Runs part `part` of the instruction at `instruction`; a Loop always as a whole. Returns 0, or 1 + the bytes from
 * there to the Guard that found NaN or ±Inf.
 */
export function runPart(instruction: usize, part: i32, parts: i32): i32 {
  switch (<i32>load<u16>(instruction, Header.opcode)) {
    case Opcode.Chain: chain(instruction, part, parts); break
    case Opcode.Gemm: gemm(instruction, part, parts); break
    case Opcode.Reduce: reduce(instruction, part, parts); break
    case Opcode.ArgReduce: argReduce(instruction, part, parts); break
    case Opcode.Softmax: softmax(instruction, part, parts); break
    case Opcode.CrossEntropy: crossEntropy(instruction, part, parts); break
    case Opcode.CrossEntropyGradient: crossEntropyGradient(instruction, part, parts); break
    case Opcode.Gather: gather(instruction, part, parts); break
    case Opcode.Scatter: scatter(instruction, part, parts); break
    case Opcode.Insert: insert(instruction, part, parts); break
    case Opcode.Copy: copy(instruction, part, parts); break
    case Opcode.Accumulate: accumulate(instruction, part, parts); break
    case Opcode.Fill: fill(instruction, part, parts); break
    case Opcode.Random: random(instruction, part, parts); break
    case Opcode.Guard: return guard(instruction)
    case Opcode.Sgd: sgd(instruction, part, parts); break
    case Opcode.RmsProp: rmsProp(instruction, part, parts); break
    case Opcode.Adam: adam(instruction, part, parts); break
    case Opcode.Loop: return runLoop(instruction)
    // The kernels of a family (families/), which JavaScript puts into the table before it runs such a tape.
    default: call_indirect<void>(load<u16>(instruction, Header.opcode), instruction, part, parts)
  }
  return 0
}

/** Runs a whole instruction. Returns what runPart returns. */
export function runOne(instruction: usize): i32 {
  return runPart(instruction, 0, 1)
}

/**
 * Runs a tape on this thread to its end and returns 0, or stops at the first Guard that finds NaN or ±Inf and returns 1
 * + the bytes from the start of the tape to that Guard.
 */
export function run(tape: usize): i32 {
  let instruction = tape
  while (load<i32>(instruction, Header.opcode) != END_OF_TAPE) {
    const stop = runPart(instruction, 0, 1)
    if (stop) return <i32>(instruction - tape) + stop
    instruction += load<usize>(instruction, Header.byteLength)
  }
  return 0
}

/** The start of the body of a Loop; it ends where the Loop does. */
@inline
function bodyOf(loop: usize): usize {
  return loop + Loop.size + <usize>load<i32>(loop, Loop.patchCount) * LoopPatch.size
}

/** Sets the patched words of a Loop's body to their values for iteration `turn`. */
export function setTurn(loop: usize, turn: i32): void {
  const half = <usize>(turn >> 1)
  const base: usize = turn == 0 ? LoopPatch.first : turn & 1 ? LoopPatch.odd : LoopPatch.even
  let patch = loop + Loop.size
  for (let i = load<i32>(loop, Loop.patchCount); i > 0; i--) {
    store<usize>(loop + load<usize>(patch, LoopPatch.word), load<usize>(patch + base) + half * load<usize>(patch, LoopPatch.step))
    patch += LoopPatch.size
  }
}

/** Runs all iterations of a Loop on this thread. Returns what runPart returns. */
export function runLoop(loop: usize): i32 {
  const body = bodyOf(loop)
  const end = loop + load<usize>(loop, Header.byteLength)
  for (let turn = 0; turn < load<i32>(loop, Loop.count); turn++) {
    setTurn(loop, turn)
    for (let instruction = body; instruction != end; instruction += load<usize>(instruction, Header.byteLength)) {
      const stop = runPart(instruction, 0, 1)
      if (stop) return <i32>(instruction - loop) + stop
    }
  }
  return 0
}

/**
 * Runs one thread's share of a tape: its part of each instruction that has a part for it, and the meetings between them.
 * Returns what run returns, the same on every thread, or −1 − the bytes to the instruction that was not reached because a
 * meeting failed.
 */
export function runShare(tape: usize, thread: i32, threads: i32, pool: usize, patience: i32): i32 {
  let instruction = tape
  while (load<i32>(instruction, Header.opcode) != END_OF_TAPE) {
    const stop = shareOne(instruction, tape, thread, threads, pool, patience)
    if (stop) return stop
    instruction += load<usize>(instruction, Header.byteLength)
  }
  return come(instruction, tape, thread, threads, pool, patience)
}

/** Meets before `instruction`. Returns 0, or the result of runShare. */
function come(instruction: usize, tape: usize, thread: i32, threads: i32, pool: usize, patience: i32): i32 {
  const stop = meet(pool, thread, threads, patience)
  if (!stop) return 0
  // a second meeting, so that the next run's stop cannot replace this one before all threads have read it
  if (stop == ABANDONED || meet(pool, thread, threads, patience) == ABANDONED) return <i32>(tape - instruction) - 1
  return stop
}

/** Runs a thread's part of one instruction, and the meeting before it. Returns 0, or the result of runShare. */
function shareOne(instruction: usize, tape: usize, thread: i32, threads: i32, pool: usize, patience: i32): i32 {
  if (load<u8>(instruction, Header.meet)) {
    const stop = come(instruction, tape, thread, threads, pool, patience)
    if (stop) return stop
  }
  const parts = <i32>load<u8>(instruction, Header.moreParts) + 1
  if (thread >= parts) return 0
  if (parts > 1 && load<u16>(instruction, Header.opcode) == Opcode.Loop) {
    return shareLoop(instruction, tape, thread, threads, pool, patience)
  }
  const stop = runPart(instruction, thread, parts)
  return stop ? stopAt(instruction + <usize>(stop - 1), tape, threads, pool, patience) : 0
}

/**
 * Runs a Loop with parts for several threads. All run it, and meet before and after the leader patches its body. They
 * read the count between these meetings, when no SetCount can change it.
 */
export function shareLoop(loop: usize, tape: usize, thread: i32, threads: i32, pool: usize, patience: i32): i32 {
  const body = bodyOf(loop)
  const end = loop + load<usize>(loop, Header.byteLength)
  let turn = 0
  while (true) {
    let stop = come(loop, tape, thread, threads, pool, patience)
    if (stop || turn >= load<i32>(loop, Loop.count)) return stop
    if (thread == 0) setTurn(loop, turn)
    stop = come(loop, tape, thread, threads, pool, patience)
    for (let instruction = body; !stop && instruction != end; instruction += load<usize>(instruction, Header.byteLength)) {
      stop = shareOne(instruction, tape, thread, threads, pool, patience)
    }
    if (stop) return stop
    turn++
  }
}

/** Ends a tape on the leader, whose Guard found NaN or ±Inf. The other threads end at their next meeting. */
function stopAt(guard: usize, tape: usize, threads: i32, pool: usize, patience: i32): i32 {
  const stop = <i32>(guard - tape) + 1
  stopNext(pool, stop)
  if (meet(pool, 0, threads, patience) == ABANDONED || meet(pool, 0, threads, patience) == ABANDONED) return -stop
  stopNext(pool, 0)
  return stop
}

/** Runs a tape on all threads of the pool; the caller is thread 0, the leader. Returns what runShare returns. */
export function lead(tape: usize, threads: i32, pool: usize, patience: i32): i32 {
  publish(pool, tape)
  return runShare(tape, 0, threads, pool, patience)
}

/**
 * The loop of a worker: runs one tape after another, from the command after number `seen` on. Returns the number of the
 * last command when the leader pauses the pool, and −1 when the pool is abandoned.
 */
export function serve(pool: usize, thread: i32, threads: i32, seen: i32): i32 {
  let tape = awaitTape(pool, seen)
  while (tape && tape != PAUSE && runShare(tape, thread, threads, pool, FOREVER) >= 0) tape = awaitTape(pool, ++seen)
  return tape == PAUSE && meet(pool, thread, threads, FOREVER) != ABANDONED ? seen + 1 : -1
}

/** Makes the workers return to JavaScript, which can let them serve again. Returns false if one did not arrive in time. */
export function pause(pool: usize, threads: i32, patience: i32): bool {
  publish(pool, PAUSE)
  return meet(pool, 0, threads, patience) != ABANDONED
}
