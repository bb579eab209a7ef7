// VitePress's theme with system fonts and the colours of the pictures.

import Theme from 'vitepress/theme-without-fonts'
import './style.css'

export default Theme
