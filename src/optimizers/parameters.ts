// Where weights and their slots lie: in blocks, side by side, so that one instruction updates all neighbours. A weight that
// is not trained for a while keeps its place, and its slots their content.

import { StateError } from '../core/errors'
import { BYTES_PER_ELEMENT } from '../core/dtypes'
import type { Pack } from '../ops/packed'
import { Variable } from '../ops/variable'
import type { Storage } from '../runtime/runtime'

/** Weights that came together, side by side, and beside them their slots. */
interface Block {
  readonly weights: readonly Variable[]
  readonly storage: Storage
  readonly slots: ReadonlyMap<string, Storage>
  /** By offset and size: the same run is the same variables, also in the next trace. */
  readonly runs: Map<string, Run>
}

interface Place {
  readonly block: Block
  /** In elements from the start of the block. */
  readonly offset: number
  /** By kind, of the weight's shape. */
  readonly slots: ReadonlyMap<string, Variable>
}

/** Neighbours that are updated by one instruction. */
export interface Run extends Pack<Variable> {
  /** By kind, laid out as the weights. */
  readonly slots: ReadonlyMap<string, Pack<Variable>>
}

export class ParameterStore {
  private readonly places = new Map<Variable, Place>()
  private readonly slotsByKind = new Map<string, Variable[]>()

  /**
   * @param kinds names of what is kept beside each weight
   * @param groupOf weights of equal numbers are laid side by side
   */
  constructor(
    private readonly kinds: readonly string[],
    private readonly groupOf: (weight: Variable) => number,
  ) {
    for (const kind of kinds) this.slotsByKind.set(kind, [])
  }

  /** The weights in the order in which they came. */
  get weights(): readonly Variable[] {
    return [...this.places.keys()]
  }

  /** What is kept beside the weights: by kind, then in the order of `weights`, each of its weight's shape. */
  get slots(): ReadonlyMap<string, readonly Variable[]> {
    return this.slotsByKind
  }

  /** What is kept beside a weight, by kind. */
  slotsOf(weight: Variable): ReadonlyMap<string, Variable> {
    return this.places.get(weight)?.slots ?? new Map()
  }

  knows(weight: Variable): boolean {
    return this.places.has(weight)
  }

  /** Whether the weight lies where this store put it: another optimizer may have moved a weight that two models share. */
  holds(weight: Variable): boolean {
    return weight.storage === this.places.get(weight)?.block.storage
  }

  /** Takes in the weights that are new, and brings back those that were moved. */
  add(weights: readonly Variable[]): void {
    const fresh = [...new Set(weights)].filter((weight) => !this.knows(weight))
    if (fresh.length > 0) this.lay(fresh)
    for (const weight of weights) {
      const { block, offset } = this.places.get(weight)!
      if (!this.holds(weight)) weight.adopt(block.storage, BYTES_PER_ELEMENT * offset)
    }
  }

  private lay(weights: readonly Variable[]): void {
    for (const weight of weights) {
      if (weight.dtype !== 'float32') throw new StateError(`${weight.name}: only float32 weights can be trained, this one is ${weight.dtype}`)
    }
    const ordered = [...weights].sort((a, b) => this.groupOf(a) - this.groupOf(b))
    const size = ordered.reduce((total, weight) => total + weight.size, 0)
    const { runtime } = ordered[0]!
    const make = () => runtime.createStorage(BYTES_PER_ELEMENT * size)
    const block: Block = { weights: ordered, storage: make(), slots: new Map(this.kinds.map((kind) => [kind, make()])), runs: new Map() }
    const offsets = new Map<Variable, number>()
    let offset = 0
    for (const weight of ordered) {
      offsets.set(weight, offset)
      weight.adopt(block.storage, BYTES_PER_ELEMENT * offset)
      offset += weight.size
    }
    for (const weight of weights) {
      const at = offsets.get(weight)!
      const slots = new Map<string, Variable>()
      for (const [kind, storage] of block.slots) {
        const slot = Variable.within(storage, BYTES_PER_ELEMENT * at, weight.shape, `${weight.name}/${kind}`)
        slot.view.fill(0)
        slots.set(kind, slot)
        this.slotsByKind.get(kind)!.push(slot)
      }
      this.places.set(weight, { block, offset: at, slots })
    }
  }

  /** Weights as few runs of neighbours; those of one run are in one group. */
  runsOf(weights: readonly Variable[]): readonly Run[] {
    const placed = weights.map((weight) => ({ weight, place: this.places.get(weight)!, group: this.groupOf(weight) }))
    const blocks = [...new Set(placed.map(({ place }) => place.block))]
    const runs: Run[] = []
    for (const block of blocks) {
      const own = placed.filter(({ place }) => place.block === block).sort((a, b) => a.place.offset - b.place.offset)
      for (let i = 0; i < own.length; ) {
        const parts: Variable[] = []
        const { place: { offset }, group } = own[i]!
        let end = offset
        for (; i < own.length && own[i]!.place.offset === end && own[i]!.group === group; i++) {
          parts.push(own[i]!.weight)
          end += own[i]!.weight.size
        }
        runs.push(this.run(block, offset, end - offset, parts))
      }
    }
    return runs
  }

  private run(block: Block, offset: number, size: number, parts: readonly Variable[]): Run {
    const key = `${offset} ${size}`
    let run = block.runs.get(key)
    if (run === undefined) {
      const within = (storage: Storage, name: string): Variable => Variable.within(storage, BYTES_PER_ELEMENT * offset, [size], name)
      const slots = new Map([...block.slots].map(([kind, storage]) => {
        return [kind, { whole: within(storage, kind), parts: parts.map((part) => this.places.get(part)!.slots.get(kind)!) }] as const
      }))
      run = { parts, whole: within(block.storage, 'parameters'), slots }
      block.runs.set(key, run)
    }
    return run
  }
}
