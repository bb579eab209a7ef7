export function kerasDocument(): string
