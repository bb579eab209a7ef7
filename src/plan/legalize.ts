// Decides where every value lies: views share their operand's bytes, everything else has its own. Inserts
// a copy wherever a consumer cannot read an operand as it lies. Allocates nothing: see memory.ts.

import type { GraphBuilder } from '../ir/builder'
import { ruleOf } from '../primitives'
import type { Graph, Node, Value } from '../ir/graph'
import type { Layout } from '../primitives/rule'
import { isContiguous } from '../primitives/rule'
import type { PrimitiveName } from '../primitives/attributes'
import { rowMajorStrides, sizeOf } from '../core/shapes'
import { rewrite } from './simplify'

/** A value's bytes: inside the buffer of `base`, in this layout. */
export interface Location {
  readonly base: Value
  readonly layout: Layout
}

export class Locations {
  private readonly known = new Map<Value, Location>()

  of(value: Value): Location {
    let location = this.known.get(value)
    if (location === undefined) {
      location = { base: value, layout: { offset: 0, strides: rowMajorStrides(value.shape) } }
      this.known.set(value, location)
    }
    return location
  }

  /** Records where the result of a view lies. False when it must be copied instead. */
  addView<Name extends PrimitiveName>(node: Node<Name>): boolean {
    const rule = ruleOf(node.name)
    if (rule.kind !== 'view') return true
    const input = node.inputs[0]!
    const { base, layout } = this.of(input)
    const view = rule.view(input, layout, node.attributes)
    if (view !== null) this.known.set(node.outputs[0]!, { base, layout: view })
    return view !== null
  }

  isContiguous(value: Value): boolean {
    return isContiguous(value.shape, this.of(value).layout.strides)
  }

  /** The value is all of its base, in order. */
  isWhole(value: Value): boolean {
    const { base, layout } = this.of(value)
    return layout.offset === 0 && this.isContiguous(value) && sizeOf(base.shape) === sizeOf(value.shape)
  }
}

/** A graph in which every operand can be read as it lies, and where each value lies. */
export function legalize(graph: Graph): { graph: Graph; locations: Locations } {
  const locations = new Locations()
  const copied = new Map<Value, Value>()
  const copy = (value: Value, builder: GraphBuilder): Value => {
    let result = copied.get(value)
    if (result === undefined) {
      result = builder.emitOne('copy', [value], {})
      copied.set(value, result)
    }
    return result
  }
  const legal = rewrite(
    graph,
    (node, inputs, builder) => {
      const operands = inputs.map((input, i) => (accepts(node, i, input, locations) ? input : copy(input, builder)))
      const outputs = builder.copy(node, operands)
      const made = outputs[0]?.node
      if (made && !locations.addView(made)) {
        // The operand cannot be seen so: the view of a contiguous copy always exists.
        const again = builder.copy(node, [copy(operands[0]!, builder)])
        locations.addView(again[0]!.node!)
        return again
      }
      return outputs
    },
    // A result needs bytes of its own: not a view's, not an input's or a constant's.
    (value, builder) => (isOwned(value, locations) ? value : copy(value, builder)),
  )
  return { graph: legal, locations }
}

function isOwned(value: Value, locations: Locations): boolean {
  const { base } = locations.of(value)
  return base.node !== null && ruleOf(base.node.name).kind !== 'constant' && locations.isWhole(value)
}

function accepts<Name extends PrimitiveName>(node: Node<Name>, i: number, input: Value, locations: Locations): boolean {
  const rule = ruleOf(node.name)
  if (rule.kind !== 'kernel' || locations.isContiguous(input)) return true
  return rule.accepts?.(i, input, locations.of(input).layout) ?? false
}
