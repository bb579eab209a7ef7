// The tab Weights: every kernel as a picture, and the distribution of its numbers.

import { sizeOf, type Form } from '../data/form'
import type { WeightsOf } from '../worker/protocol'
import { Pixels } from './canvas'
import { short } from './fields'
import { largest, matrixPixels } from './paint'
import { session } from './session'
import { useStore } from './store'
import { classColour, css, isDark } from './theme'

const BARS = 41
const MOST_FILTERS = 64

export function Weights() {
  const described = useStore(session.described)
  const frame = useStore(session.frame)
  if (described === null) return <div class="waiting" aria-busy="true" />
  return (
    <div class="stack">
      <p class="lead">
        Orange weights are positive, blue ones negative. Those near zero have the colour of the page: they do little.
      </p>
      <div class="kernels">
        {(frame?.weights ?? []).map((each, i) => (
          <Kernel key={each.name} form={described.form} weights={each} isFirst={i === 0} />
        ))}
      </div>
    </div>
  )
}

function Kernel({
  form,
  weights,
  isFirst,
}: {
  readonly form: Form
  readonly weights: WeightsOf
  readonly isFirst: boolean
}) {
  const { name, shape, values } = weights
  const most = largest(values)
  const mean = values.reduce((sum, each) => sum + each, 0) / values.length
  return (
    <section class="card" aria-label={`Weights of ${name}`}>
      <header>
        <h2>
          {name} <span class="soft">{shape.join(' × ')}</span>
        </h2>
        <dl class="figures">
          <div>
            <dt>largest</dt>
            <dd>{short(most)}</dd>
          </div>
          <div>
            <dt>mean</dt>
            <dd>{short(mean)}</dd>
          </div>
        </dl>
      </header>
      <div class="kernel">
        {filtersOf(form, weights, isFirst) ?? <Matrix weights={weights} />}
        <Histogram values={values} most={most} />
      </div>
    </section>
  )
}

/** Inputs from top to bottom, units from left to right. */
function Matrix({ weights: { name, shape, values } }: { readonly weights: WeightsOf }) {
  const units = shape.at(-1)!
  const inputs = values.length / units
  return (
    <div class="matrix" style={{ width: `${44 * units}px`, height: `${Math.min(260, 28 * inputs)}px` }}>
      <Pixels
        label={`${name}: ${inputs} inputs from top to bottom, ${units} units from left to right`}
        image={() => matrixPixels(values, units, inputs)}
      />
    </div>
  )
}

/** Filters of images as small pictures; null for other kernels. */
function filtersOf(form: Form, { shape, values }: WeightsOf, isFirst: boolean) {
  const isOfImage = isFirst && form.kind === 'image' && shape[0] === sizeOf(form.inputShape)
  if (shape.length !== 4 && !isOfImage) return null
  const [height = 1, width = 1, channels = 1] = shape.length === 4 ? shape : form.inputShape
  const units = shape.at(-1)!
  // The mean over the channels.
  const filter = (unit: number): number[] =>
    Array.from({ length: height * width }, (_, place) => {
      let sum = 0
      for (let i = 0; i < channels; i++) sum += values[(place * channels + i) * units + unit]!
      return sum / channels
    })
  const all = Array.from({ length: Math.min(units, MOST_FILTERS) }, (_, unit) => filter(unit))
  const most = largest(all.flat())
  return (
    <ul class="units filters">
      {all.map((filter, unit) => (
        <li key={unit} title={`Filter ${unit + 1}`}>
          <Pixels label={`Filter ${unit + 1}`} image={() => matrixPixels(filter, width, height, most)} />
        </li>
      ))}
    </ul>
  )
}

function Histogram({ values, most }: { readonly values: Float32Array; readonly most: number }) {
  useStore(isDark)
  const counts = Array.from({ length: BARS }, () => 0)
  for (const value of values) counts[Math.min(BARS - 1, Math.floor(((value / most + 1) / 2) * BARS))]!++
  const highest = Math.max(...counts)
  return (
    <figure class="histogram">
      <svg
        viewBox={`0 0 ${BARS * 6} 100`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`Weights from ${short(-most)} to ${short(most)}`}
      >
        {counts.map((count, i) => (
          <rect
            key={i}
            x={i * 6}
            y={100 - (100 * count) / highest}
            width={5}
            height={(100 * count) / highest}
            fill={css(classColour(i < (BARS - 1) / 2 ? 0 : 1))}
          />
        ))}
      </svg>
      <figcaption>
        <span>{short(-most)}</span>
        <span>0</span>
        <span>{short(most)}</span>
      </figcaption>
    </figure>
  )
}
