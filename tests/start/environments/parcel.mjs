// Parcel, as it is by default: it does not read `exports` of packages, but `alias` of package.json.
import { bundled } from '../bundled.mjs'
import { bin, output } from '../kit.mjs'

// Without --no-autoinstall it would change node_modules.
const options = ['--dist-dir', 'out', '--public-url', './', '--no-cache', '--no-autoinstall']
const build = (cwd) => output(bin('parcel'), ['build', 'index.html', ...options], { cwd })

export default [bundled('parcel', 'parcel', build, { makesPage: true })]
