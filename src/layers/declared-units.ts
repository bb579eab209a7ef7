// Whose declaration of units holds. A class declares them for its own computation: if a subclass overrides part of that
// computation, the units of its layers are unknown until it declares them again.

import { traitNamesAt, traitsOf } from './traits'
import type { InnerUnits, UnitFlow } from './units'

/** The traits that declare units, and the members of a class that stand for them. */
const DECLARING = { unitFlow: ['unitFlow', 'flowOfLast'], innerUnits: ['innerUnits'] } as const

/**
 * Members and traits that a subclass may override without changing the computation: declarations, checks, shapes, masks and
 * configurations.
 */
const DESCRIBING: readonly string[] = [
  'constructor',
  'toString',
  'getConfig',
  'form',
  'unitFlow',
  'flowOfLast',
  'innerUnits',
  'supportsMasking',
  'callOptions',
  'checkOptions',
  'checkShape',
  'checkMask',
  'validateInput',
  'inputDtype',
  'outputDtype',
  'computeMask',
  'computeOutputShape',
  'computeOutputSpec',
  'saveOwnVariables',
  'loadOwnVariables',
  'getBuildConfig',
  'buildFromConfig',
  'inputSpec',
  'requiredInputs',
  'quantizationMode',
  'loraEnabled',
  'loraRank',
  'loraAlpha',
]

function above(place: object): object | null {
  const prototype: unknown = Object.getPrototypeOf(place)
  return typeof prototype === 'object' ? prototype : null
}

/** The names that an object or a prototype itself has, with the traits of its class. */
function namesAt(place: object): readonly string[] {
  return [...Object.getOwnPropertyNames(place), ...traitNamesAt(place)]
}

/**
 * The name of `call`, or of another computing member of `base`, that the object or a class between it and `base`
 * overrides; null if none.
 */
function departure(layer: object, base: object): string | null {
  for (let place: object | null = layer; place !== null && place !== base; place = above(place)) {
    const prototype = above(place) ?? {}
    const inherited = traitsOf(base)
    // Every layer has the `build` that users call.
    const isShared = (name: string): boolean => DESCRIBING.includes(name) || (place === layer && name === 'build')
    const found = namesAt(place).find(
      (name) => name === 'call' || ((name in prototype || name in inherited) && !isShared(name)),
    )
    if (found !== undefined) return found
  }
  return null
}

/** The member that overrides the computation of the class that declares the units; null if none. */
function outgrowth(layer: object, declared: keyof typeof DECLARING): string | null {
  for (let place: object | null = layer; place !== null; place = above(place)) {
    const names = [...traitNamesAt(place), ...Object.getOwnPropertyNames(place).filter((name) => name === 'flowOfLast')]
    if (DECLARING[declared].some((name) => names.includes(name))) return departure(layer, place)
  }
  // Nothing is declared, so nothing is known, which is always true.
  return null
}

/** The unit flow of a layer; null if unknown, as with an overridden `call` without a declaration of its own. */
export function unitFlowOf(layer: object): UnitFlow | null {
  return outgrowth(layer, 'unitFlow') === null ? (traitsOf(layer).unitFlow?.(layer) ?? null) : null
}

/** The inner units of a layer, unless it overrides the computation of the class that declares them. */
export function innerUnitsOf(layer: object): readonly InnerUnits[] {
  return outgrowth(layer, 'innerUnits') === null ? (traitsOf(layer).innerUnits?.(layer) ?? []) : []
}

/** Why the inherited declaration of a layer's units does not hold; null if it holds, or if nothing is declared. */
export function whyUnknown(layer: object): string | null {
  const member = outgrowth(layer, 'unitFlow') ?? outgrowth(layer, 'innerUnits')
  return member === null ? null : `${String(layer)} overrides ${member}, and its class does not declare its units`
}

/**
 * Whether a layer computes what a class of the library computes: it is of this class, or of a subclass that overrides
 * none of the computation.
 */
export function computesAs<Kind extends object>(
  layer: object,
  { prototype }: { readonly prototype: Kind },
): layer is Kind {
  return Object.prototype.isPrototypeOf.call(prototype, layer) && departure(layer, prototype) === null
}
