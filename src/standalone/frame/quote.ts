// Values of a model inside the text of a module: no name, class or token can end a string, a comment or a script element.

/** A value as JSON that is valid in every script: without `<`, and without the line separators that end a line of JavaScript. */
export function quote(value: unknown): string {
  return JSON.stringify(value).replace(
    /[<\u2028\u2029]/g,
    (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** Text as the lines of a comment. */
export function comment(text: string): string {
  return text
    .split(/[\n\r\u2028\u2029]+/)
    .map((line) => `// ${line.replaceAll('<', '‹').trimEnd()}`.trimEnd())
    .join('\n')
}

/** A name as a member of a type: quoted if it is no identifier. */
export function member(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : quote(name)
}
