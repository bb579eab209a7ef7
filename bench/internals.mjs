// The only file here that bypasses the public API: for the kernels in build/, and for a model's compiled programs and
// plans, which TypeScript declares private. Throws if they have moved.
import { readFileSync, readdirSync } from 'node:fs'
import { disassemble } from '../dist/index.js'

/**
 * The kernels in build/, callable by name, with a separate memory.
 * @param {'plain' | 'relaxed'} level
 * @param {readonly string[]} binaries  which of them: the core and the families
 */
export function instantiateKernels(level, binaries = kernelBinaries()) {
  const limits = { initial: 4, maximum: 65536 }
  const variant = level === 'plain' ? 'simd' : 'relaxed'
  const modules = binaries.map(
    (name) => new WebAssembly.Module(readFileSync(new URL(`${variant}.${name}.kernels.wasm`, BUILD))),
  )
  const all = (memory) => ({
    memory,
    exports: Object.assign(
      {},
      ...modules.map((module) => new WebAssembly.Instance(module, { env: { memory } }).exports),
    ),
  })
  try {
    return all(new WebAssembly.Memory(limits))
  } catch (error) {
    if (!(error instanceof WebAssembly.LinkError)) throw error
    // Built for threads.
    return all(new WebAssembly.Memory({ ...limits, shared: true }))
  }
}

const BUILD = new URL('../build/', import.meta.url)

/** The names of the binaries: core, convolution, … */
export function kernelBinaries() {
  return readdirSync(BUILD).flatMap((file) => /^simd\.(\w+)\.kernels\.wasm$/.exec(file)?.slice(1) ?? [])
}

/**
 * @typedef {object} Program
 * @property {(index: number) => Float32Array | Int32Array} parameter
 * @property {() => boolean} run  one run of the tape
 */

const models = new WeakMap()

/** The instructions of a program of a model as text. */
export function programText(program) {
  const model = models.get(program)
  const [signature] = [...model.training.steps.programs].find(([, each]) => each === program)
  return disassemble(model).get(signature)
}

/** The program for one batch of inputs, which updates the variables that the layers assign. @returns {Program} */
export function predictionProgram(model, shape) {
  const program = model.training?.steps.predict(null, [{ dtype: 'float32', shape }]).program
  if (typeof program?.run !== 'function') throw new Error('Steps.predict no longer exists: see src/training/steps.ts')
  models.set(program, model)
  return program
}

/** The program of a model's training step; there must be exactly one. @returns {Program} */
export function trainingProgram(model) {
  const programs = [...(model.training?.steps.programs ?? [])].filter(([signature]) => signature.startsWith('train '))
  if (programs.length !== 1)
    throw new Error(
      `expected one training program in Steps.programs, found ${programs.length}: see src/training/steps.ts`,
    )
  const [[, program]] = programs
  models.set(program, model)
  return program
}

/**
 * The instructions of a program, each as a call that runs it alone on the values of the last run.
 * @returns {{ opcode: string, label: string, call: () => number }[]}
 */
export function instructionsOf(program) {
  program.run()
  const { runOne } = program.backend?.kernels ?? {}
  const start = program.tape?.address
  if (typeof runOne !== 'function' || !Number.isInteger(start))
    throw new Error('TapeProgram has changed: see src/engine/runtime/tape-program.ts')
  return [...programText(program).matchAll(/^ *(\d+) {2}(\w+) *(.*)$/gm)].map(([, offset, opcode, label]) => {
    const address = start + Number(offset)
    return { opcode, label, call: () => runOne(address) }
  })
}

/**
 * The planner's result for every program of a model. @returns {Map<string, { workspaceBytes: number, lowerBound: number
 * }>}
 */
export function memoryPlans(model) {
  const programs = model.training?.steps.programs
  if (!(programs instanceof Map) || programs.size === 0)
    throw new Error('Steps.programs no longer exists: see src/training/steps.ts')
  return new Map(
    [...programs].map(([signature, program]) => {
      const { workspaceBytes, lowerBound } = program.planned?.().memory ?? {}
      if (!Number.isFinite(workspaceBytes) || !Number.isFinite(lowerBound)) {
        throw new Error(
          'TapeProgram.planned no longer exists: see src/engine/runtime/tape-program.ts and src/engine/plan/memory.ts',
        )
      }
      return [signature, { workspaceBytes, lowerBound }]
    }),
  )
}

/** The number of instructions on a program's tape, by opcode. @returns {Map<string, number>} */
export function instructionCounts(program) {
  const counts = new Map()
  for (const [, name] of programText(program).matchAll(/^ *\d+ {2}(\w+)/gm))
    counts.set(name, (counts.get(name) ?? 0) + 1)
  return counts
}
