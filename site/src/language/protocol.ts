// The messages between the page of language models and its worker.

import type { ChatMessage, LoraTarget, PresetInfo, WeightKind } from 'myelin/language'
import type { SavedFile } from '../worker/protocol'

/** Where a model comes from: files that the user chose, an address, or a text on which a small one is trained. */
export type Source =
  | { readonly kind: 'files'; readonly files: readonly File[] }
  | { readonly kind: 'address'; readonly address: string }
  | { readonly kind: 'new'; readonly text: string }

/** A turn of a conversation. */
export interface Turn extends ChatMessage {
  readonly role: 'user' | 'assistant'
  readonly content: string
}

/** A text to continue, or a conversation to reply to. */
export type Prompt = string | readonly Turn[]

/** An example to learn from. */
export interface Example {
  readonly prompt: string
  readonly response: string
}

/** The model that is open. */
export interface Opened extends PresetInfo {
  readonly name: string
  readonly weights: WeightKind
  readonly vocabularySize: number
  readonly maxLength: number
  /** Whether the preset has a chat template. */
  readonly isChat: boolean
  /** Whether this page has made it. */
  readonly isNew: boolean
}

/** The part of the page that shows a text. */
export type Pane = 'chat' | 'before' | 'after'

export interface Saying {
  readonly pane: Pane
  readonly prompt: Prompt
  readonly temperature: number
  readonly maxTokens: number
  readonly withAdapter: boolean
}

/** What was said so far. */
export interface Said {
  readonly text: string
  readonly tokens: number
  /** Since the first token was there; null before the second. */
  readonly perSecond: number | null
}

export type Targets = 'attention' | 'all'
export const TARGETS: Readonly<Record<Targets, readonly LoraTarget[]>> = {
  attention: ['query', 'value'],
  all: ['query', 'key', 'value', 'output', 'gate', 'up', 'down'],
}

export interface Teaching {
  readonly examples: readonly Example[]
  readonly rank: number
  readonly epochs: number
  readonly learningRate: number
  readonly targets: Targets
}

/** An adapter that was trained. */
export interface Taught {
  /** Numbers of the adapter. */
  readonly parameters: number
  readonly losses: readonly number[]
  readonly examples: number
  readonly seconds: number
  readonly isStopped: boolean
}

/** What was used since the model was opened. */
export interface Costs {
  /** Tokens of prompts. */
  readonly read: number
  readonly generated: number
  /** Tokens of examples, once for each epoch. */
  readonly trained: number
  readonly seconds: number
  readonly flops: number
  readonly joules: number
  /** Busy seconds of the processor, of which joules are estimated. */
  readonly busy: number
  /** How joules were obtained. */
  readonly how: string
  readonly from: string
}

export type Command = { readonly type: 'stop' }

export type Request =
  | Command
  | { readonly type: 'ask'; readonly id: number; readonly kind: keyof Questions; readonly argument: unknown }

export type Message =
  /** @param share from 0 to 1; null if it is unknown */
  | { readonly type: 'progress'; readonly text: string; readonly share: number | null }
  | { readonly type: 'said'; readonly pane: Pane; readonly said: Said }
  | { readonly type: 'losses'; readonly losses: readonly number[]; readonly share: number }
  | { readonly type: 'costs'; readonly costs: Costs }
  | { readonly type: 'answer'; readonly id: number; readonly value: unknown; readonly error: string | null }

/** Questions, each with its argument and its answer. */
export interface Questions {
  /** What a model takes in memory. */
  inspect: { argument: { readonly source: Source }; answer: PresetInfo }
  open: { argument: { readonly source: Source; readonly weights: WeightKind }; answer: Opened }
  say: { argument: Saying; answer: Said }
  teach: { argument: Teaching; answer: Taught }
  /** The files of the adapter. */
  save: { argument: null; answer: readonly SavedFile[] }
}
