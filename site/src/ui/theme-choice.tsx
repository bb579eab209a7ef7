// The choice between light and dark colours, in the header of each page.

import { Choice } from './fields'
import { useStore } from './store'
import { theme, type Theme } from './theme'

const THEME_NAMES: Readonly<Record<Theme, string>> = { auto: 'Auto', light: 'Light', dark: 'Dark' }

export function ThemeChoice() {
  const value = useStore(theme)
  return (
    <Choice
      label="Colours"
      title="Light or dark colours, or those of the system"
      value={value}
      options={THEME_NAMES}
      onChange={(next) => theme.set(next)}
    />
  )
}
