// The fleet: a heat map of all devices, and what is hot or broken.

import { h, card, choose, figures, table, count, percent, duration, celsius, watts, state, figure, empty, part } from './dom.js'
import { canvas, ramp, legend, css, tip } from './charts.js'

export const title = 'Fleet'

const measures = {
  use: ['Use', 'what placements hold of each device', (v) => v, percent],
  temperature: ['Temperature', '0 is idle, 1 throttles', (v) => v, figure],
  phase: ['Phase', 'warming up or cooling down', null, (v) => ['normal', 'warming', 'cooling'][Math.round(v)]],
  health: ['Health', 'whether it can be relied on', null, (v) => ['healthy', 'draining', 'on probation', 'quarantined', 'offline'][Math.round(v)]],
  power: ['Power', 'as last reported', null, watts],
}
const words = {
  phase: [['normal', '--c3'], ['warming', '--c2'], ['cooling', '--c7']],
  health: [['healthy', '--c3'], ['draining', '--c6'], ['on probation', '--c4'], ['quarantined', '--c2'], ['offline', '--bad']],
}

export function summaryFigures(s) {
  if (!s) return empty('There is no such pool.')
  const broken = s.offline_workers + s.quarantined_workers
  return figures([
    ['Workers at work', count(s.active_workers), `of ${count(s.workers)}${broken ? `; ${count(s.offline_workers)} offline, ${count(s.quarantined_workers)} quarantined` : ''}${s.draining_workers ? `; ${count(s.draining_workers)} draining` : ''}`, broken ? 'warn' : ''],
    ['Accelerators in use', percent(s.accelerators ? s.reserved_accelerators / s.accelerators : null), `${count(s.reserved_accelerators)} of ${count(s.accelerators)}`],
    ['Waiting', count(s.pending), s.pending ? `the longest for ${duration(s.oldest_seconds)}` : 'nothing waits'],
    ['Running', count(s.running), `${count(s.assigned)} placed, not started`],
    ['Completed', count(s.completed_in_period), `${count(s.failed_in_period)} failed in this period`],
    ['Half waited at most', duration(s.p50_wait), s.p90_wait === null ? '' : `nine of ten: ${duration(s.p90_wait)}`],
  ])
}

export function trouble(s) {
  const list = []
  if (s?.is_paused) list.push(h('p.notice', null, `This pool is paused${s.paused_by ? ` by ${s.paused_by}` : ''}: nothing is placed or started.`))
  if (s?.last_error && Date.now() - new Date(s.last_error_at) < 864e5) list.push(h('p.notice', null, `The last error of the scheduler's own: ${s.last_error}`))
  return list
}

export async function show(c) {
  const measure = measures[c.parameters.measure] ? c.parameters.measure : 'use', group = c.parameters.group ?? 'class', kind = c.parameters.class ?? 'accelerators'
  const [[summary], cells, labels, top] = await Promise.all([
    c.query('summary', { pool: c.pool, ...c.period }), c.query('fleet', { pool: c.pool, measure, group, class: kind === 'all' ? null : kind }),
    c.query('fleet_labels', { pool: c.pool }), part(c.query('fleet_top', { pool: c.pool }), (rows) => rows)])
  const pause = summary?.is_paused ? c.action('Resume the pool', 'resume', { pool: c.pool }, { question: 'Work is placed and started again.' })
    : c.action('Pause the pool', 'pause', { pool: c.pool }, { question: 'Nothing is placed or started until it is resumed; what runs goes on.', danger: true })
  return [
    h('div.head', null, h('h1', null, 'Fleet'), h('div.actions', null, pause)), ...trouble(summary), summaryFigures(summary),
    card('Devices',
      h('div.tools', null,
        choose('Colour by', measure, Object.entries(measures).map(([key, [name]]) => [key, name]), (value) => c.change({ measure: value }), 'measure'),
        choose('Group by', group, [['class', 'class'], ['model', 'model'], ['none', 'nothing'], ...labels.map(({ key }) => [`label:${key}`, `label ${key}`])], (value) => c.change({ group: value }), 'group'),
        choose('Show', kind, [['accelerators', 'accelerators'], ['cpu', 'CPUs'], ['all', 'all devices']], (value) => c.change({ class: value }), 'class')),
      map(c, cells, measure)),
    card('The hottest devices', Array.isArray(top) ? table('The hottest devices', [
      ['Device', (r) => [c.worker(r.worker_id), ` #${r.device_no}`]], ['Model', (r) => r.model_name ?? r.hardware_class],
      ['Temperature', (r) => figure(r.temperature_ratio), 'num'], ['Degrees', (r) => celsius(r.temperature_celsius), 'num'], ['Phase', (r) => state(r.phase)],
      ['Performance', (r) => percent(r.performance_level_ratio), 'num'], ['Load', (r) => percent(r.load_ratio), 'num'], ['Power', (r) => watts(r.power_watts), 'num']], top,
    'No device has reported how warm it is.') : top),
  ]
}

function map(c, cells, measure) {
  if (!cells.length) return empty('There are no such devices in this pool.')
  const [name, about, , format] = measures[measure], groups = []
  for (const cell of cells) {
    if (groups.at(-1)?.name !== cell.grp) groups.push({ name: cell.grp, cells: [], devices: 0 })
    groups.at(-1).cells.push(cell)
    groups.at(-1).devices += cell.devices
  }
  const most = measure === 'power' ? Math.max(1, ...cells.map((cell) => cell.value ?? 0)) : 1
  const fill = (cell) => (cell.value === null ? css('--raised') : words[measure] ? css(words[measure][Math.round(cell.highest)][1]) : ramp(measure, cell.value / most))
  let places = []
  const size = (width) => {
    const total = cells.length, best = Math.sqrt(width * (width < 600 ? 360 : 420) / total)
    return Math.max(5, Math.min(26, Math.floor(best)))
  }
  const layout = (width) => {
    const step = size(width), across = Math.max(1, Math.floor(width / step))
    let y = 0
    places = []
    for (const group of groups) {
      group.y = y
      y += 22
      group.cells.forEach((cell, i) => places.push({ cell, group, x: i % across * step, y: y + Math.floor(i / across) * step, step }))
      y += Math.ceil(group.cells.length / across) * step + 12
    }
    return y
  }
  const picture = canvas(layout, (paper, width) => {
    layout(width)
    paper.clearRect(0, 0, width, 1e6)
    for (const { cell, x, y, step } of places) {
      paper.fillStyle = fill(cell)
      paper.fillRect(x, y, step - (step > 8 ? 2 : 1), step - (step > 8 ? 2 : 1))
    }
    paper.fillStyle = css('--ink')
    paper.font = '600 13px system-ui, sans-serif'
    for (const group of groups) paper.fillText(`${group.name}  ${count(group.devices)}`, 0, group.y + 15, width)
  }, { role: 'img', 'aria-label': `${name} of ${count(cells.reduce((sum, cell) => sum + cell.devices, 0))} devices in ${groups.length} groups; the table below says it in figures` })
  const find = (px, py) => places.find(({ x, y, step }) => px >= x && px < x + step && py >= y && py < y + step)
  tip(picture.box, (x, y) => {
    const place = find(x, y)
    if (!place) return null
    const { cell } = place
    return `${cell.devices > 1 ? `${count(cell.devices)} devices, ${cell.worker_id} ...` : `${cell.worker_id} #${cell.device_no}`}\n${cell.model_name ?? ''}\n${name}: ${cell.value === null ? 'not reported' : format(cell.value)}${measure === 'temperature' && cell.detail !== null ? `, ${celsius(cell.detail)}` : ''}`
  })
  picture.element.addEventListener('click', (event) => {
    const place = find(event.offsetX, event.offsetY)
    if (place) location.hash = c.linkTo('workers', place.cell.devices > 1 ? { after: null, q: null } : { id: place.cell.worker_id })
  })
  const scale = words[measure] ? legend(words[measure])
    : h('span.ramp', null, measure === 'power' ? '0' : measure === 'use' ? 'idle' : '0, idle', canvas(10, (paper, width) => { for (let i = 0; i < width; i++) { paper.fillStyle = ramp(measure, i / width); paper.fillRect(i, 0, 1, 10) } }, { 'aria-hidden': true }).element.parentNode, measure === 'power' ? watts(most) : measure === 'use' ? 'full' : '1, throttles')
  if (scale.matches('.ramp')) scale.querySelector('.chart').style.setProperty('width', '160px')
  const means = groups.map((group) => {
    const values = group.cells.filter((cell) => cell.value !== null)
    return { ...group, known: values.reduce((sum, cell) => sum + cell.devices, 0), mean: values.length ? values.reduce((sum, cell) => sum + cell.value * cell.devices, 0) / values.reduce((sum, cell) => sum + cell.devices, 0) : null, most: values.length ? Math.max(...values.map((cell) => cell.highest)) : null }
  })
  return h('div', null, h('p', null, scale, cells.length < cells.reduce((sum, cell) => sum + cell.devices, 0) ? h('span.empty', null, '  Each cell stands for several devices.') : null), picture.box,
    h('details', { id: 'fleet-table' }, h('summary', null, 'The same in figures'),
      table(`${name}, ${about}`, [['Group', (g) => g.name], ['Devices', (g) => count(g.devices), 'num'], ['Known', (g) => count(g.known), 'num'],
        [words[measure] ? 'Worst' : 'Mean', (g) => (g.mean === null ? '–' : format(words[measure] ? g.most : g.mean)), 'num'], ['Highest', (g) => (g.most === null ? '–' : format(g.most)), 'num']], means)))
}
