// A worker, questions to it, and its other messages.

/** Questions by their kind. */
type Asked = Readonly<Record<string, { readonly argument: unknown; readonly answer: unknown }>>

interface Answer {
  readonly type: 'answer'
  readonly id: number
  readonly value: unknown
  readonly error: string | null
}

/** The worker has ended by itself, or a command has failed. */
interface Failed {
  readonly type: 'failed'
  readonly message: string
}

export class Link<Questions extends { [Kind in keyof Questions]: Asked[string] }, Command, Message> {
  private readonly waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>()
  private questions = 0

  /** @param receive is called with every message that is not an answer; null for a worker that only answers */
  constructor(
    private readonly worker: Worker,
    public receive: ((message: Exclude<Message, Answer> | Failed) => void) | null,
  ) {
    worker.addEventListener('message', ({ data }: MessageEvent<Answer | Exclude<Message, Answer>>) => {
      if (!isAnswer(data)) return this.receive?.(data)
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
    this.post(command)
  }

  private post(message: unknown): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker has no other origins
    this.worker.postMessage(message)
  }

  ask<Kind extends keyof Questions>(
    kind: Kind,
    argument: Questions[Kind]['argument'],
  ): Promise<Questions[Kind]['answer']> {
    const id = this.questions++
    const answer = new Promise<Questions[Kind]['answer']>((resolve, reject) =>
      this.waiting.set(id, { resolve, reject }),
    )
    this.post({ type: 'ask', id, kind, argument })
    return answer
  }

  end(): void {
    this.worker.terminate()
    for (const { reject } of this.waiting.values()) reject(new Error('Another model took the place of this one'))
  }
}

function isAnswer(message: unknown): message is Answer {
  return typeof message === 'object' && message !== null && 'type' in message && message.type === 'answer'
}
