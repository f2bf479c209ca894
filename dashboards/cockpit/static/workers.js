// Workers: find one, and its life: load, temperature and its phases, what it ran, what was learned.

import { h, card, choose, table, count, figure, percent, duration, time, state, bar, bytes, celsius, watts, pairs, json, fold, figures, empty, part } from './dom.js'
import { lines, colour } from './charts.js'
import { gantt } from './timeline.js'

export const title = 'Workers'
export const show = (c) => (c.parameters.id ? one(c, c.parameters.id) : list(c))

async function list(c) {
  const p = c.parameters, rows = await c.query('workers', { pool: c.pool, q: p.q, health: p.health, after: p.after })
  let wait = null
  const search = c.keep('search', () => h('input', { id: 'q', type: 'search', placeholder: 'name, host or label', value: p.q ?? '', oninput: (event) => { clearTimeout(wait); wait = setTimeout(() => { c.change({ q: event.target.value.trim() || null, after: null }, true); c.refresh() }, 300) } }))
  return [h('div.head', null, h('h1', null, 'Workers')),
    card('Workers', h('div.tools', null, h('label.field', null, h('span', null, 'Search'), search), choose('Health', p.health ?? '', [['', 'all'], ...['healthy', 'offline', 'quarantined', 'probation', 'draining'].map((v) => [v, v])], (value) => c.change({ health: value || null, after: null }), 'health')),
      table('Workers', [['Worker', (r) => c.worker(r.worker_id)], ['Health', (r) => [state(r.health), r.state === 'draining' ? [' ', state('draining')] : '']], ['Host', (r) => r.hostname ?? '–'], ['Load', (r) => bar(r.load_ratio)],
        ['Accelerators', (r) => (r.accelerators ? `${count(r.reserved_accelerators)} of ${count(r.accelerators)}` : '–'), 'num'], ['Cores held', (r) => percent(r.reserved_cores_ratio), 'num'], ['Memory held', (r) => percent(r.reserved_memory_ratio), 'num'], ['Runs', (r) => count(r.running), 'num'], ['Placed', (r) => count(r.assigned), 'num'],
        ['Phase', (r) => state(r.phase)], ['Silent for', (r) => duration(r.silent_seconds), 'num']], rows, 'No such worker.'),
      rows.length === 100 ? h('p.more', null, h('button.small', { type: 'button', id: 'more', onclick: () => c.change({ after: rows.at(-1).worker_id }) }, 'More')) : null,
      p.after ? h('p.more', null, h('button.small', { type: 'button', onclick: () => c.change({ after: null }) }, 'From the first')) : null)]
}

async function one(c, id) {
  const q = { pool: c.pool, worker: id }
  const [[w], devices, history, runs, learned, failures] = await Promise.all([c.query('worker_one', q), c.query('worker_devices', q), part(c.query('worker_history', { ...q, ...c.period }), (r) => r), part(c.query('timeline', { ...q, ...c.period }), (r) => r),
    part(c.query('worker_learned', q), (r) => r), part(c.query('worker_failures', { ...q, ...c.period }), (r) => r)])
  const back = h('p', null, h('a', { href: c.linkTo('workers', { q: c.parameters.q }) }, '← All workers'))
  if (!w) return [back, h('h1', null, id), empty('There is no such worker in this pool.')]
  const range = { since: +c.since, until: +c.until }, known = Array.isArray(history) ? history : []
  const nos = [...new Set(known.map((r) => r.device_no))].slice(0, 10), nameOf = (no) => (no === null ? 'worker' : `#${no} ${devices.find((d) => d.device_no === no)?.model_name ?? ''}`)
  const of = (value) => nos.map((no) => ({ name: nameOf(no), colour: colour('device', no === null ? 'worker' : `${no}`.padStart(2, '#')), points: known.filter((r) => r.device_no === no).map((r) => [+new Date(r.time), r[value]]) })).filter((s) => s.points.some((p) => p[1] !== null))
  const width = (range.until - range.since) / 240
  const bands = known.filter((r) => r.phase).map((r) => ({ from: +new Date(r.time), to: +new Date(r.time) + width, colour: r.phase === 'warming' ? '--c2' : '--c7', title: r.phase }))
  const hot = of('temperature_celsius').length ? 'temperature_celsius' : 'temperature_ratio'
  return [back,
    h('div.head', null, h('h1', null, id), state(w.health), w.state === 'draining' ? state('draining') : null, h('div.actions', null, w.state === 'draining' || w.drain_at ? c.action('Resume', 'resume_worker', q, { question: 'It takes new work again.' }) : c.action('Drain', 'drain_worker', q, { question: 'It finishes what it has, and gets no new work until it is resumed.', danger: true }))),
    figures([['Load', percent(w.load_ratio), w.reported_at ? ['reported ', time(w.reported_at)] : 'never reported'], ['Accelerators held', w.accelerators ? percent(w.reserved_accelerators / w.accelerators) : '–', `of ${count(w.accelerators)}`], ['Cores held', percent(w.reserved_cores_ratio), `of ${count(w.cores)}`], ['Memory held', percent(w.reserved_memory_ratio), `of ${bytes(w.memory_bytes)}`],
      ['Runs', count(w.running), `${count(w.assigned)} placed; ${count(w.total_assignments)} ever`], ['Last sign of life', duration(w.silent_seconds), 'ago', w.health === 'offline' ? 'warn' : '']]),
    card('Devices', table('Devices', [['Device', (d) => `#${d.device_no}${d.device_id ? ` ${d.device_id}` : ''}`], ['Model', (d) => `${d.hardware_class} ${d.model_name ?? ''}`], ['Held', (d) => (d.share_ratio ? bar(d.share_ratio) : d.slots ? `${count(d.slots)} slots` : 'nothing')], ['Load', (d) => percent(d.load_ratio), 'num'],
      ['Temperature', (d) => (d.temperature_celsius !== null ? celsius(d.temperature_celsius) : d.reported_at ? figure(d.temperature_ratio) : '–'), 'num'], ['Phase', (d) => state(d.phase)], ['Power', (d) => watts(d.power_watts), 'num'], ['Health', (d) => [state(d.health), d.state === 'draining' ? [' ', state('draining')] : '']], ['Failures in a row', (d) => count(d.failures_in_row), 'num'],
      ['', (d) => (d.state === 'draining' ? c.action('Resume', 'resume_device', { ...q, device: String(d.device_no) }, { question: 'It takes new work again.' }) : c.action('Drain', 'drain_device', { ...q, device: String(d.device_no) }, { question: 'It finishes what it has, and gets no new work until it is resumed.', danger: true }))]], devices)),
    Array.isArray(history) ? h('div.columns', null, card('Load', lines('Load', of('load_ratio'), { ...range, format: percent, high: 1 })), card('Temperature', lines('Temperature, with warming and cooling', of(hot), { ...range, format: hot === 'temperature_ratio' ? figure : celsius, bands })),
      of('power_watts').length ? card('Power', lines('Power', of('power_watts'), { ...range, format: watts })) : null) : history,
    card('What it ran', Array.isArray(runs) ? gantt(c, runs, { by: 'type', tall: 320 }) : runs),
    h('div.columns', null, card('What was learned of it', Array.isArray(learned) ? table('What was learned', [['Type of work', (r) => r.workload_type], ['Done', (r) => count(r.successes), 'num'], ['Failed', (r) => count(r.failures), 'num'], ['Half took', (r) => duration(r.p50_seconds), 'num'], ['Nine of ten', (r) => duration(r.p90_seconds), 'num'], ['Preference', (r) => figure(r.preference), 'num']], learned, 'Nothing yet.') : learned),
      card('Failures in this period', Array.isArray(failures) ? table('Failures', [['When', (r) => time(r.time), 'tight'], ['Workload', (r) => c.work(r.workload_id)], ['Attempt', (r) => count(r.attempt), 'num'], ['Error', (r) => r.error ?? r.state, 'wide']], failures, 'None.') : failures)),
    card('As it registered', pairs([['Host', w.hostname ?? '–'], ['Registered', time(w.registered_at)], w.cost_per_hour !== null && ['Cost per hour', figure(w.cost_per_hour)], ['Failures in a row', count(w.failures_in_row)], w.drain_at && ['Maintenance', [time(w.drain_at), ' until ', time(w.drain_until)]], Object.keys(w.labels ?? {}).length && ['Labels', JSON.stringify(w.labels)], w.taints && ['Taints', JSON.stringify(w.taints)]]), fold('capabilities', 'All that it said', json(w.capabilities)))]
}
