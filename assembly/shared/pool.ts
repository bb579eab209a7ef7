// The words by which the threads of a pool synchronize, drawn once. Compiled by asc and by tsc.
//
// Words that different threads write at the same time are on different cache lines of 64 bytes:
//
//   0            64        128                192        256
//   ┌────────────┬─────────┬──────────────────┬──────────┬──────────────────────┐
//   │ command …  │ arrived │ meetings, stop … │ sleepers │ one word per thread  │
//   └────────────┴─────────┴──────────────────┴──────────┴──────────────────────┘

export enum Pool {
  /** Counts the published tapes. Workers wait for it to change. */
  command = 0,
  /** The address of the tape to run. */
  tape = 4,
  /** 1 when the leading thread may sleep: a browser's main thread may not. */
  leaderSleeps = 8,
  /** Each worker adds its number to this and writes the sum to its own word, to prove that memory is shared. */
  challenge = 12,
  /** An empty tape. */
  empty = 16,
  /** The number of threads that have arrived at the meeting. */
  arrived = 64,
  /** Counts the completed meetings. */
  meetings = 128,
  /** 0: go on. ABANDONED, or 1 + the bytes from the start of the tape to the guard that ended it. */
  stop = 132,
  /** The meeting that a guard's stop belongs to: a thread still at an earlier meeting must not react to it. */
  stopMeeting = 136,
  /** The number of threads that sleep, or are about to. */
  sleepers = 192,
  answers = 256,
  size = 512,
}

/** In Pool.stop: the pool is abandoned, and every thread leaves. */
export const ABANDONED = -1
/** Instead of a tape: the workers return to their host. */
export const PAUSE = 1

/** The number of answers that fit. */
export const MAX_THREADS = 64
