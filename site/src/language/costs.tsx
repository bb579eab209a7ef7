// Step 7: what the model has used since it was opened.

import { short } from '../ui/fields'
import { useStore } from '../ui/store'
import { Head } from './parts'
import type { Costs } from './protocol'
import { session } from './session'

/** The watts of a busy core that the estimate assumes, and of a thrifty and of a fast one, between which most cores are. */
const WATTS = { assumed: 12, low: 4, high: 25 }

export function CostsCard() {
  const costs = useStore(session.costs)
  const seconds = (value: number): string => `${value < 10 ? value.toFixed(2) : value.toFixed(0)} s`
  const figures: [string, string, string][] = [
    [
      'tokens read',
      short(costs?.read ?? 0),
      'Tokens of prompts. Those of the conversation before are kept and cost nothing again',
    ],
    ['tokens generated', short(costs?.generated ?? 0), 'Tokens that the model has written'],
    ['tokens trained', short(costs?.trained ?? 0), 'Tokens of sentences and examples, once for each epoch'],
    ['seconds', seconds(costs?.seconds ?? 0), 'Time spent on speaking and training, by the clock'],
    ['FLOPs, estimated', short(costs?.flops ?? 0), 'Floating-point operations, counted on the programs that ran'],
    ['joules, estimated', short(costs?.joules ?? 0), 'Energy, estimated from the time of the processor'],
  ]
  return (
    <section class="card lm-card costs" aria-label="Costs">
      <Head step={7} title="What it cost">
        <span class="soft">since the model was opened</span>
      </Head>
      <dl>
        {figures.map(([name, value, title]) => (
          <div key={name} title={title}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <p class="soft">{costs === null ? 'Nothing was computed yet.' : assumptionOf(costs)}</p>
    </section>
  )
}

function assumptionOf({ joules, busy, how, from }: Costs): string {
  if (how !== 'estimated') return `Joules are ${how}: ${from}.`
  const rest = joules - WATTS.assumed * busy
  const at = (watts: number): string => short(rest + watts * busy)
  return (
    `Joules are an estimate, not a measurement: ${busy.toFixed(1)} busy seconds of one core × ${WATTS.assumed} W, which Green Algorithms ` +
    `assumes for an unknown processor, and the memory. If the core takes ${WATTS.low} W, it is ${at(WATTS.low)} J; at ${WATTS.high} W, ` +
    `${at(WATTS.high)} J. The screen, loading and the network are not counted.`
  )
}
