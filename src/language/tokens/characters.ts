// Classes of characters as the Rust crates under Python's tokenizers have them. Their tables are of old versions of Unicode: they know
// neither marks nor punctuation that came later. The tables of engines are newer, so the younger characters are listed here.

/** Nonspacing marks that came after Unicode 8, the tables of unicode_categories 0.1.1. */
const YOUNG_MARKS = [
  String.raw`\u07fd\u0897-\u089f\u08ca-\u08e1\u09fe\u0afa-\u0aff\u0b55\u0c04\u0c3c\u0d00\u0d3b\u0d3c\u0d81\u0eba\u0ece\u180f\u1885`,
  String.raw`\u1886\u1abf-\u1add\u1ae0-\u1aeb\u1df6-\u1dfb\ua82c\ua8c5\ua8ff\ua9bd\u{10d24}-\u{10d27}\u{10d69}-\u{10d6d}\u{10eab}`,
  String.raw`\u{10eac}\u{10efa}-\u{10eff}\u{10f46}-\u{10f50}\u{10f82}-\u{10f85}\u{11070}\u{11073}\u{11074}\u{110c2}\u{111c9}\u{111cf}`,
  String.raw`\u{1123e}\u{11241}\u{1133b}\u{113bb}-\u{113c0}\u{113ce}\u{113d0}\u{113d2}\u{113e1}\u{113e2}\u{11438}-\u{1143f}`,
  String.raw`\u{11442}-\u{11444}\u{11446}\u{1145e}\u{1182f}-\u{11837}\u{11839}\u{1183a}\u{1193b}\u{1193c}\u{1193e}\u{11943}`,
  String.raw`\u{119d4}-\u{119d7}\u{119da}\u{119db}\u{119e0}\u{11a01}-\u{11a0a}\u{11a33}-\u{11a38}\u{11a3b}-\u{11a3e}\u{11a47}`,
  String.raw`\u{11a51}-\u{11a56}\u{11a59}-\u{11a5b}\u{11a8a}-\u{11a96}\u{11a98}\u{11a99}\u{11b60}\u{11b62}-\u{11b64}\u{11b66}`,
  String.raw`\u{11c30}-\u{11c36}\u{11c38}-\u{11c3d}\u{11c3f}\u{11c92}-\u{11ca7}\u{11caa}-\u{11cb0}\u{11cb2}\u{11cb3}\u{11cb5}`,
  String.raw`\u{11cb6}\u{11d31}-\u{11d36}\u{11d3a}\u{11d3c}\u{11d3d}\u{11d3f}-\u{11d45}\u{11d47}\u{11d90}\u{11d91}\u{11d95}\u{11d97}`,
  String.raw`\u{11ef3}\u{11ef4}\u{11f00}\u{11f01}\u{11f36}-\u{11f3a}\u{11f40}\u{11f42}\u{11f5a}\u{13440}\u{13447}-\u{13455}`,
  String.raw`\u{1611e}-\u{16129}\u{1612d}-\u{1612f}\u{16f4f}\u{16fe4}\u{1cf00}-\u{1cf2d}\u{1cf30}-\u{1cf46}\u{1e000}-\u{1e006}`,
  String.raw`\u{1e008}-\u{1e018}\u{1e01b}-\u{1e021}\u{1e023}\u{1e024}\u{1e026}-\u{1e02a}\u{1e08f}\u{1e130}-\u{1e136}\u{1e2ae}`,
  String.raw`\u{1e2ec}-\u{1e2ef}\u{1e4ec}-\u{1e4ef}\u{1e5ee}\u{1e5ef}\u{1e6e3}\u{1e6e6}\u{1e6ee}\u{1e6ef}\u{1e6f5}\u{1e944}-\u{1e94a}`,
].join('')

/** Punctuation that came after Unicode 8. */
const YOUNG_PUNCTUATION = [
  String.raw`\u061d\u09fd\u0a76\u0c77\u0c84\u1b4e\u1b4f\u1b7d-\u1b7f\u2e43-\u2e4f\u2e52-\u2e5d\u{10d6e}\u{10ead}\u{10ed0}`,
  String.raw`\u{10f55}-\u{10f59}\u{10f86}-\u{10f89}\u{113d4}\u{113d5}\u{113d7}\u{113d8}\u{1144b}-\u{1144f}\u{1145a}\u{1145b}\u{1145d}`,
  String.raw`\u{11660}-\u{1166c}\u{116b9}\u{1183b}\u{11944}-\u{11946}\u{119e2}\u{11a3f}-\u{11a46}\u{11a9a}-\u{11a9c}`,
  String.raw`\u{11a9e}-\u{11aa2}\u{11b00}-\u{11b09}\u{11be1}\u{11c41}-\u{11c45}\u{11c70}\u{11c71}\u{11ef7}\u{11ef8}`,
  String.raw`\u{11f43}-\u{11f4f}\u{11fff}\u{12ff1}\u{12ff2}\u{16d6d}-\u{16d6f}\u{16e97}-\u{16e9a}\u{16fe2}\u{1e5ff}\u{1e95e}\u{1e95f}`,
].join('')

/** Characters whose combining class or decomposition came after the tables of unicode-normalization-alignments. */
const YOUNG_FORMS = [
  String.raw`\u07fd\u0897-\u089f\u08ca-\u08d3\u09fe\u0afa-\u0aff\u0b55\u0c04\u0c3c\u0cf3\u0d00\u0d3b\u0d3c\u0d81\u0eba\u0ece\u1715`,
  String.raw`\u180f\u1abf-\u1add\u1ae0-\u1aeb\u1cf7\u1df6-\u1dfa\u32ff\ua7f1-\ua7f4\ua82c\ua8ff\uab69\u{105c9}\u{105e4}`,
  String.raw`\u{10781}-\u{10785}\u{10787}-\u{107b0}\u{107b2}-\u{107ba}\u{10d24}-\u{10d27}\u{10d69}-\u{10d6d}\u{10eab}\u{10eac}`,
  String.raw`\u{10efa}-\u{10eff}\u{10f46}-\u{10f50}\u{10f82}-\u{10f85}\u{11070}\u{11073}\u{11074}\u{110c2}\u{11145}\u{11146}\u{111c9}`,
  String.raw`\u{111ce}\u{111cf}\u{11241}\u{1133b}\u{11383}\u{11385}\u{1138e}\u{11391}\u{113b8}-\u{113c0}\u{113c2}\u{113c5}`,
  String.raw`\u{113c7}-\u{113ca}\u{113cc}-\u{113d0}\u{113d2}\u{113e1}\u{113e2}\u{1145e}\u{1182c}-\u{1183a}\u{11930}-\u{11935}`,
  String.raw`\u{11937}\u{11938}\u{1193b}-\u{1193e}\u{11940}\u{11942}\u{11943}\u{119d1}-\u{119d7}\u{119da}-\u{119e0}\u{119e4}`,
  String.raw`\u{11a01}-\u{11a0a}\u{11a33}-\u{11a39}\u{11a3b}-\u{11a3e}\u{11a47}\u{11a51}-\u{11a5b}\u{11a8a}-\u{11a99}`,
  String.raw`\u{11b60}-\u{11b67}\u{11d31}-\u{11d36}\u{11d3a}\u{11d3c}\u{11d3d}\u{11d3f}-\u{11d45}\u{11d47}\u{11d8a}-\u{11d8e}`,
  String.raw`\u{11d90}\u{11d91}\u{11d93}-\u{11d97}\u{11ef3}-\u{11ef6}\u{11f00}\u{11f01}\u{11f03}\u{11f34}-\u{11f3a}`,
  String.raw`\u{11f3e}-\u{11f42}\u{11f5a}\u{13440}\u{13447}-\u{13455}\u{1611e}-\u{1612f}\u{16d68}-\u{16d6a}\u{16f4f}`,
  String.raw`\u{16f7f}-\u{16f87}\u{16fe4}\u{16ff0}\u{16ff1}\u{1ccd6}-\u{1ccf9}\u{1cf00}-\u{1cf2d}\u{1cf30}-\u{1cf46}`,
  String.raw`\u{1e030}-\u{1e06d}\u{1e08f}\u{1e130}-\u{1e136}\u{1e2ae}\u{1e2ec}-\u{1e2ef}\u{1e4ec}-\u{1e4ef}\u{1e5ee}\u{1e5ef}`,
  String.raw`\u{1e6e3}\u{1e6e6}\u{1e6ee}\u{1e6ef}\u{1e6f5}\u{1f16c}\u{1fbf0}-\u{1fbf9}`,
].join('')

/** Cc and Cf of Unicode 8 without tabs and ends of lines, and the two characters that BERT removes too: U+0000, U+FFFD. */
const CONTROLS = [
  String.raw`\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u0600-\u0605\u061c\u06dd\u070f\u180e\u200b-\u200f\u202a-\u202e`,
  String.raw`\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb\ufffd\u{110bd}\u{1bca0}-\u{1bca3}\u{1d173}-\u{1d17a}\u{e0001}`,
  String.raw`\u{e0020}-\u{e007f}`,
].join('')

const ASCII_PUNCTUATION = '!-\\/:-@\\[-`\\{-~'

/** Runs of whitespace as Rust's `char::is_whitespace` defines it. JavaScript's `\\s` has U+FEFF and lacks U+0085. */
export const LEADING_SPACE = /^\p{White_Space}+/u
export const WHITESPACE = /\p{White_Space}/gu
/** `\\w` of Rust's crate regex. */
export const WORD = String.raw`[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]`
export const NUMERIC = /\p{N}/gu
/** Characters that were or are punctuation, and all symbols of ASCII. */
const MARKS_OF_TEXT = `\\p{P}\\u166d\\u{111c9}${ASCII_PUNCTUATION}`
/** Punctuation of BERT: that of Unicode 8, U+166D, U+111C9, and all symbols of ASCII. */
export const PUNCTUATION = new RegExp(`(?![${YOUNG_PUNCTUATION}])[${MARKS_OF_TEXT}]`, 'gu')
/** Words of BERT, and punctuation by itself. */
export const WORDS_OF_BERT = new RegExp(
  `(?:[^${MARKS_OF_TEXT}\\p{White_Space}]|[${YOUNG_PUNCTUATION}])+|[${MARKS_OF_TEXT}]`,
  'gu',
)
/** Runs of what is no whitespace. */
export const NO_SPACE = /\P{White_Space}+/gu
/** Nonspacing marks, which are the accents that BERT strips. */
export const NONSPACING_MARKS = new RegExp(`(?![${YOUNG_MARKS}])[\\p{Mn}\\u1734\\u{1171e}]`, 'gu')
/** All marks. */
export const MARKS = new RegExp(`(?![${YOUNG_FORMS}])[\\p{M}\\u1cf2\\u1cf3]`, 'gu')
/** Control characters, which BERT removes. */
export const CONTROL = new RegExp(`[${CONTROLS}\\p{Co}]`, 'gu')
/** Whitespace that BERT makes spaces. */
export const SPACE_TO_BERT = /[\t\n\r\u0020\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/g
/** Ideographs, which BERT takes as words. The crate begins one range at U+2B920, not U+2B820. */
export const IDEOGRAPHS =
  /[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u{20000}-\u{2a6df}\u{2a700}-\u{2b81f}\u{2b920}-\u{2ceaf}\u{2f800}-\u{2fa1f}]/gu

/** Runs of characters that old tables can normalize. */
const OLD_FORMS = new RegExp(`[^${YOUNG_FORMS}]+`, 'gu')
const HAS_YOUNG_FORMS = new RegExp(`[${YOUNG_FORMS}]`, 'u')

/** `text.normalize(form)` with the tables of Python's tokenizers. */
export function normalizeForm(text: string, form: 'NFC' | 'NFD' | 'NFKC' | 'NFKD'): string {
  if (!HAS_YOUNG_FORMS.test(text)) return text.normalize(form)
  return text.replace(OLD_FORMS, (run) => run.normalize(form))
}

/** Small letters, character by character: without the rule of JavaScript for a sigma at the end of a word. */
export function lowercase(text: string): string {
  return text.replaceAll('\u03a3', '\u03c3').toLowerCase()
}
