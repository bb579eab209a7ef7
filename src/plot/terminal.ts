// Colours of text pictures.

import { boolean, nullable, option } from '../core/options'

export { hasColours, painted } from '../engine/runtime/terminal'

/** Cyan, yellow, green, magenta, blue, red. */
export const CODES = [36, 33, 32, 35, 34, 31]

export const colourTable = { colours: option(nullable(boolean), null) }
