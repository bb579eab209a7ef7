// Constants of loops move into memory, and nothing else does. All other tests show that the kernels still compute the
// same.
// modes: simd

import { expect, it } from 'vitest'
import { CONSTANTS, CONSTANTS_SIZE } from '../../assembly/shared/instructions'
import { hoistConstants, hoistedConstants } from '../../scripts/hoist-constants.mjs'
import { Arena, PlainMemory } from '../../src/engine/runtime/memory'

const ONE = '0x3f800000'
const TWO = '0x40000000'
const constant = (lane: string) => `v128.const i32x4 ${lane} ${lane} ${lane} ${lane}`

const module = (...body: string[]) =>
  [
    '(module',
    ' (import "env" "memory" (memory $0 1 65536))',
    ' (func $f (param $0 i32)',
    '  (local $1 v128)',
    ...body.map((line) => `  ${line}`),
    ' )',
    ')',
  ].join('\n')

it('loads what a loop uses once, before the outermost loop', () => {
  const before = module(
    'loop $a',
    ' loop $b',
    `  ${constant(ONE)}`,
    '  local.set $1',
    ' end',
    ` ${constant(ONE)}`,
    ' drop',
    'end',
  )
  expect([...hoistedConstants(before)]).toEqual([ONE])
  expect(hoistConstants(before, [TWO, ONE], 64)).toBe(
    module(
      'i32.const 0',
      'v128.load32_splat offset=68',
      `local.set $${ONE}`,
      'loop $a',
      ' loop $b',
      `  local.get $${ONE}`,
      '  local.set $1',
      ' end',
      ` local.get $${ONE}`,
      ' drop',
      'end',
    )
      .replace('(local $1 v128)', `(local $1 v128)\n  (local $${ONE} v128)`)
      .replace('65536))', '65536))\n (data (i32.const 64) "\\00\\00\\00\\40\\00\\00\\80\\3f")'),
  )
})

it.each([
  ['outside loops', [constant(ONE), 'drop', 'loop $a', 'end']],
  ['of a single instruction', ['loop $a', constant('0x00000000'), 'drop', constant('0xffffffff'), 'drop', 'end']],
  ['with different lanes', ['loop $a', `v128.const i32x4 ${ONE} ${TWO} ${ONE} ${TWO}`, 'drop', 'end']],
])('leaves constants %s', (_, body) => {
  expect(hoistedConstants(module(...body)).size).toBe(0)
  expect(hoistConstants(module(...body), [], 64)).toContain(body.map((line) => `  ${line}`).join('\n'))
})

it('separates the table from the memory that kernels write', () => {
  expect(new Arena(new PlainMemory()).scratch).toBeGreaterThanOrEqual(CONSTANTS + CONSTANTS_SIZE)
})
