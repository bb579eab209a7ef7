// The results of a GPU as tables, each a head and rows, and as lines of Markdown: for the terminal, and for the page in which users measure their own GPU.
import { formatMilliseconds } from '../format.mjs'
import { COUNTED } from './counts.mjs'
import { rows } from './rows.mjs'

const NONE = '–'

/** The goals of training steps: at least so many times faster; a product of this size no slower than jax-js. */
const FASTER = { jax: 2, tfjs: 3 }
const LEVEL_PRODUCT = 'product-2048'
/** `auto` takes at most so many times the time of the better place. */
const AUTO = 1.1
/** The goals of calls for a training step: at most this part of the other library's, or this number. */
const FEWER = { jax: 0.4, tfjs: 0.1 }

/** What a call is, behind the title of its row. */
const SUFFIX = { product: '', train: ': training step', predict: ': prediction' }
const titleOf = ({ id, call }) => `${rows[id].title}${SUFFIX[call]}`
const verdict = (isMet, text) => `${text} ${isMet ? '✓' : '✗'}`

/**
 * @typedef {object} Result  one call of one row
 * @property {string} id
 * @property {'product' | 'predict' | 'train'} call
 * @property {number | null} flops  of one
 * @property {Record<string, { ms?: number, counts?: Record<string, number>, why?: string }>} libraries  `gpu`, `wasm`, `tfjs`,
 *   `jax`; `why`: the reason why there are no numbers
 * @property {{ device: 'gpu' | 'wasm', why: string } | null} [auto]  the place that `when: 'auto'` chose
 */

/** Lines about a device. @param {{ info: GPUAdapterInfo, limits: GPUSupportedLimits, features: Iterable<string> }} adapter */
export function adapterLines({ info, limits, features }) {
  const { vendor, architecture, device, description } = info
  const parts = { vendor, architecture, device, description }
  const known = Object.entries(parts).flatMap(([name, value]) => (value ? [`${name}: ${value}`] : []))
  const bytes = (value) => `${Math.round(value / 2 ** 20)} MiB`
  return [
    `- adapter: ${known.join(', ') || 'without a name'}${info.isFallbackAdapter ? ', in software' : ''}`,
    `- limits: buffers of ${bytes(limits.maxBufferSize)}, bindings of ${bytes(limits.maxStorageBufferBindingSize)}, ${limits.maxComputeWorkgroupStorageSize / 1024} KiB for a workgroup of ${limits.maxComputeInvocationsPerWorkgroup}`,
    `- features: ${[...features].sort().join(', ') || 'none'}`,
  ]
}

/** @param {{ bytesPerSecond: number, flopsPerSecond: number }} limits */
export function limitsLine({ bytesPerSecond, flopsPerSecond }) {
  return `- measured limits: ${(bytesPerSecond / 1e9).toFixed(0)} GB/s copied, ${(flopsPerSecond / 1e12).toFixed(2)} TFLOP/s of multiply-adds`
}

/**
 * Times. @param {readonly Result[]} results @param {readonly { name: string, title: string }[]} libraries the first is this one on the GPU
 * @param {{ flopsPerSecond: number }} limits
 * @returns {[string[], string[][]]}  the head and the rows
 */
export function timesTable(results, libraries, limits) {
  const cell = (result, name) => {
    const { ms, why } = result.libraries[name] ?? {}
    if (ms === undefined) return why ?? NONE
    const own = result.libraries.gpu?.ms
    return name === 'gpu' || own === undefined
      ? formatMilliseconds(ms)
      : `${formatMilliseconds(ms)} (${(ms / own).toFixed(1)}×)`
  }
  const share = ({ flops, libraries: { gpu } }) =>
    flops === null || gpu?.ms === undefined
      ? NONE
      : `${((100 * flops) / (gpu.ms / 1000) / limits.flopsPerSecond).toFixed(1)} %`
  return [
    ['', ...libraries.map(({ title }) => title), 'GFLOP', 'of the limit', '`auto`', 'goals'],
    results.map((result) => [
      titleOf(result),
      ...libraries.map(({ name }) => cell(result, name)),
      result.flops === null ? NONE : (result.flops / 1e9).toPrecision(3),
      share(result),
      autoCell(result),
      speedGoals(result).join(', ') || NONE,
    ]),
  ]
}

/** The place that `auto` chose, and how its time compares with the better one. */
function autoCell({ auto, libraries: { gpu, wasm } }) {
  if (auto == null) return NONE
  if (gpu?.ms === undefined || wasm?.ms === undefined) return auto.device
  const factor = (auto.device === 'gpu' ? gpu.ms : wasm.ms) / Math.min(gpu.ms, wasm.ms)
  return verdict(factor <= AUTO, `${auto.device} (${factor.toFixed(2)}×)`)
}

function speedGoals({ id, call, libraries }) {
  const own = libraries.gpu?.ms
  if (own === undefined) return []
  const goal = (name, factor) => {
    const ms = libraries[name]?.ms
    return ms === undefined ? [] : [verdict(ms / own >= factor, `${factor}× ${name}`)]
  }
  if (call === 'train') return Object.entries(FASTER).flatMap(([name, factor]) => goal(name, factor))
  return id === LEVEL_PRODUCT ? goal('jax', 1) : []
}

/** @param {number} rounds */
export const aboutTimes = (rounds) =>
  `Medians of ${rounds} interleaved rounds, of one training step, prediction of a batch, or product; in brackets the multiple of myelin on the GPU. Of the limit: the share of the multiply-adds that the device was measured to do.`

export function aboutCounts(libraries) {
  const titles = libraries.flatMap(({ name, title }) => (name === 'wasm' ? [] : [title]))
  return `Calls of WebGPU for one training step, prediction of a batch, or product: ${titles.join(' / ')}. The means over a \`fit\` of one epoch include what it does once, so only their whole part is that of each step. Objects are buffers, groups of bindings, pipelines and their parts.`
}

/**
 * Calls of WebGPU for one step, prediction or product.
 * @param {readonly Result[]} results
 * @param {readonly { name: string, title: string }[]} libraries
 * @returns {[string[], string[][]]}  the head and the rows
 */
export function countsTable(results, libraries) {
  const onGpu = libraries.filter(({ name }) => name !== 'wasm')
  const units = { written: 'kB written', read: 'kB read' }
  const text = (kind, value) => short(kind in units ? value / 1000 : value)
  const cell = (result, kind) =>
    onGpu
      .map(({ name }) => {
        const { counts } = result.libraries[name] ?? {}
        return counts === undefined ? NONE : text(kind, counts[kind])
      })
      .join(' / ')
  return [
    ['', ...COUNTED.map((kind) => units[kind] ?? kind), 'goals'],
    results.map((result) => [
      titleOf(result),
      ...COUNTED.map((kind) => cell(result, kind)),
      countGoals(result).join(', ') || NONE,
    ]),
  ]
}

function countGoals({ call, libraries }) {
  const own = libraries.gpu?.counts
  if (call !== 'train' || own === undefined) return []
  const parts = Object.entries(FEWER).flatMap(([name, part]) => {
    const other = libraries[name]?.counts
    return other === undefined
      ? []
      : [
          verdict(
            own.dispatches <= part * other.dispatches,
            `${(own.dispatches / other.dispatches).toFixed(2)} of ${name}`,
          ),
        ]
  })
  // All steps make the same calls, so the whole part of a mean is that of each step; the rest is what an epoch does once.
  const [submits, objects] = [own.submits, own.objects].map(Math.floor)
  return [...parts, verdict(submits <= 1 && objects === 0, '1 submit, 0 objects')]
}

const short = (value) => (value >= 100 ? Math.round(value).toString() : String(Number(value.toPrecision(2))))

/** The reasons why a library has no numbers in a row. */
export function whyLines(results, libraries) {
  return results.flatMap((result) =>
    libraries.flatMap(({ name, title }) => {
      const why = result.libraries[name]?.why
      return why === undefined ? [] : [`- ${titleOf(result)}: ${title}: ${why}`]
    }),
  )
}

/** Asks to send the text. @param {string} address of the issues */
export function request(address) {
  return `No speed of myelin on a GPU has been published yet. Please send this text to ${address}, with the name of your GPU if it is not above, the operating system, and what else used the GPU. It contains no personal data.`
}
