// Generated viewers and films, for a recommender: every viewer likes some genres, every film belongs to one or two and has a
// fame, and a viewer watches films that fit, or are famous, by chance.

import { generator, shuffled } from '../data/statistics.js'

export const GENRES = ['action', 'comedy', 'drama', 'horror', 'romance', 'science', 'western', 'animation']
export const [VIEWERS, FILMS, WATCHED, HELD_OUT] = [600, 400, 25, 5]

/**
 * What was watched:
 *   films    { genres, fame } for each film; `genres` is a list of zeros and ones
 *   train    { viewer, film } for each film that a viewer watched
 *   test     for each viewer the films that were watched afterwards, and are held out
 *   chance   how much a viewer likes a film: the best possible order, which a recommender does not know
 */
export function watchFilms(seed) {
  const random = generator(seed)
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  const films = Array.from({ length: FILMS }, () => {
    const genres = GENRES.map(() => 0)
    for (const genre of shuffled(GENRES.length, random).subarray(0, 1 + Math.floor(2 * random()))) genres[genre] = 1
    return { genres, fame: 0.7 * normal(), tone: normal() }
  })
  const viewers = Array.from({ length: VIEWERS }, () => ({ tastes: GENRES.map(() => 1.2 * normal()), tone: normal() }))
  const chance = (viewer, film) => {
    const { tastes, tone } = viewers[viewer]
    const { genres, fame, tone: filmed } = films[film]
    return fame + tone * filmed + genres.reduce((sum, has, g) => sum + has * tastes[g], 0)
  }
  const train = []
  const test = viewers.map((_, viewer) => {
    // Without replacement, with probabilities proportional to e^chance (Gumbel's noise).
    const keys = films.map((_, film) => chance(viewer, film) - Math.log(-Math.log(random())))
    const order = [...keys.keys()].sort((a, b) => keys[b] - keys[a]).slice(0, WATCHED)
    const inTime = Array.from(shuffled(WATCHED, random), (i) => order[i])
    for (const film of inTime.slice(HELD_OUT)) train.push({ viewer, film })
    return inTime.slice(0, HELD_OUT)
  })
  return { films, train, test, chance }
}
