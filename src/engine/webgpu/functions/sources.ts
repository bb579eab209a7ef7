/** The WGSL sources of functions by their names. Each is one function, after a line with its formula and its largest error. */
export type Sources = Readonly<Record<string, string>>
