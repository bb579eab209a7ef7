// Reads dates that are written as text.

const DATE = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,3})\d*)?)?)?(Z|[+-]\d\d:?\d\d)?$/

/** Milliseconds since 1970; null for a text that is not a date. Times without a time zone are UTC. */
export function timeIn(text: string): number | null {
  const found = DATE.exec(text.trim())
  if (found === null) return null
  const part = (i: number): number => Number(found[i] ?? 0)
  const [year, month, day] = [part(1), part(2), part(3)]
  const [hour, minute, second] = [part(4), part(5), part(6)]
  const time = Date.UTC(year, month - 1, day, hour, minute, second, Number((found[7] ?? '').padEnd(3, '0')))
  // Date.UTC accepts 31 February and makes a day in March of it.
  const date = new Date(time)
  if (
    date.getUTCFullYear() !== year ||
    date.getUTCMonth() !== month - 1 ||
    date.getUTCDate() !== day ||
    hour > 23 ||
    minute > 59 ||
    second > 59
  )
    return null
  const zone = /([+-])(\d\d):?(\d\d)$/.exec(found[8] ?? '')
  if (zone !== null && (Number(zone[2]) > 23 || Number(zone[3]) > 59)) return null
  return zone === null ? time : time - Number(`${zone[1]}1`) * (Number(zone[2]) * 60 + Number(zone[3])) * 60_000
}
