// The tab Units: the response of each unit, and its health.

import type { Form } from '../data/form'
import type { Health, UnitsOfLayer } from '../worker/protocol'
import { Pixels } from './canvas'
import { percent, short } from './fields'
import { imagePixels, largest, mapPixels, matrixPixels } from './paint'
import { session } from './session'
import { useStore } from './store'

const MEANING: Readonly<Record<Form['kind'], string>> = {
  plane: 'Each square is the plane as one unit sees it: orange where it is positive, blue where it is negative.',
  image: 'Each picture is the mean of the eight training images that excite the unit the most.',
  table: 'Each column is a unit, each row an input: orange where they rise together, blue where one falls.',
}

export function Units() {
  const described = useStore(session.described)
  const frame = useStore(session.frame)
  if (described === null) return <div class="waiting" aria-busy="true" />
  const { form } = described
  const units = frame?.units ?? []
  return (
    <div class="stack">
      <p class="lead">
        {MEANING[form.kind]} <States />
      </p>
      {units.length === 0 && (
        <p class="card soft">
          {frame === null || frame.units === null ? 'Loading.' : 'The model has no hidden units. Add a Dense layer.'}
        </p>
      )}
      {units.map((layer) => (
        <LayerCard
          key={layer.layer}
          form={form}
          layer={layer}
          health={
            frame?.health?.find((each) => each.layer === layer.layer || each.layer.endsWith(`/${layer.layer}`)) ?? null
          }
        />
      ))}
      {(frame?.advice.length ?? 0) > 0 && (
        <section class="card" aria-label="Advice">
          <h2>Advice</h2>
          {frame!.advice.map((text) => (
            <p key={text} class="soft">
              {text}
            </p>
          ))}
        </section>
      )}
    </div>
  )
}

function States() {
  return (
    <span class="states">
      <span class="state dormant">dormant: hardly active</span>
      <span class="state dead">dead: never active</span>
      <span class="state saturated">saturated: always at a limit</span>
    </span>
  )
}

function LayerCard({
  form,
  layer,
  health,
}: {
  readonly form: Form
  readonly layer: UnitsOfLayer
  readonly health: Health | null
}) {
  const { count, states, responses, size } = layer
  const shown = states.length
  const figures: [string, string][] =
    health === null
      ? []
      : [
          ['dead', percent(health.dead)],
          ['dormant', percent(health.dormant)],
          ...(health.saturated === null ? [] : [['saturated', percent(health.saturated)] as [string, string]]),
          ...(health.rank === null
            ? []
            : [['effective rank', `${health.rank} of ${health.units}`] as [string, string]]),
          ['change in a step', short(health.updateRatio)],
        ]
  return (
    <section class="card" aria-label={`Units of ${layer.layer}`}>
      <header>
        <h2>
          {layer.layer}{' '}
          <span class="soft">
            {count} units{shown < count ? `, ${shown} shown` : ''}
          </span>
        </h2>
        <dl class="figures">
          {figures.map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      </header>
      {form.kind === 'table' ? (
        <Correlations form={form} layer={layer} />
      ) : (
        <ul class="units">
          {states.map((state, unit) => {
            const response = responses.subarray(unit * size, (unit + 1) * size)
            const label = `Unit ${unit + 1}, ${state}`
            return (
              <li key={unit} class={state} title={label}>
                <Pixels
                  isSmooth={form.kind === 'plane'}
                  label={label}
                  image={() =>
                    form.kind === 'plane'
                      ? mapPixels(response, Math.sqrt(size))
                      : imagePixels(brightened(response), form.inputShape.slice(0, 2))
                  }
                />
                <span>
                  {unit + 1}
                  {state === 'active' ? '' : ` ${state}`}
                </span>
              </li>
            )
          })}
        </ul>
      )}
    </section>
  )
}

const brightened = (values: Float32Array): Float32Array => {
  const most = largest(values)
  return values.map((each) => each / most)
}

function Correlations({
  form,
  layer: { responses, states, size },
}: {
  readonly form: Form
  readonly layer: UnitsOfLayer
}) {
  const units = states.length
  return (
    <div class="correlations">
      <ul>
        {form.columns.map((name) => (
          <li key={name} title={name}>
            {name}
          </li>
        ))}
      </ul>
      <div style={{ height: `${22 * size}px` }}>
        <Pixels
          label={`Correlation of ${units} units with ${size} inputs`}
          image={() =>
            matrixPixels(
              Array.from({ length: units * size }, (_, i) => responses[(i % units) * size + Math.floor(i / units)]!),
              units,
              size,
              1,
            )
          }
        />
      </div>
      <ol class="marks">
        {states.map((state, unit) => (
          <li key={unit} class={state} title={`Unit ${unit + 1}, ${state}`}>
            {unit + 1}
          </li>
        ))}
      </ol>
    </div>
  )
}
