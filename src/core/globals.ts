// What engines for apps lack of the globals of pages and of Node: Hermes, QuickJS and others.

/** Whether a value is a URL. */
export const isUrl = (value: unknown): value is URL => typeof URL === 'function' && value instanceof URL

/** Whether a value is a Blob, such as a File. */
export const isBlob = (value: unknown): value is Blob => typeof Blob === 'function' && value instanceof Blob

/** The time in ms since some moment. */
export const clock = (): number => (typeof performance === 'object' ? performance : Date).now()
