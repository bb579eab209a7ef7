// Windows of short-time Fourier transforms, element by element.

export const windowNames = ['hann', 'hamming', 'blackman', 'bartlett', 'boxcar'] as const
export type WindowName = (typeof windowNames)[number]

/** Element i of a window of `length`, as in scipy.signal.windows. A periodic window omits the last element of a longer one. */
export function windowElement(name: WindowName, i: number, length: number, isPeriodic: boolean): number {
  if (length === 1) return 1
  const at = i / (isPeriodic ? length : length - 1)
  switch (name) {
    case 'hann':
      return cosines(at, 0.5, 0.5)
    case 'hamming':
      return cosines(at, 0.54, 0.46)
    case 'blackman':
      return cosines(at, 0.42, 0.5, 0.08)
    case 'bartlett':
      return 1 - Math.abs(2 * at - 1)
    case 'boxcar':
      return 1
  }
}

/** a₀ − a₁ cos 2πx + a₂ cos 4πx − … */
function cosines(at: number, ...factors: readonly number[]): number {
  return factors.reduce((sum, factor, i) => sum + (-1) ** i * factor * Math.cos(2 * Math.PI * i * at), 0)
}
