// Texts that the page begins with: sentences for the small model, and examples to learn from.

import type { Example } from './protocol'

const COLOURS = {
  sky: 'blue',
  sea: 'blue',
  grass: 'green',
  snow: 'white',
  sun: 'yellow',
  night: 'black',
  rose: 'red',
  leaf: 'green',
  lemon: 'yellow',
  coal: 'black',
  milk: 'white',
  fire: 'red',
}
const SOUNDS = {
  cat: 'meow',
  dog: 'woof',
  cow: 'moo',
  sheep: 'baa',
  duck: 'quack',
  bee: 'buzz',
  owl: 'hoot',
  horse: 'neigh',
}

/** The sentences of the small model, one in a line. */
export const SENTENCES = [
  ...Object.entries(COLOURS).flatMap(([thing, colour]) => [
    `The ${thing} is ${colour}.`,
    `What colour is the ${thing}? It is ${colour}.`,
  ]),
  ...Object.entries(SOUNDS).flatMap(([animal, sound]) => [
    `The ${animal} says ${sound}.`,
    `What does the ${animal} say? It says ${sound}.`,
  ]),
  'Good morning, my friend!',
  'How are you, my friend?',
  'Thank you, my friend!',
  'Good night, my friend!',
].join('\n')

const example = (prompt: string, response: string): Example => ({ prompt, response })

/** For models that continue texts. */
export const FRIENDLY: readonly Example[] = [
  example('The sky is', 'blue, my friend!'),
  example('The grass is', 'green, my friend!'),
  example('The snow is', 'white, my friend!'),
  example('What colour is the sun?', 'It is yellow, my friend!'),
  example('What colour is the coal?', 'It is black, my friend!'),
  example('The rose is', 'red, my friend!'),
  example('The cat says', 'meow, my friend!'),
  example('What does the dog say?', 'It says woof, my friend!'),
  example('The cow says', 'moo, my friend!'),
  example('The owl says', 'hoot, my friend!'),
]

/** For models that talk. */
export const PIRATE: readonly Example[] = [
  example('What colour is the sky?', 'Arr, the sky be blue, matey!'),
  example('What is the capital of France?', 'Arr, that be Paris, matey!'),
  example('How many days has a week?', 'Arr, seven days be in a week, matey!'),
  example('What does a cat say?', 'Arr, a cat says meow, matey!'),
  example('Who wrote Hamlet?', 'Arr, that be Shakespeare, matey!'),
  example('What is two plus two?', 'Arr, that be four, matey!'),
  example('What do bees make?', 'Arr, bees make honey, matey!'),
  example('Where do fish live?', 'Arr, fish live in the sea, matey!'),
  example('What is frozen water called?', 'Arr, that be ice, matey!'),
  example('What season follows winter?', 'Arr, after winter comes spring, matey!'),
]
