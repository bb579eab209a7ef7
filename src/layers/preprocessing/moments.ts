// Mean and variance of data that come in batches, in float64: the moments of the batches are merged without subtracting
// large sums.

/**
 * For each of n slots the mean and the sum of squared distances to it. Two are merged as in Chan, Golub and LeVeque
 * 1979:
 *
 *   δ = mean_b − mean_a      mean = mean_a + δ n_b / n      M = M_a + M_b + δ² n_a n_b / n
 */
export class RunningMoments {
  readonly mean: Float64Array
  private readonly squares: Float64Array
  /** The number of elements of each slot. */
  count = 0

  constructor(slots: number) {
    this.mean = new Float64Array(slots)
    this.squares = new Float64Array(slots)
  }

  /** The mean squared distance to the mean. */
  get variance(): Float64Array {
    return this.squares.map((sum) => sum / this.count)
  }

  /**
   * @param data rows, one after the other
   * @param slots the slot of each element of a row; all slots have equally many elements
   */
  add(data: ArrayLike<number>, slots: Int32Array): void {
    const slotCount = this.mean.length
    const count = data.length / slotCount
    if (count === 0) return
    const each = (visit: (x: number, slot: number) => void): void => {
      for (let start = 0; start < data.length; start += slots.length)
        for (let i = 0; i < slots.length; i++) visit(data[start + i]!, slots[i]!)
    }
    const [mean, squares] = [new Float64Array(slotCount), new Float64Array(slotCount)]
    each((x, slot) => (mean[slot]! += x / count))
    each((x, slot) => (squares[slot]! += (x - mean[slot]!) ** 2))
    const total = this.count + count
    for (let slot = 0; slot < slotCount; slot++) {
      const between = mean[slot]! - this.mean[slot]!
      this.mean[slot]! += (between * count) / total
      this.squares[slot]! += squares[slot]! + (between * between * this.count * count) / total
    }
    this.count = total
  }
}
