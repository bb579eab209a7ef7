// Every example is in the table of examples/README.md, in .ci/run, and says what it claims. CI runs the programs.
// modes: simd

import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const read = (path: string): string => readFileSync(path, 'utf8')
const programs = readdirSync('examples').filter((name) => existsSync(`examples/${name}/index.js`))

/** The words of the lines of .ci/run that run examples. */
const run = new Set(
  read('.ci/run')
    .replaceAll('\\\n', ' ')
    .match(/[\w-]+/g),
)

/** The first column of the tables in examples/README.md. */
const commands = [...read('examples/README.md').matchAll(/^\| `(?:node examples\/|npm run demo:)([\w-]+)`/gm)].map(
  ([, name]) => name!,
)

describe('examples', () => {
  it('are at least 25', () => {
    expect(programs.length).toBeGreaterThanOrEqual(25)
  })

  it('are in the table, once', () => {
    expect(commands.toSorted()).toEqual(programs.toSorted())
  })

  it.each(programs)('%s is run by CI, and names its baseline and its result', (name) => {
    const program = read(`examples/${name}/index.js`)
    const [header] = program.split('\n\n') as [string]
    expect(run).toContain(name)
    expect(header).toMatch(/^(?:\/\/.*\n?)+$/)
    expect(header).toMatch(/[Bb]aseline/)
    expect(header).toMatch(/Result/)
  })

  it.each(programs)('%s ends with a picture and with claims', (name) => {
    const program = read(`examples/${name}/index.js`)
    expect(program).toMatch(/\b(?:savePicture|printPicture)\(/)
    expect(program).toMatch(/\bclaim\(/)
  })
})
