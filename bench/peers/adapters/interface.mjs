// The interface that every adapter in this folder implements. Types only: nothing runs here.
//
// An adapter does no timing and contains no cases. Outside the timed calls, for every library alike: loading it,
// building the model, setting its weights, and converting the data to the form that the library takes.

/**
 * @typedef {object} Adapter
 * @property {string} title     as printed in the tables
 * @property {string | null} package   the npm package whose version is reported
 * @property {string} note      facts about how this library is measured
 * @property {boolean} [native]  code for this CPU, not WebAssembly or JavaScript
 * @property {boolean} comparable  false when the library cannot train the same network with the same loss;
 *   then its loss only has to fall
 * @property {(testCase: import('../cases.mjs').Case) => boolean} [can]  whether it has the layers, and for training
 *   their gradients; otherwise the case is skipped. Without it, the library can do everything
 * @property {string} [version]  if there is no npm package that has it
 * @property {() => Promise<void>} load  imports the library and makes its backend ready
 * @property {(job: Job) => Promise<number>} [runJob]  loads the library and does the whole job; the prediction of the
 *   first row
 * @property {(network: import('../dense.mjs').Network, data: import('../dense.mjs').Dataset,
 *             batchSize: number) => Model | Promise<Model>} build  a fresh model with the initial weights of `network`
 */

/**
 * @typedef {object} Model
 * @property {(epochs: number, shuffle: boolean) => unknown} fit  trains over the whole data set; may be async
 * @property {(batch: number) => unknown} trainOnBatch  one step on the batch of that number, and its loss read back
 * one step on the batch with that index, and its loss read back
 * @property {(row: number) => number | Promise<number>} predictRow  from the row's numbers to the first output, as a
 *   number
 * @property {() => ArrayLike<number> | Promise<ArrayLike<number>>} predictAll  the output for all rows, flat
 * @property {() => unknown} dispose
 * @property {(operation: string, milliseconds: number) => Promise<number>} [sample]  for libraries in another process,
 *   which time themselves: the milliseconds of one call, from calls for at least `milliseconds` in all
 */

/**
 * @typedef {object} Job  a typical program: see job.mjs
 * @property {number[][]} rows
 * @property {number[][]} labels
 * @property {number} epochs
 * @property {number} batchSize
 * @property {number[]} units  of the layers: relu, and sigmoid for the last
 */

export {}
