// Says where numbers were measured, and warns when the machine is busy. Measures nothing.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { replaceTable } from './report.mjs';

const at = (path) => new URL(path, import.meta.url);

/** The built package. @returns {Promise<typeof import('../dist/index.js')>} */
export async function loadBuilt() {
  if (!existsSync(at('../dist/index.js'))) throw new Error('dist/index.js is missing. Run `npm run build` first');
  return import('../dist/index.js');
}

/** What a report says about the machine and the versions. */
export function describeMachine() {
  return {
    version: JSON.parse(readFileSync(at('../package.json'), 'utf8')).version,
    cpu: cpus()[0].model.trim(),
    logicalCpus: cpus().length,
    node: process.version,
    v8: process.versions.v8,
    platform: `${process.platform} ${process.arch}`,
    loadBefore: loadavg()[0],
  };
}

/** One line under a table. */
export function machineLine({ version, cpu, logicalCpus, node, v8, platform }) {
  return `myelin ${version}, ${cpu}, ${logicalCpus} logical CPUs, ${platform}, Node ${node} (V8 ${v8}).`;
}

/** Call it before measuring: above a fraction of the CPUs the medians are not worth publishing. */
export function warnIfBusy({ loadBefore }) {
  if (loadBefore > 0.5) {
    console.error(`warning: other processes use the CPU (load ${loadBefore.toFixed(1)}): do not publish these times`);
  }
}

/** Writes results/<name>.json and the table <name> of README.md. */
export function publish(name, report, markdown) {
  mkdirSync(at('results/'), { recursive: true });
  writeFileSync(at(`results/${name}.json`), `${JSON.stringify(report, null, 2)}\n`);
  replaceTable(at('README.md'), name, markdown);
  console.error(`written: bench/results/${name}.json and the table in bench/README.md`);
}
