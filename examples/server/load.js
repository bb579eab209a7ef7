// The clients of the server: each asks again as soon as it is answered, over a separate connection.

import { Agent, request } from 'node:http'
import { parentPort, workerData } from 'node:worker_threads'

const { port, images, requests, clients } = workerData
const agent = new Agent({ keepAlive: true, maxSockets: clients })

const ask = (image) =>
  new Promise((resolve, reject) => {
    const sent = request({ port, host: '127.0.0.1', method: 'POST', path: '/predict', agent }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk) => (text += chunk))
      response.on('end', () => (response.statusCode === 200 ? resolve(JSON.parse(text)) : reject(new Error(text))))
    })
    sent.on('error', reject)
    sent.end(image)
  })

const [answers, milliseconds] = [[], []]
let next = 0
async function client() {
  while (next < requests) {
    const i = next++
    const started = performance.now()
    answers[i] = await ask(images[i % images.length])
    milliseconds.push(performance.now() - started)
  }
}
const started = performance.now()
await Promise.all(Array.from({ length: clients }, client))
const seconds = (performance.now() - started) / 1000
agent.destroy()
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port of a thread
parentPort.postMessage({ answers, milliseconds: milliseconds.sort((a, b) => a - b), seconds })
