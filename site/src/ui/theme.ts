// Light or dark, and the colours of canvases in each. Everything else is in style.css.

import { Store } from './store'

export const THEMES = ['auto', 'light', 'dark'] as const
export type Theme = (typeof THEMES)[number]

const KEY = 'myelin-theme'
const preference = matchMedia('(prefers-color-scheme: dark)')

function stored(): Theme {
  try {
    return THEMES.find((each) => each === localStorage.getItem(KEY)) ?? 'auto'
  } catch {
    return 'auto'
  }
}

export const theme = new Store<Theme>(stored())
export const isDark = new Store(false)

function apply(): void {
  document.documentElement.dataset['theme'] = theme.value
  isDark.set(theme.value === 'auto' ? preference.matches : theme.value === 'dark')
}
preference.addEventListener('change', apply)
theme.subscribe((value) => {
  apply()
  try {
    localStorage.setItem(KEY, value)
  } catch {
    // Without storage, the choice is lost when the page is closed.
  }
})
apply()

export type Rgb = readonly [number, number, number]

const rgb = (hex: string): Rgb => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16)) as [number, number, number]

/** The colours of classes, in order, as in the pictures of `myelin/plot`: by Okabe & Ito, of a contrast of at least 3:1. */
const CLASSES = {
  light: ['#005a9c', '#d45500', '#009e73', '#8e2f6b', '#6b5200', '#5a4fcf', '#767d85', '#a01c2c', '#2b6cb0', '#3d7a1f'],
  dark: ['#3f9fe6', '#ff8c42', '#6ee7a8', '#f4a6d4', '#f7e26b', '#a49bff', '#b4bcc4', '#ff7b80', '#8fc7ff', '#b5e48c'],
}
const PAPER = { light: '#ffffff', dark: '#12161c' }

export interface Palette {
  readonly classes: readonly Rgb[]
  readonly paper: Rgb
  readonly ink: string
  readonly soft: string
  readonly line: string
}

const PALETTES = {
  light: {
    classes: CLASSES.light.map(rgb),
    paper: rgb(PAPER.light),
    ink: '#1f2328',
    soft: '#59636e',
    line: '#e4e7eb',
  },
  dark: { classes: CLASSES.dark.map(rgb), paper: rgb(PAPER.dark), ink: '#e6edf3', soft: '#9aa4af', line: '#272e37' },
} satisfies Record<string, Palette>

export const palette = (): Palette => (isDark.value ? PALETTES.dark : PALETTES.light)
export const css = ([r, g, b]: Rgb, alpha = 1): string => `rgb(${r} ${g} ${b} / ${alpha})`
export const classColour = (label: number): Rgb => {
  const { classes } = palette()
  return classes[label % classes.length]!
}
