// What the environments share: folders with the program in the form that they need, processes, pages.

import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findBrowser } from '../../examples/shared/browser.js'
import { serve } from '../../examples/shared/serve.js'

/** tests/start: tools and the installed package are in its node_modules. */
export const root = fileURLToPath(new URL('.', import.meta.url))
const requireTool = createRequire(import.meta.url)

/** What a successful run prints. */
const DONE = /started: (loss .*)/

/** A folder of its own, with files by name. */
export function folder(name, files, manifest = { type: 'module' }) {
  const path = join(root, 'build', name)
  rmSync(path, { recursive: true, force: true })
  for (const [file, text] of Object.entries({
    'package.json': JSON.stringify({ private: true, ...manifest }),
    ...files,
  })) {
    mkdirSync(dirname(join(path, file)), { recursive: true })
    writeFileSync(join(path, file), text)
  }
  return path
}

const source = readFileSync(join(root, 'program.js'), 'utf8')
const IMPORTS = /^import (\{.*\}) from '(.*)'$/gm

/** The program as an ES module. @param address turns a name such as myelin/data into what is imported */
export const asModule = (address = (name) => name) =>
  source.replace(IMPORTS, (_, names, name) => `import ${names} from '${address(name)}'`)
/** The program for `require`. */
export const asCommonJs = () =>
  source.replace(IMPORTS, "const $1 = require('$2')").replace('export async', 'module.exports = { start }\nasync')
/** The program for a script that follows myelin.global.js. */
export const asScript = () =>
  source
    .replace(IMPORTS, (_, names, name) => `const ${names} = ${name.replace('/', '.')}`)
    .replace('export async', 'async')

/** The addresses of the installed modules for pages without a bundler. */
export const unbundled = (name) => `/node_modules/myelin/dist/${name.split('/')[1] ?? 'index'}.js`

/** Runs the program and prints the result. */
export const main = `start().then((found) => console.log('started: ' + found), (error) => console.log(error?.stack ?? error))\n`

/** Runs a program to its end. @returns what it prints, both streams; throws if it fails */
export async function output(command, args, { cwd = root, env = {} } = {}) {
  const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += chunk))
  const code = await new Promise((done, fail) => child.on('error', fail).on('close', done))
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}:\n${text.slice(-3000)}`)
  return text
}

/** Runs a server while `body` runs. */
export async function serving(command, args, options, body) {
  // A group of its own: the server may be a child of what is spawned.
  const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], detached: true, ...options })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += chunk))
  try {
    return await body()
  } catch (error) {
    throw new Error(`${error.message}\n${text.slice(-3000)}`, { cause: error })
  } finally {
    const ended = new Promise((done) => child.on('close', done))
    process.kill(-Number(child.pid))
    await ended
  }
}

/** What a server answers, once it does. */
export async function answer(url, seconds = 60) {
  for (let i = 0; ; i++) {
    const response = await fetch(url).catch(() => null)
    if (response !== null) return response.text()
    if (i > 4 * seconds) throw new Error(`${url} does not answer`)
    await new Promise((done) => setTimeout(done, 250))
  }
}

/** The program of a tool. */
export const bin = (name) => join(root, 'node_modules/.bin', name)
/** The version of an installed package. */
export const version = (name) =>
  JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')).version
/** An installed tool as a module. */
export const tool = (name) => import(requireTool.resolve(name))

/** What the program found, among what was printed. @throws Error with the text if it did not succeed */
export function found(text) {
  const line = DONE.exec(text)?.[1]
  if (line === undefined) throw new Error(text.slice(-3000))
  return line
}

/** A page that runs its scripts and reports by an image, which every policy and file:// allow. */
export const page = (scripts) => `<!doctype html><meta charset="utf-8"><title>start</title>${scripts}`
export const report = (port) =>
  `const report = (text) => { new Image().src = 'http://127.0.0.1:${port}/report?text=' + encodeURIComponent(text) }
start().then((found) => report('started: ' + found), (error) => report(String(error?.stack ?? error)))\n`

/**
 * Opens a page in a browser and waits for what it reports.
 * @param make writes the files, which may name the port of the server. @returns the path of the page below tests/start
 */
export async function opened(name, make, { headers = {}, isFile = false } = {}) {
  const path = findBrowser(name)
  if (path === undefined) throw new Skipped(`no ${name}`)
  let reported
  const result = new Promise((done) => (reported = done))
  const server = await serve({
    folder: root,
    headers,
    answer({ pathname, searchParams }) {
      if (pathname === '/report') reported(searchParams.get('text'))
      return pathname === '/report'
    },
  })
  const { port } = server
  const file = await make(port)
  const url = isFile ? `file://${join(root, file)}` : server.address + file
  const profile = join(root, 'build', `profile-${name}-${port}`)
  mkdirSync(profile, { recursive: true })
  const args =
    name === 'firefox'
      ? ['--headless', '--no-remote', '--profile', profile, url]
      : ['--headless=new', '--no-sandbox', '--disable-gpu', '--no-first-run', `--user-data-dir=${profile}`, url]
  const child = spawn(path, args, { stdio: 'ignore', detached: true })
  const late = new Promise((done) => setTimeout(done, 120_000, `nothing was reported by ${url} in ${name}`).unref())
  try {
    return await Promise.race([result, late])
  } finally {
    server.close()
    process.kill(-Number(child.pid), 'SIGKILL')
    await new Promise((done) => setTimeout(done, 300))
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 })
  }
}

/** An environment that this machine lacks. */
export class Skipped extends Error {}
