// Writes synthetic film reviews of a few words, in which the order of words matters. "not boring" is praise, "not
// great" is not, and of "I expected X but it was Y" only Y counts, so that single words carry little information.

import { random } from 'myelin'

const PRAISE = [
  'great',
  'moving',
  'clever',
  'funny',
  'brilliant',
  'gripping',
  'charming',
  'beautiful',
  'fresh',
  'superb',
]
const BLAME = ['boring', 'dull', 'silly', 'clumsy', 'awful', 'tedious', 'shallow', 'ugly', 'stale', 'dreadful']
const PARTS = ['plot', 'acting', 'ending', 'music', 'script', 'cast', 'opening', 'dialogue', 'camera work', 'story']
const OPENINGS = ['', '', 'honestly ,', 'saw it twice .', 'well ,', 'what can i say .', 'last night at the cinema :']
const CLOSINGS = ['', '', 'that is all .', 'two hours long .', 'my sister came along .', 'no more to say .']

// {mean} is a word of the review's opinion, {not} a word of the opposite opinion, {part} a part of the film.
const SENTENCES = [
  'the {part} was {mean} .',
  'the {part} was {mean} and the {part} {mean} too .',
  'the {part} was not {not} at all .',
  'nothing about the {part} was {not} .',
  'i expected it to be {not} but it was {mean} .',
  'they say the {part} is {not} , it is not , it is {mean} .',
  'the {part} is anything but {not} .',
  'far from {not} , the {part} seemed {mean} to me .',
  'it looked {not} at first , then it became {mean} .',
  'a {mean} film which i had thought would be {not} .',
]

/** `count` reviews of one or two sentences: { text, isPraise }, half of each kind. */
export function writeReviews(count, seed) {
  const draws = random.uniform([count * 20], { seed }).data
  let used = 0
  const pick = (list) => list[Math.floor(draws[used++] * list.length)]
  return Array.from({ length: count }, (_, i) => {
    const isPraise = i % 2 === 0
    const words = { mean: isPraise ? PRAISE : BLAME, not: isPraise ? BLAME : PRAISE, part: PARTS }
    const sentences = Array.from({ length: pick([1, 2]) }, () => pick(SENTENCES))
    const text = [pick(OPENINGS), ...sentences, pick(CLOSINGS)].filter((part) => part !== '').join(' ')
    return { text: text.replace(/\{(\w+)\}/g, (_match, name) => pick(words[name])), isPraise }
  })
}
