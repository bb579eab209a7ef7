// The memory layout of weights and slots: blocks in which they lie side by side, so that one instruction updates all
// neighbours. A frozen weight keeps its place and its slots.

import { StateError } from '../core/errors'
import { BYTES_PER_ELEMENT } from '../core/dtypes'
import { sizeOf, type Shape } from '../core/shapes'
import type { Pack } from '../ops/packed'
import { Variable } from '../ops/variable'
import type { Runtime, Storage } from '../engine/runtime/runtime'

/** A variable that an optimizer keeps for a weight. */
export interface Slot {
  readonly name: string
  /** The axes of the weight that the slot has: [0] for one number per row of a matrix. Default: all. */
  readonly axes?: readonly number[]
  /** The initial value: a number, or the weight itself. Default 0. */
  readonly start?: number | 'weight'
}

/** How an optimizer treats a weight. */
export interface Treatment {
  readonly slots: readonly Slot[]
  /** Neighbouring weights with the same string are updated together. */
  readonly group: string
  /** Whether the weight is updated separately. */
  readonly isAlone: boolean
}

function shapeOf({ axes }: Slot, { shape }: Variable): Shape {
  return axes === undefined ? shape : axes.map((axis) => shape[axis]!)
}

/** Weights that were added together, side by side. */
interface WeightBlock {
  readonly storage: Storage
  /** The variables of runs of neighbours, by offset and size, so that the next trace uses the same variables. */
  readonly runs: Map<string, UpdateGroup>
}

interface WeightPlace {
  readonly block: WeightBlock
  /** The offset in bytes from the start of the block. */
  readonly offset: number
  /** By kind. */
  readonly slots: ReadonlyMap<string, Variable>
}

/** Neighbours that are updated by one instruction; or a single weight. */
export interface UpdateGroup extends Pack<Variable> {
  /** By kind, in the order of the weights. */
  readonly slots: ReadonlyMap<string, Pack<Variable>>
  readonly isAlone: boolean
}

export class ParameterStore {
  private readonly places = new Map<Variable, WeightPlace>()
  private readonly slotsByKind = new Map<string, Variable[]>()

  /**
   * @param name of the optimizer, for paths of slots
   * @param treatmentOf the slots of a weight; weights of equal groups are placed side by side
   */
  constructor(
    private readonly name: string,
    private readonly treatmentOf: (weight: Variable) => Treatment,
  ) {}

  /** The weights in the order in which they were added. */
  get weights(): readonly Variable[] {
    return [...this.places.keys()]
  }

  /** All slots: by kind, then in the order of `weights`. */
  get slots(): ReadonlyMap<string, readonly Variable[]> {
    return this.slotsByKind
  }

  /** The slots of a weight, by kind. */
  slotsOf(weight: Variable): ReadonlyMap<string, Variable> {
    return this.places.get(weight)?.slots ?? new Map()
  }

  knows(weight: Variable): boolean {
    return this.places.has(weight)
  }

  /** Whether the weight is still where this store put it. The optimizer of another model may have moved a shared weight. */
  holds(weight: Variable): boolean {
    return weight.storage === this.places.get(weight)?.block.storage
  }

  /** Adds new weights, and moves back those that were moved. */
  add(weights: readonly Variable[]): void {
    const fresh = [...new Set(weights)].filter((weight) => !this.knows(weight))
    if (fresh.length > 0) this.lay(fresh)
    for (const weight of weights) {
      const { block, offset } = this.places.get(weight)!
      if (!this.holds(weight)) weight.adopt(block.storage, offset)
    }
  }

  private lay(weights: readonly Variable[]): void {
    for (const weight of weights) {
      if (weight.dtype !== 'float32')
        throw new StateError(`${weight.name}: only float32 weights can be trained, this one is ${weight.dtype}`)
    }
    const treatments = new Map(weights.map((weight) => [weight, this.treatmentOf(weight)]))
    const treatment = (weight: Variable): Treatment => treatments.get(weight)!
    const ordered = [...weights].sort((a, b) => compare(treatment(a).group, treatment(b).group))
    const { runtime } = ordered[0]!
    const { storage, offsets } = rowOf(
      runtime,
      ordered.map((weight) => [weight, weight.size]),
    )
    for (const [weight, offset] of offsets) weight.adopt(storage, offset)
    const kinds = new Set(ordered.flatMap((weight) => treatment(weight).slots.map(({ name }) => name)))
    const rows = new Map(
      [...kinds].map((kind) => [
        kind,
        rowOf(
          runtime,
          ordered.flatMap((weight) => {
            return treatment(weight)
              .slots.filter(({ name }) => name === kind)
              .map((slot) => [weight, sizeOf(shapeOf(slot, weight))] as const)
          }),
        ),
      ]),
    )
    const block: WeightBlock = { storage, runs: new Map() }
    for (const weight of weights) {
      const slots = new Map(
        treatment(weight).slots.map((slot) => {
          const row = rows.get(slot.name)!
          const variable = Variable.within(
            row.storage,
            row.offsets.get(weight)!,
            shapeOf(slot, weight),
            `${weight.name}/${slot.name}`,
          )
          variable.path = `${this.name}/${weight.path.replaceAll('/', '_')}_${slot.name}`
          begin(variable, slot, weight)
          return [slot.name, variable]
        }),
      )
      for (const [kind, variable] of slots)
        this.slotsByKind.set(kind, [...(this.slotsByKind.get(kind) ?? []), variable])
      this.places.set(weight, { block, offset: offsets.get(weight)!, slots })
    }
  }

  /** Splits weights into as few runs of neighbours as possible, each within one group. */
  runsOf(weights: readonly Variable[]): readonly UpdateGroup[] {
    const placed = weights.map((weight) => {
      const { group, isAlone } = this.treatmentOf(weight)
      return { weight, place: this.places.get(weight)!, group: isAlone ? weight : group, isAlone }
    })
    const blocks = [...new Set(placed.map(({ place }) => place.block))]
    const runs: UpdateGroup[] = []
    for (const block of blocks) {
      const ordered = placed
        .filter(({ place }) => place.block === block)
        .sort((a, b) => a.place.offset - b.place.offset)
      for (let i = 0; i < ordered.length;) {
        const parts: Variable[] = []
        const {
          place: { offset },
          group,
          isAlone,
        } = ordered[i]!
        let end = offset
        for (; i < ordered.length && ordered[i]!.place.offset === end && ordered[i]!.group === group; i++) {
          parts.push(ordered[i]!.weight)
          end += ordered[i]!.weight.byteLength
        }
        runs.push(this.run(block, `${offset} ${end}`, parts, isAlone))
      }
    }
    return runs
  }

  private run({ runs }: WeightBlock, key: string, parts: readonly Variable[], isAlone: boolean): UpdateGroup {
    let run = runs.get(key)
    if (run === undefined) {
      const kinds = [...this.slotsOf(parts[0]!).keys()]
      const slots = new Map(
        kinds.map((kind) => [
          kind,
          joined(
            kind,
            parts.map((part) => this.slotsOf(part).get(kind)!),
          ),
        ]),
      )
      run = { ...joined('parameters', parts), slots, isAlone }
      runs.set(key, run)
    }
    return run
  }
}

const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b))

/** One variable per weight, side by side: offsets are in bytes. */
interface Row {
  readonly storage: Storage
  readonly offsets: ReadonlyMap<Variable, number>
}

function rowOf(runtime: Runtime, sizes: readonly (readonly [Variable, number])[]): Row {
  let end = 0
  const offsets = new Map(
    sizes.map(([weight, size]) => [weight, (end += BYTES_PER_ELEMENT * size) - BYTES_PER_ELEMENT * size]),
  )
  return { storage: runtime.createStorage(end), offsets }
}

/** Neighbours as one variable. */
function joined(name: string, parts: readonly Variable[]): Pack<Variable> {
  const { storage, byteOffset } = parts[0]!
  return {
    whole: Variable.within(storage, byteOffset, [parts.reduce((total, { size }) => total + size, 0)], name),
    parts,
  }
}

/** Sets a slot to its initial value. */
export function begin({ view }: Variable, { start = 0 }: Slot, weight: Variable): void {
  if (start === 'weight') view.set(weight.view)
  else view.fill(start)
}
