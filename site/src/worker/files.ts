// Writes and reads models in files of every format.

import { loadModel, type Model, type Tensor } from 'myelin'
import { writeKeras } from 'myelin/keras'
import { writeOnnx } from 'myelin/onnx'
import { writeTfjs } from 'myelin/tfjs'
import { quantizedLayers } from 'myelin/thrift'
import type { ForeignFormat, SavedFile } from './protocol'

/** The bytes of `model.save()` as the files of another program. */
export async function convert(bytes: Uint8Array, format: ForeignFormat): Promise<SavedFile[]> {
  const model = await loadModel<Tensor, Tensor>(bytes, { customObjects: quantizedLayers })
  switch (format) {
    case 'keras':
      return [{ name: 'model.keras', bytes: Uint8Array.from(await writeKeras(model)) }]
    case 'onnx':
      return [{ name: 'model.onnx', bytes: Uint8Array.from(await writeOnnx(model)) }]
    case 'tfjs': {
      const { json, weights } = await writeTfjs(model)
      return [{ name: 'model.json', bytes: json }, ...Object.entries(weights).map(([name, bytes]) => ({ name, bytes }))]
    }
  }
}

export function load(files: readonly File[]): Promise<Model> {
  return loadModel<Tensor, Tensor>(files.length === 1 ? files[0]! : [...files], { customObjects: quantizedLayers })
}

/** @throws Error if the model takes other inputs or gives other answers than the data need */
export async function open(files: readonly File[], inputShape: readonly number[], outputs: number): Promise<Model> {
  const model = await load(files)
  const text = (shape: readonly unknown[]): string => `[${shape.map((each) => each ?? 'any').join(', ')}]`
  const shapes = (of: readonly Tensor[]): readonly (number | null)[][] => of.map(({ shape }) => shape.slice(1))
  const [input, output] = [shapes(model.inputs), shapes(model.outputs)]
  const fits =
    input.length === 1 &&
    input[0]!.length === inputShape.length &&
    input[0]!.every((each, i) => each === null || each === inputShape[i])
  if (!fits)
    throw new Error(
      `The model takes ${input.map(text).join(' and ')}, and the chosen data have rows of ${text(inputShape)}. Choose the data it was made for first.`,
    )
  if (output.length !== 1 || output[0]!.at(-1) !== outputs)
    throw new Error(
      `The model answers ${output.map(text).join(' and ')}, and the chosen data need [${outputs}]. Choose the data it was made for first.`,
    )
  return model
}
