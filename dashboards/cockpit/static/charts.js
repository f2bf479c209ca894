// Charts by hand: lines in SVG, and what has thousands of marks on a canvas.

import { h, duration, timeText } from './dom.js'

export const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim()

// A name keeps its colour for as long as the page is open.
const given = new Map()
const known = { completed: '--c3', running: '--c1', assigned: '--c9', failed: '--bad', expired: '--c2', cancelled: '--c8', 1: '--c5', 2: '--c2', 3: '--c1', 4: '--c3', 5: '--c9' }
export function colour(kind, name) {
  if (known[name]) return known[name]
  const key = `${kind} ${name}`
  if (!given.has(key)) given.set(key, `--c${1 + [...given.keys()].filter((k) => k.startsWith(`${kind} `)).length % 10}`)
  return given.get(key)
}

export const legend = (entries) => h('ul.legend', null, entries.map(([title, mark]) => h('li', null, h('i', { style: { '--mark': mark.startsWith('--') ? `var(${mark})` : mark } }), title)))

// Ramps of colour from pale to strong, for both themes; the lightness goes one way only.
const ramps = {
  use: [['#e6eef6', '#9cc4e8', '#3d8bcd', '#0b5394', '#06305a'], ['#22303d', '#2c5478', '#3b82bd', '#74b3e8', '#cfe6fa']],
  temperature: [['#fdf1dc', '#fbc97a', '#f08a3c', '#cc3d2b', '#7a0c26'], ['#33281d', '#7a4a1e', '#c2621f', '#f08a3c', '#ffd9a0']],
  power: [['#e9f4ea', '#a5d6a7', '#4fa566', '#1b6b41', '#0b3d24'], ['#1f2f26', '#2b5a40', '#3d9162', '#77c896', '#d2f2de']],
}
const mix = (a, b, t) => '#' + [1, 3, 5].map((i) => Math.round(parseInt(a.slice(i, i + 2), 16) * (1 - t) + parseInt(b.slice(i, i + 2), 16) * t).toString(16).padStart(2, '0')).join('')
export const dark = () => css('color-scheme').includes('dark')
export function ramp(name, ratio) {
  const stops = (ramps[name] ?? ramps.use)[dark() ? 1 : 0], at = Math.min(0.9999, Math.max(0, ratio)) * (stops.length - 1)
  return mix(stops[Math.floor(at)], stops[Math.floor(at) + 1], at % 1)
}

// A canvas as large as its box, drawn again when that changes.  draw(context, width, height) returns nothing.
export function canvas(height, draw, attributes) {
  const element = h('canvas', attributes), box = h('div.chart', null, element)
  const paint = () => {
    const width = box.clientWidth, tall = typeof height === 'function' ? height(width) : height, scale = devicePixelRatio || 1
    if (!width) return
    element.width = Math.round(width * scale)
    element.height = Math.round(tall * scale)
    element.style.height = `${tall}px`
    const context = element.getContext('2d')
    context.scale(scale, scale)
    draw(context, width, tall)
  }
  new ResizeObserver(paint).observe(box)
  return { box, element, paint }
}

// What the pointer is at; text is put beside it.
export function tip(box, find) {
  const label = h('div.tip', { hidden: true })
  box.append(label)
  box.addEventListener('pointermove', (event) => {
    const frame = box.getBoundingClientRect(), x = event.clientX - frame.left, y = event.clientY - frame.top, text = find(x, y)
    label.hidden = !text
    if (!text) return
    label.textContent = text
    label.style.left = `${Math.max(0, Math.min(x + 12, frame.width - label.offsetWidth - 4))}px`
    label.style.top = `${y + 16}px`
  })
  box.addEventListener('pointerleave', () => { label.hidden = true })
  return label
}

export function steps(low, high, wanted) {
  const raw = (high - low) / wanted || 1, size = 10 ** Math.floor(Math.log10(raw)), step = [1, 2, 5, 10].map((k) => k * size).find((s) => s >= raw) ?? raw
  const list = []
  for (let at = Math.ceil(low / step) * step; at <= high + step / 1e6; at += step) list.push(+at.toPrecision(12))
  return list
}

const spans = [1, 5, 15, 30, 60, 300, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800, 1209600, 2592000].map((s) => s * 1000)
export function timeSteps(low, high, wanted) {
  const step = spans.find((span) => span >= (high - low) / wanted) ?? spans.at(-1), shift = new Date(low).getTimezoneOffset() * 60000, list = []
  for (let at = Math.ceil((low - shift) / step) * step + shift; at <= high; at += step) list.push(at)
  const text = new Intl.DateTimeFormat(undefined, step >= 86400000 ? { month: 'short', day: 'numeric' } : step >= 60000
    ? { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } : { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' })
  const day = new Intl.DateTimeFormat(undefined, { month: 'short', day: 'numeric' })
  return list.map((at) => [at, step < 86400000 && new Date(at).getHours() + new Date(at).getMinutes() === 0 ? day.format(at) : text.format(at)])
}

// Lines over time: series are [{name, colour, points: [[ms, value]]}]; stacked: their areas on each other.
// bands are [{from, to, colour, title}] behind them.
export function lines(title, series, { since, until, format, stacked = false, high = null, bands = [], height = 200 }) {
  const shown = series.filter((one) => one.points.some(([, value]) => value !== null && Number.isFinite(value)))
  if (!shown.length) return h('p.empty', null, 'Nothing in this period.')
  const left = 64, right = 12, top = 8, bottom = 24, box = h('div.chart', { role: 'img', 'aria-label': title })
  let stack = null
  if (stacked) {
    const base = new Map()
    stack = shown.map((one) => one.points.map(([at, value]) => {
      const low = base.get(at) ?? 0
      base.set(at, low + (value || 0))
      return [at, low, low + (value || 0)]
    }))
  }
  const most = high ?? Math.max(...(stack ? stack.flat().map((p) => p[2]) : shown.flatMap((one) => one.points.map((p) => p[1]).filter(Number.isFinite))), 1e-9)
  const draw = () => {
    const width = box.clientWidth
    if (!width) return
    const unit = format === duration ? [86400, 3600, 60].find((u) => most >= 2 * u) ?? 1 : 1
    const ticks = steps(0, most / unit, 4).map((tick) => tick * unit), limit = Math.max(most, ticks.at(-1) ?? 0)
    const x = (at) => left + (at - since) / (until - since) * (width - left - right), y = (value) => height - bottom - value / limit * (height - top - bottom)
    const svg = h('svg', { viewBox: `0 0 ${width} ${height}`, height, 'aria-hidden': true })
    for (const band of bands) svg.append(h('rect', { x: x(Math.max(since, band.from)), y: top, width: Math.max(1, x(Math.min(until, band.to)) - x(Math.max(since, band.from))), height: height - top - bottom, fill: `var(${band.colour})`, opacity: 0.18 }))
    for (const tick of ticks) svg.append(h('line.grid', { x1: left, x2: width - right, y1: y(tick), y2: y(tick) }), h('text', { x: left - 8, y: y(tick) + 4, 'text-anchor': 'end' }, format(tick)))
    for (const [at, text] of timeSteps(since, until, Math.max(3, width / 90))) svg.append(h('line.axis', { x1: x(at), x2: x(at), y1: height - bottom, y2: height - bottom + 4 }), h('text', { x: x(at), y: height - 6, 'text-anchor': x(at) > width - 40 ? 'end' : 'middle' }, text))
    shown.forEach((one, i) => {
      if (stack) {
        const points = stack[i]
        svg.append(h('path', { d: `M${points.map(([at, , to]) => `${x(at).toFixed(1)} ${y(to).toFixed(1)}`).join('L')}L${[...points].reverse().map(([at, from]) => `${x(at).toFixed(1)} ${y(from).toFixed(1)}`).join('L')}Z`, fill: `var(${one.colour})`, opacity: 0.8 }))
      } else {
        let path = '', pen = false
        for (const [at, value] of one.points) {
          if (value === null || !Number.isFinite(value)) { pen = false; continue }
          path += `${pen ? 'L' : 'M'}${x(at).toFixed(1)} ${y(value).toFixed(1)}`
          pen = true
        }
        svg.append(h('path', { d: path, fill: 'none', stroke: `var(${one.colour})`, 'stroke-width': 2, 'stroke-linejoin': 'round', 'stroke-dasharray': one.dashed ? '5 4' : null }))
        const real = one.points.filter((p) => Number.isFinite(p[1]))
        if (real.length < 40) for (const [at, value] of real) svg.append(h('circle', { cx: x(at), cy: y(value), r: 2.5, fill: `var(${one.colour})` }))
      }
    })
    const rule = h('line.axis', { y1: top, y2: height - bottom, x1: -9, x2: -9 })
    svg.append(rule)
    box.querySelector('svg')?.remove()
    box.prepend(svg)
    box.find = (px) => {
      const at = since + (px - left) / (width - left - right) * (until - since)
      if (at < since || at > until) { rule.setAttribute('x1', -9); rule.setAttribute('x2', -9); return null }
      const words = shown.map((one) => {
        const near = one.points.reduce((best, p) => (Number.isFinite(p[1]) && (!best || Math.abs(p[0] - at) < Math.abs(best[0] - at)) ? p : best), null)
        return near && Math.abs(near[0] - at) < (until - since) / 20 ? [near[0], `${one.name}: ${format(near[1])}`] : null
      }).filter(Boolean)
      if (!words.length) return null
      rule.setAttribute('x1', x(words[0][0]))
      rule.setAttribute('x2', x(words[0][0]))
      return [timeText(words[0][0]), ...words.map((w) => w[1])].join('\n')
    }
  }
  tip(box, (x) => box.find?.(x))
  new ResizeObserver(draw).observe(box)
  return h('div', null, shown.length > 1 || shown[0].name ? legend([...shown.map((one) => [one.name, one.colour]), ...bands.filter((b, i) => bands.findIndex((o) => o.title === b.title) === i).map((b) => [b.title, b.colour])]) : null, box)
}
