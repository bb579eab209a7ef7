// A worker, and questions to it.

import type { Command, Message, Questions } from '../worker/protocol'

export class Remote {
  private readonly waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>()
  private questions = 0

  /** @param receive is called with every message that is not an answer; null for a worker that only answers */
  constructor(
    private readonly worker: Worker,
    public receive: ((message: Exclude<Message, { type: 'answer' }>) => void) | null,
  ) {
    worker.addEventListener('message', ({ data }: MessageEvent<Message>) => {
      if (data.type !== 'answer') return this.receive?.(data)
      const waiting = this.waiting.get(data.id)
      this.waiting.delete(data.id)
      if (data.error === null) waiting?.resolve(data.value as never)
      else waiting?.reject(new Error(data.error))
    })
    worker.addEventListener('error', ({ message }) => {
      const text = message || 'The worker could not be started'
      for (const { reject } of this.waiting.values()) reject(new Error(text))
      this.waiting.clear()
      this.receive?.({ type: 'failed', message: text })
    })
  }

  send(command: Command): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker has no other origins
    this.worker.postMessage(command)
  }

  ask<Kind extends keyof Questions>(
    kind: Kind,
    argument: Questions[Kind]['argument'],
  ): Promise<Questions[Kind]['answer']> {
    const id = this.questions++
    const answer = new Promise<Questions[Kind]['answer']>((resolve, reject) =>
      this.waiting.set(id, { resolve, reject }),
    )
    this.send({ type: 'ask', id, kind, argument })
    return answer
  }

  end(): void {
    this.worker.terminate()
    for (const { reject } of this.waiting.values()) reject(new Error('Another model took the place of this one'))
  }
}
