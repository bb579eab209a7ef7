// The baseline of tiny-gpt: how well the characters before a character predict it, counted.

/**
 * The bits of a character of `test` after counting `train`. The probability after n characters mixes with that after n − 1: it gets the
 * share all / (all + kinds), where `all` is how often these n characters occurred and `kinds` how many different ones followed
 * (Witten and Bell 1991).
 *
 * @param {string} train
 * @param {string} test
 * @param {number} longest the characters of the longest context
 */
export function bitsOfCounts(train, test, longest) {
  const alphabet = new Set(train + test).size
  const followers = Array.from({ length: longest + 1 }, (_, order) => countFollowers(train, order))
  let bits = 0
  for (let i = longest; i < test.length; i++) {
    let p = 1 / alphabet
    for (let order = 0; order <= longest; order++) {
      const next = followers[order].get(test.slice(i - order, i))
      if (next === undefined) break // A longer context has not occurred either.
      p = ((next.of.get(test[i]) ?? 0) + next.of.size * p) / (next.all + next.of.size)
    }
    bits -= Math.log2(p)
  }
  return bits / (test.length - longest)
}

/** How often each character follows each context of some length. */
function countFollowers(text, length) {
  const followers = new Map()
  for (let i = length; i < text.length; i++) {
    const context = text.slice(i - length, i)
    let next = followers.get(context)
    if (next === undefined) followers.set(context, (next = { all: 0, of: new Map() }))
    next.all++
    next.of.set(text[i], (next.of.get(text[i]) ?? 0) + 1)
  }
  return followers
}
