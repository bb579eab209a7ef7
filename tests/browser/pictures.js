// A page whose Content Security Policy forbids inline styles shows pictures. Leaves its results in window.testResult; run.mjs
// asserts them.
import { plotHistory, plotImages } from '../../dist/plot.js'

const curves = plotHistory({ loss: [1, 0.5, 0.3], valLoss: [1, 0.6, 0.5] })
const images = plotImages({ data: Float32Array.from({ length: 128 }, (_, i) => (i % 7) / 7), shape: [2, 8, 8] })
document.body.append(curves.element(), images.element())

const pictures = Array.from(document.querySelectorAll('svg'), (each) => ({
  font: getComputedStyle(each).fontSize,
  paper: getComputedStyle(each.querySelector('.paper')).fill,
  width: getComputedStyle(each).maxWidth,
}))
window.testResult = { pictures, rendering: getComputedStyle(document.querySelector('image')).imageRendering }
