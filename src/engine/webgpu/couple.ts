// Some kernels have a thread for each element. Such a kernel can be a part of another kernel whose threads visit the same elements: this
// is one dispatch less, and the element is still in a register or a cache. The elements of a sum are computed when the sum reads them,
// and what follows a product is computed when an element of the product is stored. Every value is still stored: other kernels may
// read it.

import { BYTES_PER_ELEMENT } from '../../core/dtypes'
import type { Address, Operand } from '../ir/operand'
import { isPlaced } from '../plan/memory'
import { sizeOf } from '../../core/shapes'
import { hookFunction, type Elements, type Hook, type KernelText } from './dispatch'
import { suffixed } from './module'
import { anyMeet, isSame, rangesOf, rangesOfView, type Range } from './ranges'
import { both, meetings, type Placed, type Uses } from './uses'

/**
 * The elements of contiguous operands of one size.
 * @param others what the kernel reads in another way: operands with bytes of these are left out
 */
export function elementsOf(operands: readonly Operand[], others: readonly Operand[] = []): Elements {
  const ranges = others.flatMap(rangesOfView)
  const alone = operands.filter((operand) => !anyMeet(rangesOfView(operand), ranges))
  return { count: sizeOf(operands[0]!.shape), addresses: alone.map(({ address }) => address) }
}

/** Whether an address changes from turn to turn of a loop. */
function isMoving({ buffer }: Address): boolean {
  if (!isPlaced(buffer)) return false
  const { home } = buffer
  return home.kind === 'moving' || (home.kind === 'inside' && isMoving(home.at))
}

/** Where elements are. Addresses that change from turn to turn are left out: their bytes are not known. */
function rangesOfElements({ count, addresses }: Elements): Range[] {
  return addresses
    .filter((address) => !isMoving(address))
    .flatMap((address) => rangesOf(address, BYTES_PER_ELEMENT * count))
}

/** The addresses of elements that another kernel does not use, or uses only as elements. */
function sharedWith(other: Uses, otherElements: readonly Range[], elements: Elements): Address[] {
  const used = [...other.reads, ...other.writes]
  return elements.addresses.filter((address) => {
    const own = rangesOfElements({ ...elements, addresses: [address] })
    const isElement = (range: Range): boolean =>
      [own, otherElements].every((all) => all.some((each) => isSame(each, range)))
    return used.every((range) => !anyMeet([range], own) || isElement(range))
  })
}

/** `host` with a call of `guest` at a hook. */
function coupledText(host: KernelText, guest: KernelText, hook: Hook, elements: Elements): KernelText {
  const { functions = {}, hooks = {}, elements: ownElements } = host
  const suffix = `_with${Object.keys(functions).length}`
  const own = suffixed(guest, suffix, new Map())
  const name = `guest${suffix}`
  const calls = functions[hook]!.slice(hookFunction(hook, '').length - 1, -1)
  return {
    ...host,
    fields: { ...host.fields, ...Object.fromEntries(own.words) },
    functions: {
      ...functions,
      ...own.functions,
      [name]: `fn ${name}(index: u32) {\n${own.body}\n}`,
      [hook]: hookFunction(hook, `${calls}${name}(index);\n`),
    },
    hooks: { ...hooks, [hook]: elements },
    ...(ownElements !== undefined && { elements }),
  }
}

/** Whether two kernels only meet at elements: no other bytes are written by one and used by the other. */
function meetAtElements(host: Uses, guest: Uses, elements: readonly Range[]): boolean {
  return meetings(host, guest).every(([a, b]) => isSame(a, b) && elements.some((each) => isSame(each, a)))
}

/** `guest` as a part of `host`; null if it cannot be one. */
function coupledAt(host: Placed, guest: Placed, hook: Hook): Placed | null {
  const met = host.text.hooks?.[hook]
  const own = guest.text.elements
  if (met === undefined || own === undefined || met.count !== own.count || host.unless !== guest.unless) return null
  const [ofHost, ofGuest] = [rangesOfElements(met), rangesOfElements(own)]
  const common = ofHost.filter((a) => ofGuest.some((b) => isSame(a, b)))
  if (!meetAtElements(host.uses, guest.uses, common)) return null
  const addresses = [...sharedWith(guest.uses, ofGuest, met), ...sharedWith(host.uses, ofHost, own)]
  const elements = { count: met.count, addresses }
  return {
    ...host,
    text: coupledText(host.text, guest.text, hook, elements),
    label: hook === 'beforeElement' ? `${guest.label} > ${host.label}` : `${host.label} > ${guest.label}`,
    uses: both(host.uses, guest.uses),
  }
}

/** Two kernels as one, of which `second` needs the results of `first`; null if they cannot be one. */
export function coupled(first: Placed, second: Placed): Placed | null {
  return coupledAt(first, second, 'afterElement') ?? coupledAt(second, first, 'beforeElement')
}
