// The types of statistics.js, for the playground and its tests.
export function generator(seed: number): () => number
export function shuffled(count: number, random: () => number): Int32Array
export function mean(values: readonly number[]): number
export function median(values: readonly number[]): number
export function quantile(values: readonly number[], share: number): number
export function withRange(values: readonly number[], digits?: number, share?: number): string
