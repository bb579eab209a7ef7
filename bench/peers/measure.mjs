// Interleaved timing: every contender runs in every round. Independent of libraries and of Node; prints nothing.

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  const half = sorted.length >> 1
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2
}

async function callTimes(call, count) {
  for (let i = 0; i < count; i++) {
    const result = call()
    // A synchronous call does not wait for a microtask: for a call of 1 µs that would be most of the time.
    if (result instanceof Promise) await result
  }
}

/** Milliseconds of one call, after `warmUpMs` of calls, which let every engine tier reach its best code. */
async function warmUp(call, warmUpMs) {
  const end = performance.now() + warmUpMs
  let count = 1
  let perCall
  do {
    const start = performance.now()
    await callTimes(call, count)
    perCall = (performance.now() - start) / count
    count = Math.max(1, Math.min(count * 2, Math.floor(50 / perCall)))
  } while (performance.now() < end)
  return perCall
}

/** The milliseconds of one call, from calls for at least `milliseconds` in all. */
export async function sampleOf(call, milliseconds) {
  const start = performance.now()
  let count = 0
  do {
    await call()
    count++
  } while (performance.now() - start < milliseconds)
  return (performance.now() - start) / count
}

/**
 * Rounds of all contenders, in turn; the order rotates, so that none always runs after the same neighbour.
 * @param {{ name: string, call: () => unknown, sample?: (milliseconds: number) => Promise<number> }[]} contenders
 *   `sample` replaces timed calls: it returns the milliseconds of one
 * @param {{ rounds: number, warmUpMs: number, sampleMs: number, clock?: () => number }} options  the clock in
 *   milliseconds
 * @returns {Promise<Map<string, number[]>>} milliseconds per call, one number for each round
 */
export async function interleave(contenders, { rounds, warmUpMs, sampleMs, clock = () => performance.now() }) {
  const counts = new Map()
  const samples = new Map()
  for (const { name, call, sample } of contenders) {
    samples.set(name, [])
    if (sample !== undefined) {
      await sample(warmUpMs)
      continue
    }
    const perCall = await warmUp(call, warmUpMs)
    counts.set(name, Math.max(1, Math.round(sampleMs / perCall)))
  }
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < contenders.length; turn++) {
      const { name, call, sample } = contenders[(turn + round) % contenders.length]
      if (sample !== undefined) {
        samples.get(name).push(await sample(sampleMs))
        continue
      }
      const count = counts.get(name)
      const start = clock()
      await callTimes(call, count)
      samples.get(name).push((clock() - start) / count)
    }
  }
  return samples
}

/**
 * How many times longer `theirs` takes than `ours`: the median of the ratios within each round, since both numbers of a
 * round are affected by the same disturbance.
 */
export function ratio(theirs, ours) {
  return median(theirs.map((time, round) => time / ours[round]))
}

/** CPU time of this process in milliseconds: for single-threaded work on a shared machine. */
export function cpuTime() {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}
