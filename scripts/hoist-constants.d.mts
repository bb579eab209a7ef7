export function hoistedConstants(wat: string): Set<string>
export function hoistConstants(wat: string, table: readonly string[], address: number): string
