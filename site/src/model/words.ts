// Counts as words of the page.

/** `1 unit`, `3 units`. */
export const counted = (n: number | string, one: string): string => `${n} ${one}${Number(n) === 1 ? '' : 's'}`
