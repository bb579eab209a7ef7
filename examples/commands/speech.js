// Generated spoken commands, as a simple model of speech makes them: the glottis is a train of pulses, the mouth is two resonances
// (formants) that move from one vowel to the next, an s is noise. Each speaker has a pitch, a length of the mouth, a
// speed and a loudness, and there is noise in the room. They are not recordings, and sound like a robot.

import { generator } from '../data/statistics.js'

export const RATE = 8000
export const SAMPLES = 4000
/** Half of the commands are the others backwards, so that only the order of sounds tells them apart. */
export const COMMANDS = ['ai', 'ia', 'ou', 'uo', 'sa', 'as']

/** The first two formants, in Hz (Peterson & Barney 1952, rounded), and the loudness of voice and of hiss. */
const SOUNDS = {
  a: { formants: [730, 1090], voice: 1, hiss: 0 },
  i: { formants: [270, 2290], voice: 1, hiss: 0 },
  o: { formants: [570, 840], voice: 1, hiss: 0 },
  u: { formants: [300, 870], voice: 1, hiss: 0 },
  s: { formants: [2500, 3500], voice: 0, hiss: 0.25 },
}

/** A resonance whose frequency may change with each sample. */
function resonator() {
  let [before, last] = [0, 0]
  return (input, frequency) => {
    const radius = Math.exp((-Math.PI * 90) / RATE)
    const output =
      (1 - radius) * input + 2 * radius * Math.cos((2 * Math.PI * frequency) / RATE) * last - radius ** 2 * before
    ;[before, last] = [last, output]
    return output
  }
}

/** The samples of a command. */
export function speak(command, random) {
  const between = (low, high) => low + (high - low) * random()
  const [first, second] = [...command].map((sound) => SOUNDS[sound])
  const [pitch, mouth, loud, room] = [between(90, 220), between(0.85, 1.2), between(0.4, 1), between(0.02, 0.15)]
  const length = Math.floor(SAMPLES * between(0.5, 0.8))
  const start = Math.floor((SAMPLES - length) * random())
  const resonances = [resonator(), resonator()]
  const samples = new Float32Array(SAMPLES)
  let phase = 0
  for (let i = 0; i < length; i++) {
    // From the first sound to the second one, in the middle third.
    const share = Math.min(1, Math.max(0, (3 * i) / length - 1))
    const mix = (from, to) => (1 - share) * from + share * to
    phase += (pitch * between(0.97, 1.03)) / RATE
    const pulse = phase >= 1 ? 8 : 0
    phase %= 1
    const source = mix(first.voice, second.voice) * pulse + mix(first.hiss, second.hiss) * between(-1, 1)
    const envelope = Math.min(1, i / 300, (length - i) / 300)
    samples[start + i] = resonances.reduce(
      (sound, resonate, k) =>
        sound + loud * envelope * resonate(source, mouth * mix(first.formants[k], second.formants[k])),
      0,
    )
  }
  return samples.map((each) => each + between(-room, room))
}

/** `count` commands in random order: { x [count, SAMPLES], y }. */
export function speakMany(count, seed) {
  const random = generator(seed)
  const x = new Float32Array(count * SAMPLES)
  const y = Uint8Array.from({ length: count }, (_, i) => {
    const command = Math.floor(COMMANDS.length * random())
    x.set(speak(COMMANDS[command], random), i * SAMPLES)
    return command
  })
  return { x: { data: x, shape: [count, SAMPLES] }, y, count }
}
