// The timeline: what ran where, and when.  Drag or arrow keys move it, the wheel with Ctrl, two
// fingers or + and - zoom it; what is shown stands in the address.

import { h, card, choose, table, count, duration, time, timeText, state, empty, part } from './dom.js'
import { colour, css, legend, timeSteps, tip } from './charts.js'

export const title = 'Timeline'

const most = 20000, lane = 16, axis = 26
const keys = {
  type: ['type of work', (r) => r.workload_type || 'unknown'], state: ['state', (r) => r.state], tenant: ['tenant', (r) => r.tenant || 'no tenant'],
  priority: ['priority', (r) => (r.priority === null ? 'unknown' : String(r.priority))], model: ['device model', (r) => r.model_name ?? 'unknown'],
}
const shared = { top: 0 }

// Runs of a worker that overlap lie in lanes below each other.
function layout(runs) {
  const workers = new Map()
  for (const run of runs) {
    const begin = run.started_at ?? run.assigned_at
    run.wait = run.started_at && run.assigned_at ? +new Date(run.assigned_at) : null
    run.from = +new Date(begin)
    run.to = run.finished_at ? +new Date(run.finished_at) : Date.now()
    if (!workers.has(run.worker_id)) workers.set(run.worker_id, [])
    workers.get(run.worker_id).push(run)
  }
  const rows = []
  for (const [worker, list] of [...workers].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const ends = []
    list.sort((a, b) => a.from - b.from)
    for (const run of list) {
      let no = ends.findIndex((end) => end <= run.from)
      if (no < 0) no = ends.push(0) - 1
      ends[no] = run.to
      run.row = rows.length + no
    }
    ends.forEach((_, i) => rows.push({ worker, first: i === 0, lanes: ends.length }))
  }
  return rows
}

export function gantt(c, runs, { by, tall = 520, pick }) {
  const rows = layout(runs), key = keys[by][1], view = { from: +c.since, to: +c.until }
  if (!runs.length) return empty('Nothing ran in this period.')
  const height = Math.min(tall, rows.length * lane + axis + 4)
  const canvas = h('canvas', { 'aria-hidden': true }), spacer = h('div', { style: { height: `${rows.length * lane + axis + 4}px`, 'margin-top': `-${height}px` } })
  const zone = h('div.zone.chart', { tabindex: 0, id: 'zone', role: 'application', 'aria-label': `Timeline of ${count(runs.length)} runs on ${count(new Set(rows.map((r) => r.worker)).size)} workers. Arrow keys move, plus and minus zoom; the table below has the same runs.`,
    style: { 'max-height': `${height}px`, 'overflow-y': 'auto' } }, canvas, spacer)
  canvas.style.setProperty('position', 'sticky')
  canvas.style.setProperty('top', '0')
  let width = 0, left = 140, frame = null, wanted = null
  const inside = () => width - left - 8
  const x = (at) => left + (at - view.from) / (view.to - view.from) * inside()
  const paint = () => {
    frame = null
    width = zone.clientWidth
    if (!width) return
    left = width < 600 ? 76 : 148
    const scale = devicePixelRatio || 1, paper = canvas.getContext('2d')
    canvas.width = width * scale
    canvas.height = height * scale
    canvas.style.height = `${height}px`
    paper.scale(scale, scale)
    paper.font = '12px system-ui, sans-serif'
    const top = zone.scrollTop, ink = css('--ink'), soft = css('--soft'), line = css('--line'), paints = new Map()
    shared.top = top
    const ticks = timeSteps(view.from, view.to, Math.max(3, inside() / 90))
    for (const [at] of ticks) {
      paper.fillStyle = line
      paper.fillRect(x(at), axis - 6, 1, height)
    }
    const first = Math.floor(top / lane), last = Math.min(rows.length - 1, Math.ceil((top + height) / lane))
    paper.save()
    paper.beginPath()
    paper.rect(0, axis, width, height)
    paper.clip()
    for (let no = first; no <= last; no++) {
      if (!rows[no].first) continue
      const y = axis + no * lane - top
      paper.fillStyle = line
      paper.fillRect(0, y - 1, width, 1)
    }
    for (const run of runs) {
      if (run.row < first || run.row > last || run.to < view.from || (run.wait ?? run.from) > view.to) continue
      const name = key(run)
      if (!paints.has(name)) paints.set(name, css(colour(by, name)))
      const y = axis + run.row * lane - top + 2, a = Math.max(left, x(run.from)), b = Math.min(width - 8, x(run.to))
      if (run.wait && x(run.from) - x(run.wait) > 1) {
        paper.fillStyle = soft
        paper.fillRect(Math.max(left, x(run.wait)), y + 5, Math.max(0, a - Math.max(left, x(run.wait))), 1.5)
      }
      paper.fillStyle = paints.get(name)
      paper.globalAlpha = run.started_at ? 0.9 : 0.4
      paper.fillRect(a, y, Math.max(1.5, b - a - (b - a > 4 ? 1 : 0)), lane - 4)
      paper.globalAlpha = 1
      if (run.state === 'failed' || run.state === 'expired') { paper.fillStyle = css('--bad'); paper.fillRect(Math.max(a, b - 4), y, 3, lane - 4) }
      if (run.attempt > 1) { paper.fillStyle = ink; paper.fillRect(a, y, 2, lane - 4) }
      if (run.state === 'running' && run.lease_until && new Date(run.lease_until) < view.to + 6e4) { paper.fillStyle = ink; paper.fillRect(Math.min(width - 10, x(+new Date(run.lease_until))), y, 1, lane - 4) }
      if (b - a > 56) {
        paper.save()
        paper.beginPath()
        paper.rect(a, y, b - a - 4, lane)
        paper.clip()
        paper.fillStyle = css('--paper')
        paper.fillText(run.workload_id, a + 5, y + 10)
        paper.restore()
      }
      if (picked && run === picked) { paper.strokeStyle = ink; paper.lineWidth = 2; paper.strokeRect(a, y - 1, Math.max(3, b - a), lane - 2) }
    }
    paper.fillStyle = css('--paper')
    paper.fillRect(0, axis, left - 4, height)
    for (let no = first; no <= last; no++) {
      if (!rows[no].first && no !== first) continue
      const y = axis + no * lane - top
      paper.fillStyle = ink
      let text = rows[no].worker
      while (text.length > 4 && paper.measureText(text).width > left - 12) text = text.length > 14 ? `${text.slice(0, 5)}…${text.slice(-(text.length - 8))}` : text.slice(0, -1)
      paper.fillText(text, 2, Math.max(axis + 12, y + 12))
    }
    paper.restore()
    paper.fillStyle = soft
    for (const [at, text] of ticks) {
      paper.textAlign = x(at) > width - 50 ? 'right' : x(at) < left + 20 ? 'left' : 'center'
      paper.fillText(text, x(at), 14)
    }
    paper.textAlign = 'left'
    const now = x(Date.now())
    if (now > left && now < width) { paper.fillStyle = css('--accent'); paper.fillRect(now, axis - 6, 1.5, height) }
  }
  let picked = null
  const again = () => { frame ??= requestAnimationFrame(paint) }
  const settle = () => {
    clearTimeout(wanted)
    wanted = setTimeout(() => { c.change({ from: new Date(view.from).toISOString(), to: new Date(view.to).toISOString() }, true); c.refresh() }, 500)
  }
  const move = (share) => { const by = (view.to - view.from) * share; view.from += by; view.to += by; again(); settle() }
  const zoom = (factor, at = (view.from + view.to) / 2) => {
    const span = Math.min(366 * 864e5, Math.max(1000, (view.to - view.from) * factor)), part = (at - view.from) / (view.to - view.from)
    view.from = at - span * part
    view.to = view.from + span
    again()
    settle()
  }
  const time_at = (px) => view.from + (px - left) / inside() * (view.to - view.from)
  const find = (px, py) => {
    if (py < axis || px < left) return null
    const row = Math.floor((py - axis + zone.scrollTop) / lane), at = time_at(px), near = (view.to - view.from) / inside() * 3
    let best = null
    for (const run of runs) if (run.row === row && (run.wait ?? run.from) - near <= at && run.to + near >= at && (!best || run.from <= at)) best = run
    return best
  }
  // fingers and the mouse
  const pointers = new Map()
  let dragged = false
  zone.addEventListener('pointerdown', (event) => { pointers.set(event.pointerId, event.clientX); dragged = false; clearTimeout(wanted) })
  zone.addEventListener('pointermove', (event) => {
    if (!pointers.has(event.pointerId)) return
    const before = pointers.get(event.pointerId), step = event.clientX - before
    if (pointers.size === 1) {
      if (Math.abs(step) < 3 && !dragged) return
      if (!dragged) zone.setPointerCapture(event.pointerId)
      dragged = true
      const by = -step / inside() * (view.to - view.from)
      view.from += by
      view.to += by
    } else {
      const [other] = [...pointers].find(([id]) => id !== event.pointerId), a = pointers.get(other)
      const old = Math.abs(before - a), fresh = Math.abs(event.clientX - a)
      if (old > 10 && fresh > 10) zoom(old / fresh, time_at((a + event.clientX) / 2 - zone.getBoundingClientRect().left))
      dragged = true
    }
    pointers.set(event.pointerId, event.clientX)
    again()
  })
  for (const kind of ['pointerup', 'pointercancel']) zone.addEventListener(kind, (event) => { pointers.delete(event.pointerId); if (dragged) settle() })
  zone.addEventListener('click', (event) => {
    if (dragged) return
    const frame = zone.getBoundingClientRect(), px = event.clientX - frame.left, py = event.clientY - frame.top
    picked = find(px, py)
    if (!picked && px < left && py > axis) {
      const row = rows[Math.floor((py - axis + zone.scrollTop) / lane)]
      if (row) location.hash = c.linkTo('workers', { id: row.worker })
    }
    again()
    pick?.(picked)
  })
  zone.addEventListener('wheel', (event) => {
    if (event.ctrlKey || event.metaKey) { event.preventDefault(); zoom(event.deltaY > 0 ? 1.25 : 0.8, time_at(event.clientX - zone.getBoundingClientRect().left)) }
    else if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) { event.preventDefault(); move(event.deltaX / inside()) }
  }, { passive: false })
  zone.addEventListener('keydown', (event) => {
    const doing = { ArrowLeft: () => move(-0.2), ArrowRight: () => move(0.2), '+': () => zoom(0.6), '=': () => zoom(0.6), '-': () => zoom(1 / 0.6) }[event.key]
    if (doing) { event.preventDefault(); doing() }
  })
  zone.addEventListener('scroll', again)
  const box = h('div.chart', null, zone)
  tip(box, (px, py) => {
    const run = pointers.size ? null : find(px, py)
    return run && [run.workload_id, `${run.state}, ${run.workload_type}${run.tenant ? `, ${run.tenant}` : ''}${run.attempt > 1 ? `, attempt ${run.attempt}` : ''}`, `${run.worker_id} ${run.device_nos ? `#${run.device_nos.join(', ')}` : ''} ${run.model_name ?? ''}`,
      `${timeText(run.from)}, ${duration((run.to - run.from) / 1000)}`, run.error ?? ''].filter(Boolean).join('\n')
  })
  new ResizeObserver(again).observe(zone)
  requestAnimationFrame(() => { zone.scrollTop = shared.top })
  const buttons = h('div.tools', null, [['earlier', '←', () => move(-0.5)], ['later', '→', () => move(0.5)], ['closer', '+', () => zoom(0.5)], ['wider', '−', () => zoom(2)]].map(([name, sign, does]) =>
    h('button.small', { type: 'button', id: `go-${name}`, 'aria-label': name, title: name, onclick: does }, sign)))
  const names = new Map()
  for (const run of runs) names.set(key(run), (names.get(key(run)) ?? 0) + 1)
  return h('div', null, legend([...names].sort((a, b) => b[1] - a[1]).slice(0, 12).map(([name, n]) => [`${name} ${count(n)}`, colour(by, name)])), buttons, box)
}

export async function show(c) {
  const by = keys[c.parameters.by] ? c.parameters.by : 'type', p = c.parameters
  const [runs, facets] = await Promise.all([c.query('timeline', { pool: c.pool, worker: p.worker, type: p.type, ...c.period }), part(c.query('work_facets', { pool: c.pool }), (rows) => rows)])
  const types = Array.isArray(facets) ? [...new Set(facets.map((f) => f.workload_type))] : []
  const chosen = c.keep('chosen', () => h('div', { 'aria-live': 'polite' }))
  const worker = c.keep('worker', () => h('input', { id: 'worker', type: 'search', placeholder: 'all workers', value: p.worker ?? '', onchange: (event) => c.change({ worker: event.target.value.trim() || null }) }))
  const pick = (run) => chosen.replaceChildren(run ? card('This run', h('p', null, c.work(run.workload_id), ' on ', c.worker(run.worker_id), run.device_nos ? `, device ${run.device_nos.join(', ')}` : ''),
    h('p', null, state(run.state), `, ${run.workload_type}, attempt ${run.attempt ?? '–'}, `, time(new Date(run.from).toISOString()), `, ${duration((run.to - run.from) / 1000)} (predicted ${duration(run.predicted_seconds)})`), run.error ? h('pre', null, run.error) : '') : '')
  const recent = [...runs].slice(0, 200)
  return [
    h('div.head', null, h('h1', null, 'Timeline'), h('p.about', null, 'What ran where. Drag to move, Ctrl and the wheel to zoom, choose a run to see it.')),
    card(`${count(runs.length)} runs${runs.length >= most ? ', the latest of this period' : ''}`,
      h('div.tools', null, choose('Colour by', by, Object.entries(keys).map(([key, [name]]) => [key, name]), (value) => c.change({ by: value }), 'by'),
        choose('Type of work', p.type ?? '', [['', 'all'], ...types.map((t) => [t, t])], (value) => c.change({ type: value }), 'type'),
        h('label.field', null, h('span', null, 'Worker'), worker)),
      gantt(c, runs, { by, pick })),
    chosen,
    h('section.card', null, h('details', { id: 'runs' }, h('summary', null, 'The latest runs as a table'), table('The latest runs', [
      ['Workload', (r) => c.work(r.workload_id)], ['Worker', (r) => c.worker(r.worker_id)], ['Devices', (r) => (r.device_nos ?? []).join(', ') || '–'], ['State', (r) => state(r.state)], ['Type', (r) => r.workload_type],
      ['Began', (r) => time(r.started_at ?? r.assigned_at), 'tight'], ['Took', (r) => duration((r.to - r.from) / 1000), 'num'], ['Attempt', (r) => count(r.attempt), 'num']], recent))),
  ]
}
