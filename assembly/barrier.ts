// The barrier at which the threads of a pool wait for each other. A thread spins first, because waking a sleeping
// thread takes longer than most instructions take to run. Runs no tapes: see tape.ts. shared/pool.ts draws the words.

import { ABANDONED, Pool } from './shared/pool'

/**
 * Loads before a waiting thread goes to sleep: about 5 µs. Waking up takes 9 µs; with fewer loads, two threads that
 * were out of step once put each other to sleep at every meeting. With more, a thread without a core wastes another
 * thread's core.
 */
const SPINS = 8000
/** No time limit, for workers: the leader tells them when to leave. */
export const FOREVER = -1
const MILLISECOND: i64 = 1000000

/**
 * Waits until the word at `address` differs from `seen`. Returns false when that takes longer than `patience`
 * milliseconds. A thread that may not sleep counts one nanosecond per load instead.
 */
function awaitChange(pool: usize, address: usize, seen: i32, patience: i32, maySleep: bool): bool {
  for (let i = 0; i < SPINS; i++) {
    if (atomic.load<i32>(address) != seen) return true
  }
  const nanoseconds = patience < 0 ? -1 : <i64>patience * MILLISECOND
  if (!maySleep) {
    for (let i: i64 = 0; i < nanoseconds; i++) {
      if (atomic.load<i32>(address) != seen) return true
    }
    return false
  }
  // before the loop: a thread that changes the word afterwards then knows that someone may sleep
  atomic.add<i32>(pool, 1, Pool.sleepers)
  let inTime = true
  while (inTime && atomic.load<i32>(address) == seen) inTime = atomic.wait<i32>(address, seen, nanoseconds) != 2
  atomic.sub<i32>(pool, 1, Pool.sleepers)
  return inTime || atomic.load<i32>(address) != seen
}

@inline
function change(pool: usize, address: usize): void {
  atomic.add<i32>(address, 1)
  if (atomic.load<i32>(pool, Pool.sleepers)) atomic.notify(address, -1)
}

/**
 * Returns when all threads have arrived: 0, the value that the leader put into Pool.stop for this meeting, or
 * ABANDONED.
 */
export function meet(pool: usize, thread: i32, threads: i32, patience: i32): i32 {
  const meeting = atomic.load<i32>(pool, Pool.meetings)
  if (atomic.load<i32>(pool, Pool.stop) == ABANDONED) return ABANDONED
  if (atomic.add<i32>(pool, 1, Pool.arrived) == threads - 1) {
    atomic.store<i32>(pool, 0, Pool.arrived)
    change(pool, pool + Pool.meetings)
  } else {
    const maySleep = thread != 0 || load<i32>(pool, Pool.leaderSleeps) != 0
    if (!awaitChange(pool, pool + Pool.meetings, meeting, patience, maySleep)) abandon(pool)
  }
  const stop = atomic.load<i32>(pool, Pool.stop)
  return stop > 0 && atomic.load<i32>(pool, Pool.stopMeeting) != meeting ? 0 : stop
}

/** Lets the next meeting return `stop` on every thread. */
export function stopNext(pool: usize, stop: i32): void {
  atomic.store<i32>(pool, atomic.load<i32>(pool, Pool.meetings), Pool.stopMeeting)
  atomic.store<i32>(pool, stop, Pool.stop)
}

/** Makes all threads leave the pool for good. */
export function abandon(pool: usize): void {
  atomic.store<i32>(pool, ABANDONED, Pool.stop)
  change(pool, pool + Pool.meetings)
  change(pool, pool + Pool.command)
}

/** Hands a tape to the workers. */
export function publish(pool: usize, tape: usize): void {
  store<usize>(pool, tape, Pool.tape)
  change(pool, pool + Pool.command)
}

/** Waits for the tape after command `seen` and returns its address, or 0 when the pool is abandoned. */
export function awaitTape(pool: usize, seen: i32): usize {
  awaitChange(pool, pool + Pool.command, seen, FOREVER, true)
  return atomic.load<i32>(pool, Pool.stop) == ABANDONED ? 0 : load<usize>(pool, Pool.tape)
}
