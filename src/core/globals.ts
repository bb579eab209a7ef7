// Replaces globals of pages and of Node that engines for apps, such as Hermes and QuickJS, do not have.

/** Whether a value is a URL. */
export const isUrl = (value: unknown): value is URL => typeof URL === 'function' && value instanceof URL

/** Whether a value is a Blob, such as a File. */
export const isBlob = (value: unknown): value is Blob => typeof Blob === 'function' && value instanceof Blob

/** A time in ms, for differences. */
export const clock = (): number => (typeof performance === 'object' ? performance : Date).now()
