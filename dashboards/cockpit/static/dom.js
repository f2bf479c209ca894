// Elements, and what figures look like as text.  All that comes from the database becomes
// text nodes and attributes by setAttribute(), never markup.

export function h(tag, attributes, ...children) {
  const [name, ...classes] = tag.split('.')
  const element = ['svg', 'g', 'path', 'line', 'rect', 'text', 'circle', 'title', 'polyline'].includes(name)
    ? document.createElementNS('http://www.w3.org/2000/svg', name) : document.createElement(name)
  if (classes.length) element.setAttribute('class', classes.join(' '))
  for (const [key, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue
    if (key.startsWith('on')) element.addEventListener(key.slice(2), value)
    else if (key === 'style') for (const [property, to] of Object.entries(value)) element.style.setProperty(property, to)
    else if (key === 'value') element.value = value
    else element.setAttribute(key, value === true ? '' : value)
  }
  element.append(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false))
  return element
}

const number = new Intl.NumberFormat('en', { maximumFractionDigits: 1 })
const exact = new Intl.NumberFormat('en', { maximumFractionDigits: 3 })
const missing = (value) => value === null || value === undefined || value === '' || !Number.isFinite(+value)

export const count = (value) => (missing(value) ? '–' : number.format(value))
export const figure = (value) => (missing(value) ? '–' : exact.format(value))
export const percent = (ratio) => (missing(ratio) ? '–' : `${number.format(100 * ratio)} %`)
export const celsius = (value) => (missing(value) ? '–' : `${number.format(value)} °C`)
export const watts = (value) => (missing(value) ? '–' : value >= 10000 ? `${number.format(value / 1000)} kW` : `${number.format(value)} W`)

export function bytes(value) {
  if (missing(value)) return '–'
  const step = Math.min(4, Math.max(0, Math.floor(Math.log2(Math.max(1, value)) / 10)))
  return `${number.format(value / 1024 ** step)} ${['B', 'KB', 'MB', 'GB', 'TB'][step]}`
}

export function duration(seconds) {
  if (missing(seconds)) return '–'
  const s = Math.abs(+seconds), sign = seconds < 0 ? '−' : ''
  if (s < 0.0005) return '0 s'
  if (s < 1) return `${sign}${number.format(s * 1000)} ms`
  if (s < 60) return `${sign}${number.format(s)} s`
  if (s < 3600) return `${sign}${Math.floor(s / 60)} min${Math.round(s % 60) ? ` ${Math.round(s % 60)} s` : ''}`
  if (s < 86400) return `${sign}${Math.floor(s / 3600)} h${Math.floor(s % 3600 / 60) ? ` ${Math.floor(s % 3600 / 60)} min` : ''}`
  return `${sign}${Math.floor(s / 86400)} d${Math.floor(s % 86400 / 3600) ? ` ${Math.floor(s % 86400 / 3600)} h` : ''}`
}

const same = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' })
const other = new Intl.DateTimeFormat(undefined, { month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })

export function timeText(text) {
  const at = new Date(text)
  return isNaN(at) ? String(text ?? '–') : (Math.abs(Date.now() - at) < 72e6 ? same : other).format(at)
}

export const time = (text) => (text ? h('time', { datetime: text, title: text }, timeText(text)) : '–')

// A state is a word and a mark; its colour only says it again.
export const state = (word) => (word ? h(`span.state.is-${String(word).replace(/[^a-z]/g, '')}`, null, word) : '–')

export const bar = (ratio) => h('span.meter', { role: 'img', 'aria-label': percent(ratio) },
  h('span', { style: { width: `${Math.min(100, Math.max(0, 100 * (ratio ?? 0)))}%` } }), h('b', null, percent(ratio)))

// Columns are [title, cell of a row, class?].  A row's table scrolls in a box of its own, by keyboard too.
export function table(caption, columns, rows, empty = 'Nothing.') {
  if (!rows.length) return h('p.empty', null, empty)
  return h('div.scroll', { tabindex: 0, role: 'region', 'aria-label': caption },
    h('table', null, h('caption.unseen', null, caption),
      h('thead', null, h('tr', null, columns.map(([title, , kind]) => h(kind ? `th.${kind}` : 'th', { scope: 'col' }, title)))),
      h('tbody', null, rows.map((row) => h('tr', null, columns.map(([, cell, kind]) => h(kind ? `td.${kind}` : 'td', null, cell(row))))))))
}

export const card = (title, ...content) => h('section.card', null, h('h2', null, title), ...content)
export const empty = (text) => h('p.empty', null, text)
export const pairs = (list) => h('dl.pairs', null, list.filter(Boolean).map(([name, value]) => h('div', null, h('dt', null, name), h('dd', null, value))))
export const figures = (list) => h('dl.figures', null, list.map(([name, value, note, kind]) =>
  h(kind ? `div.${kind}` : 'div', null, h('dt', null, name), h('dd', null, value), note ? h('dd.note', null, note) : null)))
export const json = (value) => h('pre', { tabindex: 0 }, JSON.stringify(value, null, 2))
export const fold = (id, title, ...content) => h('details', { id }, h('summary', null, title), ...content)

export function choose(label, value, choices, change, id) {
  return h('label.field', null, h('span', null, label),
    h('select', { id, onchange: (event) => change(event.target.value) },
      choices.map(([key, title]) => h('option', { value: key, selected: key === value }, title))))
}

// Parts that can fail alone do not take the page with them.
export function part(promise, draw) {
  return promise.then(draw, (error) => { if (error.status === 401 || error.status === 0 || error.status === 503) throw error; return h('p.problem', null, error.message, error.hint ? ` ${error.hint}` : '') })
}
