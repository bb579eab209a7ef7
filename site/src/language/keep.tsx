// Step 6: the adapter as the two files of Python's peft.

import { Button } from '../ui/fields'
import { download } from '../ui/download'
import { useStore } from '../ui/store'
import { Head } from './parts'
import type { Opened } from './protocol'
import { session } from './session'

export function Keep({ opened: { isNew } }: { readonly opened: Opened }) {
  const taught = useStore(session.taught)
  const doing = useStore(session.doing)
  const save = async (): Promise<void> => {
    for (const { name, bytes } of (await session.save()) ?? []) download(name, bytes)
  }
  return (
    <section class="card lm-card" aria-label="Files">
      <Head step={6} title="Keep the adapter" />
      <p class="soft">
        Two files, adapter_config.json and adapter_model.safetensors, as Python's peft has them
        {isNew ? '. They fit only the small model of this page.' : '. They fit the model that you have opened.'}
      </p>
      <div class="row">
        <Button
          title="Saves the two files of the adapter"
          isDisabled={taught === null || doing !== null}
          onClick={() => void save()}
        >
          Download the adapter
        </Button>
      </div>
      <div class="listing">
        <pre tabIndex={0} aria-label="How to use the adapter">
          <span class="remark">{'// JavaScript\n'}</span>
          {"await lm.loadLora('adapter/')\n"}
          <span class="remark">{'# Python\n'}</span>
          {"PeftModel.from_pretrained(model, 'adapter')"}
        </pre>
      </div>
    </section>
  )
}
