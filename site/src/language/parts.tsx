// Parts that several steps have: the head of a step, and how far something is.

import type { ComponentChildren } from 'preact'
import { Button } from '../ui/fields'
import { session } from './session'

export function Head({ step, title, children }: { step: number; title: string; children?: ComponentChildren }) {
  return (
    <header>
      <h2>
        <span class="step" aria-hidden="true">
          {step}
        </span>
        {title}
      </h2>
      {children}
    </header>
  )
}

/** How far something is, with a button that ends it. */
export function Progress({ text, share }: { readonly text: string; readonly share: number | null }) {
  return (
    <div class="progress">
      <progress aria-label={text} max={1} {...(share === null ? {} : { value: share })} />
      <span class="soft">{text}</span>
      <Button title="Ends it" onClick={() => session.stop()}>
        Stop
      </Button>
    </div>
  )
}

/** 540123456 → 540 MB */
export function megabytes(bytes: number): string {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(2)} GB`
  return bytes >= 1e7 ? `${Math.round(bytes / 1e6)} MB` : `${(bytes / 1e6).toFixed(2)} MB`
}
