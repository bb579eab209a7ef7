export function instructionSet(): Promise<number>
