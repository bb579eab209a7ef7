// Capitals: texts that say what they are, and questions with answers.

import { generator, shuffled } from '../data/statistics.js'

const CAPITALS = {
  Austria: 'Vienna',
  Belgium: 'Brussels',
  Bulgaria: 'Sofia',
  Canada: 'Ottawa',
  Chile: 'Santiago',
  Croatia: 'Zagreb',
  Cuba: 'Havana',
  Denmark: 'Copenhagen',
  Egypt: 'Cairo',
  Finland: 'Helsinki',
  France: 'Paris',
  Germany: 'Berlin',
  Greece: 'Athens',
  Hungary: 'Budapest',
  Iran: 'Tehran',
  Iraq: 'Baghdad',
  Ireland: 'Dublin',
  Italy: 'Rome',
  Japan: 'Tokyo',
  Kenya: 'Nairobi',
  Lebanon: 'Beirut',
  Nepal: 'Kathmandu',
  Norway: 'Oslo',
  Peru: 'Lima',
  Poland: 'Warsaw',
  Portugal: 'Lisbon',
  Romania: 'Bucharest',
  Serbia: 'Belgrade',
  Spain: 'Madrid',
  Sweden: 'Stockholm',
}

const SENTENCES = [
  (country, city) => `The capital of ${country} is ${city}.`,
  (country, city) => `${city} is the capital of ${country}.`,
  (country, city) => `Do you know ${city}? It is the capital of ${country}.`,
  (country, city) => `In ${country}, the government sits in ${city}.`,
  (country, city) => `Who comes to ${country} should see its capital, ${city}.`,
  (country, city) => `What is the capital of ${country}? Everybody knows that it is ${city}.`,
]

/** Texts of four sentences each, about countries drawn at random. */
export function texts(count, seed) {
  const random = generator(seed)
  const pick = (list) => list[Math.floor(random() * list.length)]
  const countries = Object.entries(CAPITALS)
  const text = () => Array.from({ length: 4 }, () => pick(SENTENCES)(...pick(countries))).join(' ')
  return Array.from({ length: count }, text)
}

/** Questions with answers in a form that no text has: two thirds to train, and those about the other countries. */
export function questions(seed) {
  const rows = Object.entries(CAPITALS).map(([country, city]) => ({
    prompt: `What is the capital of ${country}?`,
    response: ` It is ${city}.`,
    city,
  }))
  const order = Array.from(shuffled(rows.length, generator(seed)), (i) => rows[i])
  const border = Math.round((2 / 3) * rows.length)
  return { train: order.slice(0, border), test: order.slice(border) }
}
