// A message at the top of a page, until it is closed.

import { Button } from './fields'
import { useStore, type Store } from './store'

export interface Notice {
  readonly kind: 'error' | 'info'
  readonly text: string
}

export function NoticeLine({ store }: { readonly store: Store<Notice | null> }) {
  const notice = useStore(store)
  return (
    <div class="notices" role={notice?.kind === 'error' ? 'alert' : 'status'}>
      {notice !== null && (
        <p class={notice.kind}>
          {notice.text}
          <Button kind="quiet" title="Closes this message" label="Close" onClick={() => store.set(null)}>
            ×
          </Button>
        </p>
      )}
    </div>
  )
}
