// Changes that may affect which variables a layer has, and which of them are trained. JavaScript gives no notice when a property is
// assigned, so the time of the last change anywhere is compared: lists of a layer from an earlier time are compared with its parts.

/** A clock that each change advances, and nothing else. */
class Changes {
  #last = 0

  /** The time of the last change. */
  get last(): number {
    return this.#last
  }

  /** Called for each new layer and variable, and when one is trained or no longer. @returns the time of this change */
  note(): number {
    return ++this.#last
  }
}

export const changes = /* @__PURE__ */ new Changes()
