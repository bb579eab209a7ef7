// Colours of text pictures.

import { boolean, nullable, option } from '../core/options'

export { hasColours, painted } from '../engine/runtime/terminal'

/** Cyan, yellow, green, magenta, blue, red. */
export const CODES = [36, 33, 32, 35, 34, 31]

const colourRows = { colours: option(nullable(boolean), null) }
type ColourRows = typeof colourRows
export type ColourTable = { [Name in keyof ColourRows]: ColourRows[Name] }
export const colourTable: ColourTable = colourRows
