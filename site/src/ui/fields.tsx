// Labelled controls.

import type { ComponentChildren } from 'preact'
import { useId, useState } from 'preact/hooks'

export function Select<Value extends string>(props: {
  readonly label: string
  readonly title: string
  readonly value: Value
  readonly options: Readonly<Record<string, string>> | readonly Value[]
  readonly onChange: (value: Value) => void
  readonly isBare?: boolean
}) {
  const { label, title, value, options, onChange, isBare = false } = props
  const id = useId()
  const entries = Array.isArray(options) ? options.map((each: Value) => [each, each] as const) : Object.entries(options)
  const select = (
    <select
      id={id}
      title={title}
      aria-label={isBare ? label : undefined}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value as Value)}
    >
      {entries.map(([key, text]) => (
        <option key={key} value={key}>
          {text}
        </option>
      ))}
    </select>
  )
  if (isBare) return select
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {select}
    </div>
  )
}

export function Slider(props: {
  readonly label: string
  readonly title: string
  readonly value: number
  readonly min: number
  readonly max: number
  readonly step: number
  readonly text?: string
  readonly isDisabled?: boolean
  readonly onInput: (value: number) => void
}) {
  const {
    label,
    title,
    value,
    min,
    max,
    step,
    text = String(value).replace('-', '−'),
    isDisabled = false,
    onInput,
  } = props
  const id = useId()
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <div class="slider">
        <input
          id={id}
          type="range"
          title={title}
          min={min}
          max={max}
          step={step}
          value={value}
          disabled={isDisabled}
          aria-valuetext={text}
          onInput={(event) => onInput(event.currentTarget.valueAsNumber)}
        />
        <output for={id}>{text}</output>
      </div>
    </div>
  )
}

export function NumberInput(props: {
  readonly label: string
  readonly title: string
  readonly value: number
  readonly min: number
  readonly max: number
  readonly step: number
  readonly onChange: (value: number) => void
}) {
  const { label, title, value, min, max, step, onChange } = props
  // Text that is being typed stays when the page is drawn again.
  const [draft, setDraft] = useState<string | null>(null)
  return (
    <input
      type="number"
      inputMode="decimal"
      aria-label={label}
      title={title}
      value={draft ?? value}
      min={min}
      max={max}
      step={step}
      onInput={(event) => setDraft(event.currentTarget.value)}
      onChange={(event) => {
        const number = event.currentTarget.valueAsNumber
        setDraft(null)
        if (Number.isFinite(number)) onChange(Math.min(max, Math.max(min, number)))
      }}
    />
  )
}

/** A choice of a few values, side by side. */
export function Choice<Value extends string>(props: {
  readonly label: string
  readonly title: string
  readonly value: Value
  readonly options: Readonly<Record<Value, string>>
  readonly onChange: (value: Value) => void
}) {
  const { label, title, value, options, onChange } = props
  const name = useId()
  return (
    <fieldset class="choice" title={title}>
      <legend class="hidden">{label}</legend>
      {(Object.entries(options) as [Value, string][]).map(([key, text]) => (
        <label key={key}>
          <input type="radio" name={name} value={key} checked={key === value} onChange={() => onChange(key)} />
          <span>{text}</span>
        </label>
      ))}
    </fieldset>
  )
}

export function Button(props: {
  readonly title: string
  readonly onClick: () => void
  readonly children: ComponentChildren
  readonly kind?: 'plain' | 'primary' | 'quiet'
  readonly label?: string
  readonly isDisabled?: boolean
  readonly isPressed?: boolean
}) {
  const { title, onClick, children, kind = 'plain', label, isDisabled = false, isPressed } = props
  return (
    <button
      type="button"
      class={kind}
      title={title}
      aria-label={label}
      aria-pressed={isPressed}
      disabled={isDisabled}
      onClick={onClick}
    >
      {children}
    </button>
  )
}

export function Check(props: {
  readonly label: string
  readonly title: string
  readonly value: boolean
  readonly onChange: (value: boolean) => void
}) {
  const { label, title, value, onChange } = props
  return (
    <label class="check" title={title}>
      <input type="checkbox" checked={value} onChange={(event) => onChange(event.currentTarget.checked)} />
      {label}
    </label>
  )
}

/** 1234567 → 1.23 M, 0.00000177 → 1.77e−6 */
export function short(value: number): string {
  if (!Number.isFinite(value)) return '–'
  const size = Math.abs(value)
  if (size > 0 && size < 1e-4) return Number(value.toPrecision(3)).toExponential().replaceAll('-', '−')
  const [factor, unit] =
    size >= 1e12
      ? [1e12, ' T']
      : size >= 1e9
        ? [1e9, ' G']
        : size >= 1e6
          ? [1e6, ' M']
          : size >= 1e3
            ? [1e3, ' k']
            : [1, '']
  const scaled = value / factor
  const digits = unit === '' && Number.isInteger(value) ? value : Number(scaled.toPrecision(3))
  return `${digits}${unit}`.replace(/^-/, '−')
}

export const percent = (value: number): string => (Number.isFinite(value) ? `${(100 * value).toFixed(1)} %` : '–')

/** A slider over a list of numbers; it stands at the one nearest to `value`. */
export function ListSlider(props: {
  readonly label: string
  readonly title: string
  readonly values: readonly number[]
  readonly value: number
  readonly onInput: (value: number) => void
}) {
  const { label, title, values, value, onInput } = props
  return (
    <Slider
      label={label}
      title={title}
      value={nearest(values, value)}
      min={0}
      max={values.length - 1}
      step={1}
      text={String(value)}
      onInput={(at) => onInput(values[at]!)}
    />
  )
}

/** The place of the nearest of some values, by their ratio. */
function nearest(values: readonly number[], value: number): number {
  const far = values.map((each) => Math.abs(Math.log((each + 1e-7) / (value + 1e-7))))
  return far.indexOf(Math.min(...far))
}
