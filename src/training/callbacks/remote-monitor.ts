// RemoteMonitor: the logs of every epoch, sent to a server.

import { warn } from '../../core/warnings'
import { boolean, configured, custom, nullable, option, text, type OptionInputs } from '../../core/options'
import { ArgumentError, quoted } from '../../core/errors'
import { Callback, type Logs } from './callback'

type Headers = Readonly<Record<string, string>>

function areHeaders(value: unknown): value is Headers {
  return typeof value === 'object' && value !== null && Object.values(value).every((each) => typeof each === 'string')
}

const headersKind = custom<Headers>(
  (value, where) => {
    if (areHeaders(value)) return value
    throw new ArgumentError(
      `${where} must be a record of texts, for example { authorization: '…' }, received ${quoted(value)}`,
    )
  },
  (value) => value,
)

const remoteMonitorOptions = () => ({
  /** Default 'http://localhost:9000'. */
  root: option(text, 'http://localhost:9000'),
  /** Added to the root. Default '/publish/epoch/end/'. */
  path: option(text, '/publish/epoch/end/'),
  /** The field of the form. Default 'data'. */
  field: option(text, 'data'),
  /** HTTP headers. Default null: none. */
  headers: option(nullable(headersKind), null),
  /** Sends JSON instead of a form. Default false. */
  sendAsJson: option(boolean, false),
})
export type RemoteMonitorOptions = OptionInputs<ReturnType<typeof remoteMonitorOptions>>

const RemoteMonitorBase = configured(Callback, remoteMonitorOptions, ['root', 'path', 'field', 'headers', 'sendAsJson'])

/**
 * Sends `{ epoch, loss, … }` by POST to a server when an epoch ends. If the server does not answer, a warning is
 * printed and training continues.
 *
 *   new RemoteMonitor({ root: 'http://localhost:9000', sendAsJson: true })
 *
 * Keras: `keras.callbacks.RemoteMonitor`.
 */
export class RemoteMonitor extends RemoteMonitorBase {
  static readonly className = 'RemoteMonitor'

  override async onEpochEnd(epoch: number, logs: Logs): Promise<void> {
    const { root, path, field, headers, sendAsJson } = this
    const json = JSON.stringify({ epoch, ...logs })
    const type = sendAsJson ? { 'content-type': 'application/json' } : {}
    const body = sendAsJson ? json : new URLSearchParams({ [field]: json })
    try {
      await (await fetch(root + path, { method: 'POST', body, headers: { ...type, ...headers } })).arrayBuffer()
    } catch (error) {
      warn(`RemoteMonitor: ${root} could not be reached: ${String(error)}`)
    }
  }
}
