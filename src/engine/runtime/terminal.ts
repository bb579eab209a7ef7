// What a terminal shows besides plain text.

import { nodeProcess } from './platform'

/** Whether the terminal shows colours: not if NO_COLOR is set (https://no-color.org), nor in files and pipes. */
export function hasColours(): boolean {
  const { env = {}, stdout } = nodeProcess() ?? {}
  if ((env['NO_COLOR'] ?? '') !== '') return false
  if ((env['FORCE_COLOR'] ?? '0') !== '0') return true
  return stdout?.isTTY === true && env['TERM'] !== 'dumb'
}

/** Whether the terminal shows more than ASCII and line ends. */
export function isDumb(): boolean {
  return nodeProcess()?.env?.['TERM'] === 'dumb'
}

const ESCAPE = '\u001b['
export const painted = (text: string, code: number, colours: boolean): string =>
  colours && text.trim() !== '' ? `${ESCAPE}${code}m${text}${ESCAPE}0m` : text

const BARS = '▁▂▃▄▅▆▇█'

/** Numbers as bars, from the lowest to the highest; a blank for one that is not finite. Bars of half the height if all are equal. */
export function barsOf(values: readonly number[]): string {
  const finite = values.filter(Number.isFinite)
  const [low, high] = finite.reduce(
    ([least, most], x) => [Math.min(least, x), Math.max(most, x)],
    [Infinity, -Infinity],
  )
  return values
    .map((each) => {
      if (!Number.isFinite(each)) return ' '
      return low === high
        ? BARS[3]
        : BARS[Math.min(7, Math.floor(((each / 2 - low! / 2) / (high! / 2 - low! / 2)) * 8))]
    })
    .join('')
}
