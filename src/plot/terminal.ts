// Colours of terminals.

import { boolean, nullable, option } from '../core/options'
import { nodeProcess } from '../runtime/platform'

/** Whether the terminal shows colours: not if NO_COLOR is set (https://no-color.org), nor in files and pipes. */
export function hasColours(): boolean {
  const { env = {}, stdout } = nodeProcess() ?? {}
  if ((env['NO_COLOR'] ?? '') !== '') return false
  if ((env['FORCE_COLOR'] ?? '0') !== '0') return true
  return stdout?.isTTY === true && env['TERM'] !== 'dumb'
}

const ESCAPE = '\u001b['
/** Cyan, yellow, green, magenta, blue, red. */
export const CODES = [36, 33, 32, 35, 34, 31]
export const painted = (text: string, code: number, colours: boolean): string =>
  colours && text.trim() !== '' ? `${ESCAPE}${code}m${text}${ESCAPE}0m` : text

export const colourTable = { colours: option(nullable(boolean), null) }
