// Finds symbols of functional models among the arguments of an op. Each symbol has the recorder of calls of ops on it.

import { childrenAt, isBranch } from '../core/tree'
import { Tensor, type CallRecorder, type TensorSymbol } from './tensor'

/** The most arguments of an op. A longer list that begins with a number is data. */
const MOST_ARGUMENTS = 8

/** The first symbol of a functional model in a tree; undefined if there is none. Rows of numbers are not searched. */
export function symbolIn(tree: unknown): TensorSymbol | undefined {
  if (tree instanceof Tensor) return modelSymbol(tree)
  return typeof tree === 'object' && tree !== null ? symbolWithin(tree, new Set(), 0) : undefined
}

/** The recorder of calls of ops on the first symbol in a tree; undefined if there is none. */
export const recorderIn = (tree: unknown): CallRecorder | undefined => symbolIn(tree)?.recorder

function modelSymbol(tensor: Tensor): TensorSymbol | undefined {
  const symbol = Tensor.symbolOf(tensor)
  return symbol?.recorder === undefined ? undefined : symbol
}

/** @param seen the branches already searched, so that an array that contains itself ends */
function symbolWithin(tree: unknown, seen: Set<unknown>, depth: number): TensorSymbol | undefined {
  if (tree instanceof Tensor) return modelSymbol(tree)
  if (!isBranch(tree) || isRow(tree) || seen.has(tree)) return undefined
  seen.add(tree)
  for (const each of childrenAt(tree, depth)) {
    const found = symbolWithin(each, seen, depth + 1)
    if (found !== undefined) return found
  }
  return undefined
}

/** Whether a branch is data, which is not searched. Lists of arguments such as (2, x, 3) are short. */
function isRow(tree: object): boolean {
  return (
    Array.isArray(tree) &&
    typeof tree[0] === 'number' &&
    (tree.length > MOST_ARGUMENTS || tree.every((each) => typeof each === 'number'))
  )
}
