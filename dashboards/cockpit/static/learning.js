// Learning: whether predictions get better, which hardware suits which work, energy.

import { h, card, table, count, figure, percent, duration, time, watts, figures, empty, part } from './dom.js'
import { lines, ramp, dark } from './charts.js'

export const title = 'Learning'

export async function show(c) {
  const q = { pool: c.pool }, rows = (r) => r
  const [accuracy, suited, preferences, power, changes, models] = await Promise.all([part(c.query('accuracy', { ...q, ...c.period }), rows), part(c.query('efficiency', q), rows), part(c.query('preferences', q), rows), part(c.query('power', { ...q, ...c.period }), rows),
    part(c.query('changes', { ...q, since: c.period.since }), (r) => table('Changes', [['Since', (x) => time(x.time), 'tight'], ['Worker', (x) => (x.worker_id ? c.worker(x.worker_id) : '–')], ['Model', (x) => x.model_name ?? '–'], ['Type', (x) => x.workload_type ?? '–'], ['Before', (x) => duration(x.before_seconds), 'num'], ['After', (x) => duration(x.after_seconds), 'num']], r, 'Nothing has become slower or faster in this period.')),
    part(c.query('models', q), rows)])
  const range = { since: +c.since, until: +c.until }, list = Array.isArray(accuracy) ? accuracy : []
  const line = (value) => list.map((r) => [+new Date(r.time), r[value]])
  const all = (value) => { const of = list.filter((r) => r[value] !== null), runs = of.reduce((s, r) => s + r.runs, 0); return runs ? of.reduce((s, r) => s + r.runs * r[value], 0) / runs : null }
  const energy = Array.isArray(power) ? power.reduce((s, r) => s + (r.power_watts ?? 0), 0) / 1000 : null
  const types = Array.isArray(suited) ? [...new Set(suited.map((r) => r.workload_type))] : [], classes = Array.isArray(suited) ? [...new Set(suited.map((r) => r.hardware_class))] : [], best = (type) => Math.max(...suited.filter((x) => x.workload_type === type).map((x) => x.adjusted_efficiency_ratio), 1e-9)
  return [h('div.head', null, h('h1', null, 'Learning')),
    figures([['Predictions off by, as learned', percent(all('median_error_ratio')), 'half of them by no more'], ['By the formula alone', percent(all('formula_median_error_ratio')), 'the same runs'], ['Runs learned from', count(list.reduce((s, r) => s + r.runs, 0)), 'in this period'], ['Energy', energy ? `${figure(energy)} kWh` : '–', 'as workers reported their power']]),
    h('div.columns', null, card('How far predictions are off', list.length ? lines('Median error of predictions', [{ name: 'as learned', colour: '--c1', points: line('median_error_ratio') }, { name: 'by the formula alone', colour: '--c9', dashed: true, points: line('formula_median_error_ratio') }], { ...range, format: percent }) : Array.isArray(accuracy) ? empty('No run has ended in this period that was predicted.') : accuracy),
      card('Power of all workers', Array.isArray(power) ? lines('Power', [{ name: '', colour: '--c3', points: power.map((r) => [+new Date(r.time), r.power_watts]) }], { ...range, format: watts }) : power)),
    card('Which hardware suits which work', h('p.empty', null, 'How efficient it was when it was chosen, by load and heat then; the darker, the nearer to the best for that work.'), h('br'), Array.isArray(suited) ? suited.length ? h('div.scroll.matrix', { tabindex: 0, role: 'region', 'aria-label': 'Efficiency by type of work and class of hardware' }, h('table', null, h('thead', null, h('tr', null, h('th', { scope: 'col' }, 'Type of work'), classes.map((k) => h('th', { scope: 'col' }, k)))),
      h('tbody', null, types.map((t) => h('tr', null, h('th', { scope: 'row' }, t), classes.map((k) => {
        const r = suited.find((x) => x.workload_type === t && x.hardware_class === k)
        if (!r) return h('td', null, '–')
        const share = r.adjusted_efficiency_ratio / best(t), pale = (share * 0.9 < 0.55) !== dark()
        return h('td', { title: `${count(r.assignments)} placements`, style: { background: ramp('use', share * 0.9), color: pale ? '#10202e' : '#ffffff' } }, figure(r.adjusted_efficiency_ratio), h('br'), `${count(r.assignments)} runs`)
      })))))) : empty('Nothing has been placed yet.') : suited),
    card('What changed', changes),
    h('div.columns', null, card('Preferences', Array.isArray(preferences) ? table('Preferences', [['Worker', (r) => c.worker(r.worker_id)], ['Type', (r) => r.workload_type], ['Preference', (r) => [figure(r.preference), r.preference > 0.5 ? ' ▲' : r.preference < 0.5 ? ' ▼' : ''], 'num'], ['Done', (r) => count(r.successes), 'num'], ['Failed', (r) => count(r.failures), 'num'], ['Half took', (r) => duration(r.p50_seconds), 'num']], preferences, 'Nothing has been learned yet.') : preferences),
      card('Durations, against the formula', Array.isArray(models) ? table('Learned durations', [['Of', (r) => [r.kind, ' ', r.model ?? r.model_name ?? r.worker_id ?? '', r.workload_type ? ` ${r.workload_type}` : '']], ['Runs', (r) => count(r.runs), 'num'], ['Takes', (r) => `× ${figure(r.factor_ratio)}`, 'num'], ['Updated', (r) => time(r.updated_at), 'tight']], models, 'Nothing has been learned yet.') : models))]
}
