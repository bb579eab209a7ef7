// The time of the last change that may affect which variables a layer has, or which of them are trained. JavaScript gives no notice when a
// property is assigned. So a layer compares its lists with its parts if the lists are older than the last change anywhere.

/** A clock that advances at each change. */
class Changes {
  #last = 0

  /** The time of the last change. */
  get last(): number {
    return this.#last
  }

  /** Called for each new layer and variable, and when `trainable` is set. @returns the time of this change */
  note(): number {
    return ++this.#last
  }
}

export const changes = /* @__PURE__ */ new Changes()
