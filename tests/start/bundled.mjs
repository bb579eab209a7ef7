// What bundlers for pages share: they bundle the program, and Chromium opens the page.

import { join } from 'node:path'
import { asModule, folder, found, opened, page, report, version } from './kit.mjs'

const script = page('<script type="module" src="./program.js"></script>')

/**
 * An environment of a bundler.
 * @param bundle bundles `program.js` of a folder into its `out/`
 * @param entry the page in `out/`, if the bundler makes it of index.html
 */
export const bundled = (name, tool, bundle, { makesPage = false } = {}) => ({
  name,
  async run() {
    const make = async (port) => {
      const files = { 'program.js': asModule() + report(port), [makesPage ? 'index.html' : 'out/index.html']: script }
      await bundle(folder(name, files))
      return join('build', name, 'out/index.html')
    }
    return { version: version(tool), result: found(await opened('chromium', make)) }
  },
})
