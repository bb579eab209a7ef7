// The words through which the threads of a pool meet, drawn once. Compiled by asc and by tsc.
//
// What different threads write at the same time lies on different lines of 64 bytes:
//
//   0            64        128                192        256
//   ┌────────────┬─────────┬──────────────────┬──────────┬──────────────────────┐
//   │ command …  │ arrived │ meetings, stop … │ sleepers │ one word per thread  │
//   └────────────┴─────────┴──────────────────┴──────────┴──────────────────────┘

export enum Pool {
  /** Counts the tapes that were given out. Workers wait for it to change. */
  command = 0,
  /** The address of the tape to run. */
  tape = 4,
  /** 1 when the leading thread may sleep: a browser's main thread may not. */
  leaderSleeps = 8,
  /** What each worker must add its number to and write to its own word, to show that memory is shared. */
  challenge = 12,
  /** An empty tape. */
  empty = 16,
  /** How many threads have come to the meeting. */
  arrived = 64,
  /** Counts the meetings that have come about. */
  meetings = 128,
  /** 0: go on. ABANDONED, or 1 + the bytes from the start of the tape to the guard that ended it. */
  stop = 132,
  /** The meeting that a guard's stop is for: whoever still comes from an earlier one must not see it. */
  stopMeeting = 136,
  /** How many threads sleep, or are about to. */
  sleepers = 192,
  answers = 256,
  size = 512,
}

/** In Pool.stop: the pool is given up, every thread leaves. */
export const ABANDONED = -1
/** In the place of a tape: the workers return to their host. */
export const PAUSE = 1

/** As many answers fit. */
export const MAX_THREADS = 64
