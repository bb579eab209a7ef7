// The README: its length and its commands. pages.test.ts runs its code.
// modes: simd

import { expect, it } from 'vitest'
import { readDocument } from '../helpers/documented'

const readme = readDocument('README.md')

it('fits on a few screens', () => {
  expect(readme.split('\n').length).toBeLessThanOrEqual(150)
})

it('mentions only commands that exist', () => {
  const { scripts } = JSON.parse(readDocument('package.json')) as { scripts: Record<string, string> }
  const lines = readme.split('\n')
  for (const line of ['npm ci && npm run demo', 'npm ci && npm test']) expect(lines).toContain(line)
  const named = [...readme.matchAll(/npm run ([\w:]+)/g)].map(([, name]) => name!)
  for (const name of [...named, 'test']) expect(scripts, `npm run ${name}`).toHaveProperty(name)
})
