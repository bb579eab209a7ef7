// The state as the part of an address after #, readable, and without what is as usual.

import type { Point } from '../data/points'
import { KINDS, isKind, layerOf, type LayerSpec } from '../model/layers'
import {
  DATA_KINDS,
  DEVICES,
  INITIAL,
  LOSSES,
  OPTIMIZERS,
  SCHEDULES,
  TABS,
  type DataKind,
  type State,
  type Tab,
} from './state'

/** #data=moons&layers=dense-10-relu,dropout-0.2 */
export function toHash(state: State): string {
  const { data, layers, training, tab } = state
  const all = (of: State): Record<string, string> => ({
    data: of.data.kind,
    rows: String(of.data.rows),
    noise: String(of.data.noise),
    points: of.data.kind === 'drawn' ? pointsToText(of.data.points) : '',
    layers: layersToText(of.layers),
    optimizer: of.training.optimizer,
    rate: String(of.training.rate),
    schedule: of.training.schedule,
    loss: of.training.loss,
    batch: String(of.training.batch),
    l2: String(of.training.l2),
    seed: String(of.training.seed),
    device: of.training.device,
    tab: of.tab,
  })
  const usual = all(INITIAL)
  const changed = Object.entries(all({ data, layers, training, tab })).filter(([key, value]) => usual[key] !== value)
  return changed.map(([key, value]) => `${key}=${encodeURIComponent(value)}`).join('&')
}

/** Values that do not fit are replaced by the usual ones. */
export function fromHash(hash: string): State {
  const params = new URLSearchParams(hash.replace(/^#/, ''))
  const { data, training } = INITIAL
  const number = (key: string, usual: number, min: number, max: number): number => {
    const text = params.get(key)
    const value = Number(text)
    return text === null || text === '' || !Number.isFinite(value) ? usual : Math.min(max, Math.max(min, value))
  }
  const one = <Value extends string>(key: string, from: readonly Value[], usual: Value): Value =>
    from.find((each) => each === params.get(key)) ?? usual
  return {
    data: {
      kind: one('data', Object.keys(DATA_KINDS) as DataKind[], data.kind),
      rows: Math.round(number('rows', data.rows, 20, 2000)),
      noise: number('noise', data.noise, 0, 1),
      points: pointsFromText(params.get('points') ?? ''),
    },
    layers: layersFromText(params.get('layers')),
    training: {
      optimizer: one('optimizer', OPTIMIZERS, training.optimizer),
      rate: number('rate', training.rate, 1e-6, 10),
      schedule: one('schedule', SCHEDULES, training.schedule),
      loss: one('loss', LOSSES, training.loss),
      batch: Math.round(number('batch', training.batch, 1, 512)),
      l2: number('l2', training.l2, 0, 1),
      seed: Math.round(number('seed', training.seed, 0, 1e6)),
      device: one('device', DEVICES, training.device),
    },
    tab: one('tab', Object.keys(TABS) as Tab[], INITIAL.tab),
  }
}

function layersToText(layers: readonly LayerSpec[]): string {
  return layers
    .map(({ kind, values }) => [kind, ...KINDS[kind].fields.map(({ name }) => values[name])].join('-'))
    .join(',')
}

function layersFromText(text: string | null): readonly LayerSpec[] {
  if (text === null) return INITIAL.layers
  return text
    .split(',')
    .slice(0, 12)
    .flatMap((part) => {
      const [kind = '', ...values] = part.split('-')
      if (!isKind(kind)) return []
      return [layerOf(kind, Object.fromEntries(KINDS[kind].fields.map(({ name }, i) => [name, values[i]])))]
    })
}

/** x and y in thousandths, and the class. */
function pointsToText(points: readonly Point[]): string {
  return points.map(({ x, y, label }) => [Math.round(1000 * x), Math.round(1000 * y), label].join('_')).join('.')
}

function pointsFromText(text: string): readonly Point[] {
  return text
    .split('.')
    .slice(0, 500)
    .flatMap((part) => {
      const numbers = part.split('_').map(Number)
      const [x, y, label] = numbers
      if (part === '' || numbers.length !== 3 || !numbers.every(Number.isFinite)) return []
      return [{ x: x! / 1000, y: y! / 1000, label: Math.min(3, Math.max(0, Math.round(label!))) }]
    })
}
