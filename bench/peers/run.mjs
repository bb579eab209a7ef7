// Compares the libraries: checks that they compute the same, times them interleaved, and reports.
//
//   node run.mjs                     everything; writes ../results/peers.json and the tables in ../README.md
//                                    and, ratios only, in ../../README.md
//   node run.mjs --only tfjs,jax     some of the libraries; prints only
//   node run.mjs --cases seed-fit    some of the cases; prints only
//   node run.mjs --rounds 15 --sample-ms 400 --warm-up-ms 4000
//   node run.mjs --quick             checks, and one short round: for trying out an adapter
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { cases } from './cases.mjs';
import { check, TOLERANCE } from './check.mjs';
import { interleave, median, ratio } from './measure.mjs';
import { sizeOf } from './size.mjs';
import { formatMilliseconds, replaceTable, table } from '../report.mjs';

const ALL = ['myelin', 'tfjs', 'jax', 'brain'];

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    cases: { type: 'string' },
    rounds: { type: 'string', default: '7' },
    'sample-ms': { type: 'string', default: '200' },
    'warm-up-ms': { type: 'string', default: '2000' },
    'cold-starts': { type: 'string', default: '7' },
    quick: { type: 'boolean', default: false },
  },
});
const chosen = choose('--only', options.only, ALL);
const chosenCases = choose('--cases', options.cases, cases.map((c) => c.id)).map((id) => cases.find((c) => c.id === id));
const complete = chosen.length === ALL.length && chosenCases.length === cases.length && !options.quick;
const timing = options.quick
  ? { rounds: 1, warmUpMs: 50, sampleMs: 20 }
  : { rounds: Number(options.rounds), warmUpMs: Number(options['warm-up-ms']), sampleMs: Number(options['sample-ms']) };
const coldStarts = options.quick ? 1 : Number(options['cold-starts']);

function choose(flag, list, known) {
  if (list === undefined) return known;
  const names = list.split(',');
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length) throw new Error(`${flag} knows ${known.join(', ')}; received ${unknown.join(', ')}`);
  return known.filter((name) => names.includes(name));
}

/** The version that is really installed, which is also the pinned one. */
function versionOf(name) {
  const path = name === 'myelin' ? '../../package.json' : `node_modules/${name}/package.json`;
  return JSON.parse(readFileSync(new URL(path, import.meta.url))).version;
}

function coldStart(name) {
  const script = fileURLToPath(new URL('cold.mjs', import.meta.url));
  return Number(execFileSync(process.execPath, [script, name], { encoding: 'utf8' }).trim().split('\n').at(-1));
}

async function main() {
  if (chosen.includes('myelin') && !existsSync(new URL('../../dist/index.js', import.meta.url))) {
    throw new Error('dist/index.js is missing. Run `npm run build` first, or leave myelin out: --only tfjs,jax,brain');
  }
  const adapters = new Map();
  for (const name of chosen) {
    const { default: adapter } = await import(`./adapters/${name}.mjs`);
    await adapter.load();
    adapters.set(name, adapter);
  }

  const report = {
    cpu: cpus()[0].model.trim(),
    logicalCpus: cpus().length,
    node: process.version,
    v8: process.versions.v8,
    platform: `${process.platform} ${process.arch}`,
    rounds: timing.rounds,
    tolerance: TOLERANCE,
    libraries: Object.fromEntries(
      [...adapters].map(([name, a]) => [name, { title: a.title, package: a.package, version: versionOf(a.package), note: a.note }]),
    ),
    cases: [],
  };

  // Measured before this run adds to it: above a fraction of the CPUs the medians are not worth publishing.
  report.loadBefore = loadavg()[0];
  if (report.loadBefore > 0.5) {
    console.error(`warning: other processes use the CPU (load ${report.loadBefore.toFixed(1)}): do not publish these times`);
  }

  for (const testCase of chosenCases) {
    const { id, title, network, data, batchSize, unitsPerCall } = testCase;
    console.error(id);
    const checks = {};
    for (const [name, adapter] of adapters) {
      checks[name] = await check(adapter, testCase);
      const { before, after, reference, difference } = checks[name];
      const verdict = difference === null ? 'falls' : `reference ${reference.toFixed(6)}, |Δ| ${difference.toExponential(1)}`;
      console.error(`  ${name}: loss ${before.toFixed(6)} → ${after.toFixed(6)} (${verdict})`);
    }

    const models = [...adapters].map(([name, adapter]) => ({ name, model: adapter.build(network, data, batchSize) }));
    const samples = await interleave(
      models.map(({ name, model }) => ({ name, call: () => testCase.call(model) })),
      timing,
    );
    const times = {};
    for (const { name, model } of models) {
      const rounds = samples.get(name).map((ms) => ms / unitsPerCall);
      times[name] = {
        medianMs: median(rounds),
        minMs: Math.min(...rounds),
        maxMs: Math.max(...rounds),
        ratio: ratio(rounds, samples.get(chosen[0]).map((ms) => ms / unitsPerCall)),
        roundsMs: rounds,
      };
      console.error(`  ${name}: ${formatMilliseconds(times[name].medianMs)} (${formatMilliseconds(times[name].minMs)} – ${formatMilliseconds(times[name].maxMs)})`);
      model.dispose();
    }
    report.cases.push({ id, title, checks, times });
  }

  console.error('cold-start');
  const starts = Object.fromEntries(chosen.map((name) => [name, []]));
  for (const name of chosen) coldStart(name); // the disk's cache
  for (let round = 0; round < coldStarts; round++) {
    for (const name of chosen) starts[name].push(coldStart(name));
  }
  report.coldStart = Object.fromEntries(
    chosen.map((name) => [
      name,
      { medianMs: median(starts[name]), ratio: ratio(starts[name], starts[chosen[0]]), roundsMs: starts[name] },
    ]),
  );
  report.size = Object.fromEntries(chosen.map((name) => [name, sizeOf(name)]));

  const markdown = toMarkdown(report);
  console.log(markdown);
  if (complete) {
    mkdirSync(new URL('../results/', import.meta.url), { recursive: true });
    writeFileSync(new URL('../results/peers.json', import.meta.url), `${JSON.stringify(report, null, 2)}\n`);
    replaceTable(new URL('../README.md', import.meta.url), 'peers', markdown);
    replaceTable(new URL('../../README.md', import.meta.url), 'peers', toShortMarkdown(report));
    console.error('written: bench/results/peers.json and the tables in bench/README.md and README.md');
  }
}

function toMarkdown(report) {
  const { rounds, libraries } = report;
  const names = Object.keys(libraries);
  const own = libraries[names[0]].title;
  return [
    comparison(report, (text, factor) => (factor === null ? `**${text}**` : `${text} (${formatRatio(factor)})`)),
    '',
    `Medians of ${rounds} interleaved rounds; in brackets how many times ${own}'s. ${machineOf(report)}`,
    '',
    ...names.map((name) => `- ${libraries[name].title}: ${libraries[name].note}`),
  ].join('\n');
}

/** For the project's README: this library's numbers, and the others as multiples of them. */
function toShortMarkdown(report) {
  return [
    comparison(report, (text, factor) => (factor === null ? text : formatRatio(factor))),
    '',
    `The other libraries' numbers as multiples of the first column; 1.0× is as fast, or as large. ${machineOf(report)}`,
  ].join('\n');
}

/** @param cell text of a number and its ratio to the first library's, null for that library itself → content of a cell */
function comparison({ libraries, cases: rows, coldStart: starts, size }, cell) {
  const names = Object.keys(libraries);
  const line = (title, textOf, ratioOf) => [title, ...names.map((name, i) => cell(textOf(name), i === 0 ? null : ratioOf(name)))];
  return table(
    ['', ...names.map((name) => `${libraries[name].title} ${libraries[name].version}`)],
    [
      ...rows.map(({ title, times }) =>
        line(title, (name) => formatMilliseconds(times[name].medianMs), (name) => times[name].ratio),
      ),
      line('Cold start: import → first training step', (name) => formatMilliseconds(starts[name].medianMs), (name) => starts[name].ratio),
      line('Size, gzipped', (name) => `${Math.round(size[name].gzip / 1000)} kB`, (name) => size[name].gzip / size[names[0]].gzip),
    ],
  );
}

function machineOf({ cpu, logicalCpus, node, v8, platform }) {
  return `${cpu}, ${logicalCpus} logical CPUs, ${platform}, Node ${node} (V8 ${v8}).`;
}

function formatRatio(factor) {
  return `${factor < 10 ? factor.toFixed(1) : Math.round(factor)}×`;
}

await main();
// jax-js and tfjs may leave handles open.
process.exit();
