// Chat templates compared with transformers, and their limits of time and memory.
// modes: simd

import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { Tokenizer, type ChatMessage } from '../../../src/entries/language'

type Row = readonly [
  template: string,
  conversation: number,
  hasTools: boolean,
  addGenerationPrompt: boolean,
  expected: string | readonly string[],
]
const fixture = (name: string): URL => new URL(`../../golden/${name}`, import.meta.url)
const {
  templates,
  conversations,
  tools,
  rows,
}: {
  readonly templates: Readonly<Record<string, string>>
  readonly conversations: readonly (readonly ChatMessage[])[]
  readonly tools: readonly unknown[]
  readonly rows: readonly Row[]
} = JSON.parse(readFileSync(fixture('chat-templates.json'), 'utf8'))
const { kinds } = JSON.parse(gunzipSync(readFileSync(fixture('tokenizer-kinds.json.gz'))).toString())
const open = (template: string): Tokenizer =>
  Tokenizer.fromFiles({
    tokenizer: kinds.gpt2.tokenizer,
    config: { bos_token: '<s>', eos_token: { content: '</s>' }, chat_template: template },
    name: 'folder',
  })

describe.each(Object.keys(templates))('%s', (name) => {
  const tokenizer = open(templates[name]!)

  it('gives what transformers gives', () => {
    for (const [, conversation, hasTools, addGenerationPrompt, expected] of rows.filter(([of]) => of === name)) {
      const render = (): string =>
        tokenizer.applyChatTemplate(conversations[conversation]!, {
          addGenerationPrompt,
          tools: hasTools ? tools : null,
          variables: { date_string: '1 Jan 2026', ...(addGenerationPrompt ? { enable_thinking: false } : {}) },
        })
      if (typeof expected === 'string') expect(render()).toBe(expected)
      else expect(render).toThrow(/folder|template/)
    }
  })
})

describe('a template that would not end', () => {
  it.each([
    ['a huge range', '{% for i in range(1000000000) %}x{% endfor %}'],
    ['loops in loops', `${'{% for i in range(10000) %}'.repeat(4)}x${'{% endfor %}'.repeat(4)}`],
    ['a macro that calls itself', '{% macro f(x) %}{{ f(x) }}{% endmacro %}{{ f(1) }}'],
    [
      'a text that doubles',
      "{% set ns = namespace(t='x') %}{% for i in range(100) %}{% set ns.t = ns.t + ns.t %}{% endfor %}",
    ],
    ['no template', '{% for %}'],
  ])('%s is a typed error within seconds', (_name, template) => {
    const from = performance.now()
    expect(() => open(template).applyChatTemplate([{ role: 'user', content: 'Hi' }])).toThrow(/template of folder/)
    expect(performance.now() - from).toBeLessThan(10_000)
  })
})
