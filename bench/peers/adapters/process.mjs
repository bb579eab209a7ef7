// A Python process that answers requests, one JSON line each. Its first line describes it.
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

/**
 * @param {string} python  path of the interpreter
 * @param {string} script
 * @param {string[]} parameters
 * @param {Record<string, string>} environment  in addition to that of this process
 */
export function startPython(python, script, parameters = [], environment = {}) {
  const child = spawn(python, [script, ...parameters], {
    env: { ...process.env, ...environment },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let errors = ''
  child.stderr.on('data', (chunk) => (errors = (errors + chunk).slice(-4000)))
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const read = async () => {
    const { value, done } = await lines.next()
    if (done) throw new Error(`${script} ${parameters.join(' ')} in ${python} ended\n${errors}`)
    return JSON.parse(value)
  }
  return {
    ready: read(),
    async ask(request) {
      child.stdin.write(`${JSON.stringify(request)}\n`)
      return (await read()).value
    },
    end: () => child.stdin.end(),
  }
}
