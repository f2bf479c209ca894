// Policies: the settings in force, how they came about, and what others would do.

import { h, card, table, count, figure, percent, duration, time, fold, empty, part } from './dom.js'
import { query } from './api.js'

export const title = 'Policies'

const outcome = [['Mean wait', 'mean_wait', duration], ['Half wait at most', 'p50_wait', duration], ['Nine of ten wait at most', 'p90_wait', duration], ['Mean completion', 'mean_completion', duration], ['Nine of ten complete within', 'p90_completion', duration], ['Until all is done', 'makespan', duration],
  ['Energy', 'joules', (v) => (v === null ? '–' : `${figure(v / 3.6e6)} kWh`)], ['Cost', 'cost', figure], ['Never placed', 'starved', count], ['Moves', 'moves', count]]
const tries = { 'packing: fill what is in use': { policy: { packing: 1 } }, 'energy: least power': { policy: { energy: 1 } }, 'predicted time: soonest done': { policy: { predicted_time: 1 } }, 'fragmentation: keep whole devices free': { policy: { fragmentation: 1 } }, 'shortest first': { order: 'shortest' }, 'optimal solver': { solver: 'optimal' }, 'fair shares': { fair_share: { half_life: '1 hour' } } }

export async function show(c) {
  const [settings, history] = await Promise.all([c.query('settings', { pool: c.pool }), part(c.query('settings_history', { pool: c.pool }), (r) => r)])
  const trial = c.keep('trial', () => simulator(c)), changed = settings.filter((s) => s.changed)
  const columns = [['Setting', (s) => h('code', null, s.name), 'tight'], ['Value', (s) => h('code', null, JSON.stringify(s.value)), 'wide'], ['Default', (s) => h('code', null, JSON.stringify(s.default_value))], ['Meaning', (s) => s.description, 'wide']]
  return [h('div.head', null, h('h1', null, 'Policies')), trial.element,
    card('Settings that differ from their defaults', table('Changed settings', columns, changed, 'All settings have their defaults.'), fold('all-settings', `All ${settings.length} settings`, table('All settings', columns, settings))),
    card('Their history', Array.isArray(history) ? table('History of settings', [['Version', (v) => v.version, 'num'], ['When', (v) => time(v.changed_at), 'tight'], ['Who', (v) => v.changed_by], ['Why', (v) => v.reason ?? '–', 'wide'], ['What', (v) => Object.entries(v.changes ?? {}).map(([name, d]) => h('div', null, h('code', null, `${name}: ${JSON.stringify(d.old ?? d[0] ?? null)} → ${JSON.stringify(d.new ?? d[1] ?? null)}`))), 'wide'],
      ['', (v) => (v === history[0] ? 'in force' : c.action('Roll back to this', 'rollback_settings', { pool: c.pool, version: String(v.version) }, { question: `The settings become again what they were after version ${v.version}.`, danger: true, may: 'admin' }))]], history, 'They were never changed.') : history)]
}

function simulator(c) {
  const text = h('textarea', { id: 'settings', spellcheck: 'false', value: c.parameters.settings ?? '{"policy": {"packing": 1}}', oninput: () => c.change({ settings: text.value }, true) })
  const arrivals = h('select', { id: 'arrivals', onchange: () => c.change({ arrivals: arrivals.value }, true) }, [['queue', 'what waits and runs now'], ['history', 'all that was submitted']].map(([key, name]) => h('option', { value: key, selected: key === (c.parameters.arrivals ?? 'queue') }, name)))
  const result = h('div', { 'aria-live': 'polite' }), again = h('div.tools')
  const go = h('button.main', { type: 'button', id: 'simulate', onclick: async () => {
    try { JSON.parse(text.value) } catch (error) { result.replaceChildren(h('p.problem', null, `This is no JSON: ${error.message}`)); return }
    go.disabled = true
    result.replaceChildren(empty('Simulating both; a large pool takes a minute.'))
    try {
      const rows = await query('simulate', { pool: c.pool, settings: text.value, arrivals: arrivals.value }), now = rows.find((r) => r.which === 'now'), then = rows.find((r) => r.which === 'then')
      const classes = [...new Set([...Object.keys(now.utilisation ?? {}), ...Object.keys(then.utilisation ?? {})])]
      const list = [...outcome.map(([name, key, format]) => [name, now[key], then[key], format]), ...classes.map((k) => [`Use of ${k}`, now.utilisation?.[k], then.utilisation?.[k], percent, true])]
      result.replaceChildren(h('h3', null, 'Both outcomes'), table('Both outcomes', [['', (r) => r[0]], ['Settings in force', (r) => r[3](r[1]), 'num'], ['These settings', (r) => r[3](r[2]), 'num'], ['Difference', (r) => {
        if (r[1] === null || r[2] === null || r[1] === r[2]) return r[1] === r[2] && r[1] !== null ? 'none' : '–'
        const better = r[4] ? r[2] > r[1] : r[2] < r[1], share = r[1] ? (r[2] - r[1]) / Math.abs(r[1]) : null
        return h(`span.${better ? 'better' : 'worse'}`, null, `${better ? '▲ better' : '▼ worse'}${share === null ? '' : `, ${share > 0 ? '+' : '−'}${percent(Math.abs(share))}`}`)
      }, 'num']], list))
      again.replaceChildren(c.action('Apply these settings', 'apply_settings', { pool: c.pool, settings: text.value, reason: null }, { question: `The pool ${c.pool} decides by them at once; the history can roll them back.`, may: 'admin', small: false, choices: [{ name: 'reason', title: 'Why' }] }))
    } catch (error) { result.replaceChildren(h('p.problem', null, error.message, error.detail ? ` ${error.detail}` : '', error.hint ? ` ${error.hint}` : '')) }
    go.disabled = false
  } }, 'Simulate')
  const pick = h('select', { id: 'try', onchange: () => { if (tries[pick.value]) { text.value = JSON.stringify(tries[pick.value]); c.change({ settings: text.value }, true) } } }, h('option', { value: '' }, 'write your own'), Object.keys(tries).map((name) => h('option', { value: name }, name)))
  return { element: card('What would happen under other settings', h('p.empty', null, 'The same work is simulated twice, with the decisions that the pool would make; nothing is written.'), h('br'),
    h('div.tools', null, h('label.field', null, h('span', null, 'Try'), pick), h('label.field', null, h('span', null, 'With the work'), arrivals)),
    h('label.field', { style: { width: '100%' } }, h('span', null, 'Settings to try, over those in force'), text), h('div.tools', null, h('span', null, ''), go), result, again) }
}
