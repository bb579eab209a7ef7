// The range of the numbers of images.

/** The numbers for black and white: 0 and 1, or 0 and 255, if all numbers lie between them; otherwise the lowest and the highest. */
export function brightnessRange(data: ArrayLike<number>): readonly [black: number, white: number] {
  let [low, high] = [Infinity, -Infinity]
  for (let i = 0; i < data.length; i++) {
    low = Math.min(low, data[i]!)
    high = Math.max(high, data[i]!)
  }
  if (low >= 0 && high <= 1) return [0, 1]
  if (low >= 0 && high <= 255) return [0, 255]
  return [low, high]
}
