// The worker of the page of language models: it answers one question after the other; a stop ends the present one.

import { Bench } from './bench'
import type { Message, Questions, Request } from './protocol'

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker has no other origins
const post = (message: Message): void => self.postMessage(message)

const bench = new Bench(post)

const answers: {
  readonly [Kind in keyof Questions]: (argument: Questions[Kind]['argument']) => Promise<Questions[Kind]['answer']>
} = {
  inspect: ({ source }) => bench.inspect(source),
  open: ({ source, weights }) => bench.open(source, weights),
  say: (saying) => bench.say(saying),
  teach: (teaching) => bench.teach(teaching),
  save: () => bench.save(),
}

self.addEventListener('message', async ({ data }: MessageEvent<Request>) => {
  if (data.type === 'stop') return bench.stop()
  const { id, kind, argument } = data
  try {
    post({
      type: 'answer',
      id,
      value: await (answers[kind] as (of: unknown) => Promise<unknown>)(argument),
      error: null,
    })
  } catch (error) {
    post({ type: 'answer', id, value: null, error: error instanceof Error ? error.message : String(error) })
  }
})
