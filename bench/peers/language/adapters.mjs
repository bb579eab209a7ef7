// One language model, opened by each library in its way: `continued(tokens, count)` continues a prompt of tokens by `count` tokens, the likeliest
// ones, and resolves when all are there.

const modules = new URL('./node_modules/', import.meta.url)

const libraries = {
  async myelin(weights, folder) {
    const entry = folder.protocol === 'file:' ? 'node.js' : 'index.js'
    const [{ configure }, { CausalLM }] = await Promise.all(
      [entry, 'language.js'].map((name) => import(`../../../dist/${name}`)),
    )
    configure({ threads: 1 })
    const lm = await CausalLM.fromPreset(new URL('preset/', folder), { weights, cache: false })
    return async (text, count) => {
      await lm.generate(text, { maxTokens: count, temperature: 0, stopTokens: [] })
      return lm.tokenizer.encode(text).length
    }
  },

  async wllama(weights, folder) {
    const { Wllama } = await import(`${modules}@wllama/wllama/esm/index.js`)
    const quiet = { ...console, debug() {}, log() {}, warn() {} }
    const wllama = new Wllama(
      { default: `${modules}@wllama/wllama/esm/wasm/wllama.wasm` },
      { logger: quiet, suppressNativeLog: true },
    )
    const file = { int8: 'q8_0.gguf', int4: 'q4_0.gguf' }[weights]
    const blob = await (await fetch(new URL(file, folder))).blob()
    await wllama.loadModel([blob], { n_threads: 1, n_ctx: 1024, n_batch: 512, n_gpu_layers: 0, n_parallel: 1 })
    return async (prompt, count) => {
      const made = await wllama.createCompletion({
        prompt,
        max_tokens: count,
        temperature: 0,
        temp: 0,
        top_k: 1,
        ignore_eos: true,
        cache_prompt: false,
      })
      const { completion_tokens: tokens, prompt_tokens: before } = made.usage
      if (tokens !== count) throw new Error(`wllama made ${tokens} tokens, not ${count}`)
      return before
    }
  },

  async transformers(weights, folder) {
    const { AutoModelForCausalLM, AutoTokenizer, env } = await import(
      `${modules}@huggingface/transformers/dist/transformers.js`
    )
    env.allowRemoteModels = false
    env.allowLocalModels = true
    env.useBrowserCache = false
    env.localModelPath = folder.pathname
    env.backends.onnx.wasm.numThreads = 1
    env.backends.onnx.wasm.wasmPaths = `${modules}onnxruntime-web/dist/`
    const dtype = { int8: 'q8', int4: 'q4' }[weights]
    const tokenizer = await AutoTokenizer.from_pretrained('onnx')
    const model = await AutoModelForCausalLM.from_pretrained('onnx', { dtype, device: 'wasm' })
    return async (prompt, count) => {
      const inputs = tokenizer(prompt)
      const made = await model.generate({ ...inputs, max_new_tokens: count, min_new_tokens: count, do_sample: false })
      const before = inputs.input_ids.dims[1]
      if (made.dims[1] !== before + count)
        throw new Error(`transformers.js made ${made.dims[1] - before} tokens, not ${count}`)
      return before
    }
  },
}

/**
 * @param library its name
 * @param weights 'int8' or 'int4'
 * @param folder the address of the folder that make.py has made
 * @returns continues a prompt by a number of tokens, and resolves with the number of tokens that the prompt has
 */
export const opened = (library, weights, folder) => libraries[library](weights, new URL(folder))
