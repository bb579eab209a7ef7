// Tokens by likelihood: likeliest first, equal ones by index. Of tens of thousands of tokens few are read, so they lie in bins, and
// only the bins that are read one token at a time are sorted.

/** The upper half of the bits of 1. Those of smaller numbers are smaller. */
const BITS_OF_ONE = 0x3ff0_0000
/** A bin has numbers whose exponents and first four bits are equal: 16 bins between a number and its half. */
const SHIFT = 16
/** The last bin has all numbers below 2⁻³². */
const BINS = 512

/** The tokens that a ranking begins with. */
export interface Beginning {
  readonly tokens: number
  /** The sum of their weights. */
  readonly mass: number
}

export class Ranking {
  /** The tokens, by bins. */
  private readonly order: Uint32Array
  /** Where each bin begins, and where the last one ends. */
  private readonly starts = new Uint32Array(BINS + 1)
  private readonly masses = new Float64Array(BINS)
  private readonly isSorted = new Uint8Array(BINS)

  /** @param weights of all tokens: not negative, the largest is 1 */
  constructor(private readonly weights: Float64Array) {
    const bins = new Uint16Array(weights.length)
    const halves = new Uint32Array(weights.buffer, weights.byteOffset, 2 * weights.length)
    for (let token = 0; token < weights.length; token++) {
      const bin = Math.min(BINS - 1, (BITS_OF_ONE - halves[2 * token + 1]!) >> SHIFT)
      bins[token] = bin
      this.starts[bin + 1]! += 1
      this.masses[bin]! += weights[token]!
    }
    for (let bin = 0; bin < BINS; bin++) this.starts[bin + 1]! += this.starts[bin]!
    this.order = new Uint32Array(weights.length)
    const next = this.starts.slice()
    for (let token = 0; token < bins.length; token++) this.order[next[bins[token]!]!++] = token
  }

  /** The first tokens, at most `most`, while `holds` is true of their weights; it is true of all weights above one for which it is. */
  upTo(most: number, holds: (weight: number) => boolean): Beginning {
    return this.walk(most, (bin) => holds(leastOf(bin)), holds)
  }

  /** The fewest first tokens whose weights sum to `wanted`, at most `most`. */
  upToMass(wanted: number, most: number): Beginning {
    let mass = 0
    return this.walk(
      most,
      (bin) => {
        const isBelow = mass + this.masses[bin]! < wanted
        if (isBelow) mass += this.masses[bin]!
        return isBelow
      },
      (weight) => {
        const isBelow = mass < wanted
        mass += weight
        return isBelow
      },
    )
  }

  /** The token at which the sum of weights exceeds `mass`, or the last of the first `most`. */
  tokenAt(mass: number, most: number): number {
    const { tokens } = this.walk(
      most,
      (bin) => {
        const isBelow = mass >= this.masses[bin]!
        if (isBelow) mass -= this.masses[bin]!
        return isBelow
      },
      (weight) => {
        mass -= weight
        return mass >= 0
      },
    )
    return this.order[Math.min(tokens, most - 1)]!
  }

  /** Counts tokens in order: bins as a whole where `takesBin`, then one by one while `takes`. */
  private walk(most: number, takesBin: (bin: number) => boolean, takes: (weight: number) => boolean): Beginning {
    let mass = 0
    for (let bin = 0; bin < BINS; bin++) {
      const [start, end] = [this.starts[bin]!, this.starts[bin + 1]!]
      if (end <= most && (end === start || takesBin(bin))) {
        mass += this.masses[bin]!
        continue
      }
      this.sort(bin)
      for (let at = start; at < end; at++) {
        const weight = this.weights[this.order[at]!]!
        if (at >= most || !takes(weight)) return { tokens: at, mass }
        mass += weight
      }
    }
    return { tokens: this.order.length, mass }
  }

  private sort(bin: number): void {
    if (this.isSorted[bin] === 1) return
    this.isSorted[bin] = 1
    const { weights } = this
    const tokens = this.order.subarray(this.starts[bin], this.starts[bin + 1])
    tokens.sort((a, b) => weights[b]! - weights[a]! || a - b)
  }
}

/** A number that no weight of the bin is below. */
function leastOf(bin: number): number {
  if (bin === BINS - 1) return 0
  const least = new Float64Array(1)
  new Uint32Array(least.buffer)[1] = BITS_OF_ONE - ((bin + 1) << SHIFT)
  return least[0]!
}
