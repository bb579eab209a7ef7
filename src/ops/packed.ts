// Packs: variables that lie side by side in the bytes of one other variable, as an optimizer lays out weights.
// They are updated in one instruction, and read and assigned one by one. Keeps both views consistent within one
// traced function.

import type { GraphBuilder } from '../engine/transforms/builder'
import type { Cell, Value } from '../engine/ir/graph'
import { sizeOf } from '../core/shapes'

/** Variables, in order, and the flat variable whose bytes they share. */
export interface Pack<Part extends Cell = Cell> {
  readonly whole: Part
  readonly parts: readonly Part[]
}

interface Open<Part extends Cell> extends Pack<Part> {
  /** The current contents of parts that were read or assigned since the whole was updated. */
  readonly contents: Map<Cell, Value>
  /** Whether a part was assigned since. */
  changed: boolean
}

/** The packs that were updated in one trace. */
export class Packs<Part extends Cell = Cell> {
  private readonly open = new Map<Cell, Open<Part>>()

  constructor(private readonly builder: GraphBuilder) {}

  /** The content of a pack, or of a part of one; null for other variables, whose contents the builder holds. */
  read(variable: Cell): Value | null {
    const pack = this.open.get(variable)
    if (pack !== undefined) return this.partOf(pack, variable)
    this.settle(({ whole }) => whole === variable)
    return null
  }

  /** The pack in which a variable was updated; null if it was not updated, or was updated alone. */
  packOf(variable: Cell): Pack<Part> | null {
    return this.open.get(variable) ?? null
  }

  /** Sets the content of a part. Returns false if the variable is not a part. */
  assign(variable: Cell, value: Value): boolean {
    const pack = this.open.get(variable)
    pack?.contents.set(variable, value)
    if (pack !== undefined) pack.changed = true
    return pack !== undefined
  }

  /** The contents of all parts as one value. */
  readAll(pack: Pack<Part>): Value {
    const { builder } = this
    const isOne = pack.parts.every((part) => {
      const open = this.open.get(part)
      return open === undefined ? !builder.isUpdated(part) : open.whole === pack.whole && !open.changed
    })
    return isOne ? builder.read(pack.whole) : this.join(pack)
  }

  /** Replaces the contents of all parts. */
  assignAll(pack: Pack<Part>, value: Value): void {
    const elsewhere = pack.parts.some((part) => (this.open.get(part) ?? pack).whole !== pack.whole)
    if (elsewhere) {
      // Some parts are in a pack that divides the variables otherwise. It gets their new contents.
      for (const part of pack.parts) {
        const content = this.cut(pack, value, part)
        if (!this.assign(part, content)) this.builder.update(part, content)
      }
      return
    }
    const opened: Open<Part> = { ...pack, contents: new Map(), changed: false }
    for (const part of pack.parts) {
      this.builder.forget(part)
      this.open.set(part, opened)
    }
    this.builder.update(pack.whole, value)
  }

  /** Joins the parts that were assigned, at the end of the trace. */
  settle(which: (pack: Pack) => boolean = () => true): void {
    for (const pack of new Set(this.open.values())) {
      if (!pack.changed || !which(pack)) continue
      this.builder.update(pack.whole, this.join(pack))
      pack.changed = false
    }
  }

  private partOf(pack: Open<Part>, part: Cell): Value {
    let content = pack.contents.get(part)
    if (content === undefined) {
      content = this.cut(pack, this.builder.read(pack.whole), part)
      pack.contents.set(part, content)
    }
    return content
  }

  private cut({ parts }: Pack, whole: Value, part: Cell): Value {
    const { e } = this.builder
    const start = parts.slice(0, parts.indexOf(part)).reduce((total, { shape }) => total + sizeOf(shape), 0)
    return e.reshape(e.slice(whole, [start], [sizeOf(part.shape)]), part.shape)
  }

  private join({ parts }: Pack): Value {
    const flat = parts.map((part) =>
      this.builder.e.reshape(this.read(part) ?? this.builder.read(part), [sizeOf(part.shape)]),
    )
    return flat.length === 1 ? flat[0]! : this.builder.emitOne('concat', flat, { axis: 0 })
  }
}
