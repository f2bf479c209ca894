// Work: find it, and one workload's whole life.

import { h, card, choose, table, count, figure, percent, duration, time, state, bar, pairs, json, fold, empty, part } from './dom.js'
import { gantt } from './timeline.js'

export const title = 'Work'

const states = ['pending', 'assigned', 'running', 'completed', 'dead', 'cancelled']
export const show = (c) => (c.parameters.id ? one(c, c.parameters.id) : list(c))

async function list(c) {
  const p = c.parameters
  const [rows, facets] = await Promise.all([c.query('work', { pool: c.pool, q: p.q, state: p.state, type: p.type, tenant: p.tenant, priority: p.priority, before: p.before }), part(c.query('work_facets', { pool: c.pool }), (r) => r)])
  const of = (key) => (Array.isArray(facets) ? [...new Set(facets.map((f) => f[key]))].filter(Boolean) : [])
  let wait = null
  const search = c.keep('search', () => h('input', { id: 'q', type: 'search', placeholder: 'name or model', value: p.q ?? '', oninput: (event) => { clearTimeout(wait); wait = setTimeout(() => { c.change({ q: event.target.value.trim() || null, before: null }, true); c.refresh() }, 300) } }))
  const pick = (name, label, choices) => choose(label, p[name] ?? '', [['', 'all'], ...choices.map((v) => [v, v])], (value) => c.change({ [name]: value || null, before: null }), name)
  return [
    h('div.head', null, h('h1', null, 'Work'), h('div.actions', null,
      p.state === 'dead' ? c.action('Retry all dead work', 'retry_many', { pool: c.pool, filter: JSON.stringify({ state: 'dead', ...(p.type ? { workload_type: p.type } : {}), ...(p.tenant ? { tenant: p.tenant } : {}) }) }, { question: 'All dead workloads of this pool that meet the filters for type and tenant go back into the queue.', danger: true }) : null)),
    card('Workloads, the latest first',
      h('div.tools', null, h('label.field', null, h('span', null, 'Search'), search), pick('state', 'State', states), pick('type', 'Type', of('workload_type')), of('tenant').length ? pick('tenant', 'Tenant', of('tenant')) : null, pick('priority', 'Priority', ['1', '2', '3', '4', '5'])),
      table('Workloads', [
        ['Workload', (r) => c.work(r.workload_id)], ['State', (r) => state(r.state)], ['Type', (r) => [r.workload_type, r.model_id ? h('span.empty', null, ` ${r.model_id}`) : '']], ['Priority', (r) => r.priority, 'num'], ['Tenant', (r) => r.tenant || '–'],
        ['Submitted', (r) => time(r.submitted_at), 'tight'], ['Took', (r) => duration(r.seconds), 'num'], ['Worker', (r) => (r.worker_id ? c.worker(r.worker_id) : '–')], ['Attempt', (r) => count(r.attempt), 'num'], ['Error', (r) => r.error ?? '', 'wide']], rows, 'No such work.'),
      rows.length === 100 ? h('p.more', null, h('button.small', { type: 'button', id: 'older', onclick: () => c.change({ before: rows.at(-1).queue_no }) }, 'Older')) : null,
      p.before ? h('p.more', null, h('button.small', { type: 'button', onclick: () => c.change({ before: null }) }, 'The latest')) : null),
  ]
}

function factors(r) {
  const list = Object.entries(r.factors ?? {}).filter(([, f]) => f && typeof f === 'object')
  if (!list.length) return '–'
  return h('div.factors', null, list.map(([name, f]) => [h('span', null, `${name}${f.weight !== undefined && f.weight !== 1 ? ` × ${figure(f.weight)}` : ''}`), bar(f.score), h('span.empty', null, f.why ?? '')]))
}

async function one(c, id) {
  const q = { pool: c.pool, workload: id }
  const [[w], attempts, decision, waits] = await Promise.all([c.query('work_one', q), c.query('work_attempts', q), part(c.query('work_decision', q), (r) => r), part(c.query('work_waits', q), (r) => r)])
  const back = h('p', null, h('a', { href: c.linkTo('work', { q: c.parameters.q, state: c.parameters.state }) }, '← All work'))
  if (!w) return [back, h('h1', null, id), empty('There is no such workload in this pool.')]
  const pending = w.state === 'pending'
  const [suggestions, candidates] = pending ? await Promise.all([part(c.query('work_suggestions', q), (r) => r), part(c.query('work_candidates', q), (r) => r)]) : [[], []]
  const open = ['pending', 'assigned', 'running'].includes(w.state)
  const runs = attempts.filter((a) => a.started_at || a.assigned_at).map((a) => ({ ...a, workload_id: `${w.run > 1 ? `run ${a.run}, ` : ''}attempt ${a.attempt}`, workload_type: w.workload_type, tenant: w.tenant }))
  const begin = Math.min(+new Date(w.submitted_at), ...runs.map((r) => +new Date(r.assigned_at))), end = Math.max(begin + 1000, ...runs.map((r) => (r.finished_at ? +new Date(r.finished_at) : Date.now())), pending ? Date.now() : 0)
  const decided = Array.isArray(decision) ? decision : []
  const chosen = decided.filter((d) => d.verdict === 'placed'), scored = decided.filter((d) => d.verdict === 'fits'), against = decided.filter((d) => d.reasons?.length)
  return [
    back,
    h('div.head', null, h('h1', null, id), state(w.state), h('div.actions', null,
      open ? c.action('Change priority', 'priority', { pool: c.pool, workload: id, priority: String(w.priority), reason: null }, { question: 'It keeps its place among its equals. Work that is placed and not started goes back to the queue.', choices: [{ name: 'priority', title: 'Priority, 1 is highest', options: ['1', '2', '3', '4', '5'] }, { name: 'reason', title: 'Why' }] }) : null,
      w.state === 'dead' ? c.action('Retry', 'retry', q, { question: 'It goes back into its place in the queue, with as many attempts as at first.' }) : null,
      open ? c.action('Cancel', 'cancel', q, { question: `${w.state === 'running' ? 'It runs; its worker is told to stop. ' : ''}This cannot be undone.`, danger: true }) : null)),
    card('Where it stands', pairs([
      ['State', state(w.state)], ['Type', w.workload_type], w.model_id && ['Model', w.model_id], ['Priority', w.priority], w.tenant && ['Tenant', w.tenant], ['Submitted', time(w.submitted_at)], w.closed_at && ['Ended', time(w.closed_at)],
      ['Attempts', `${attempts.filter((a) => a.run === w.run).length} of ${1 + w.retries}`], ['Expected', duration(w.expected_seconds)], ['Timeout', duration(w.timeout_seconds)], w.deadline && ['Deadline', [time(w.deadline), w.deadline_missed ? ' missed' : '']],
      w.run_at && ['Not before', time(w.run_at)], w.expires_at && ['Expires', time(w.expires_at)], w.outcome_reason && ['Outcome', w.outcome_reason], w.altered_at && ['Changed', [time(w.altered_at), w.altered_reason ? `: ${w.altered_reason}` : '']],
      w.depends_on.length && ['After', w.depends_on.map((d, i) => [i ? ', ' : '', c.work(d.workload_id), ` (${d.state ?? 'unknown'})`])], w.dependents.length && ['Before', w.dependents.slice(0, 20).map((d, i) => [i ? ', ' : '', c.work(d)])]]),
    Array.isArray(waits) && waits.length ? h('p', null, h('br'), h('strong', null, `Waits for ${duration(waits[0].wait_seconds)}, at place ${waits[0].position}: `), waits[0].reason) : null),
    ...attempts.filter((a) => a.progress_ratio !== null).map((a) => card('Progress', bar(a.progress_ratio), ' said ', time(a.reported_at), a.note ? json(a.note) : '')),
    suggestions.length || !Array.isArray(suggestions) ? card('What would place it now', Array.isArray(suggestions) ? table('What would place it', [
      ['Change', (s) => h('code', null, JSON.stringify(s.change)), 'wide'], ['Effect', (s) => s.effect, 'wide'], ['Cost', (s) => (Object.keys(s.change)[0] === 'wait_for' ? duration(s.cost) : s.cost ? `${figure(s.cost)} an hour` : '–'), 'num'],
      ['', (s) => (Object.keys(s.change)[0] === 'wait_for' ? '' : c.action('Apply', 'apply_suggestion', { ...q, change: JSON.stringify(s.change) }, { question: s.effect, may: s.change.settings ? 'admin' : 'coordinator' }))]], suggestions) : suggestions) : null,
    card('The decision',
      !Array.isArray(decision) ? decision : chosen.length || scored.length ? table('Places and their scores', [
        ['Place', (d) => [d.worker_id ? c.worker(d.worker_id) : '–', d.device_nos ? ` #${d.device_nos.join(', ')}` : '']], ['Verdict', (d) => state(d.verdict === 'fits' && chosen.length ? 'second best' : d.verdict)], ['Rank', (d) => count(d.rank), 'num'], ['Score', (d) => figure(d.score), 'num'], ['Factors', factors, 'wide']], [...chosen, ...scored])
        : h('p.empty', null, pending ? 'No place can take it now.' : 'The decision is not kept: see the setting decision_detail.'),
      against.length ? fold('against', `What is against ${count(against.length)} other place${against.length > 1 ? 's' : ''}`, table('What is against', [['Place', (d) => (d.worker_id ? [c.worker(d.worker_id), d.device_nos ? ` #${d.device_nos.join(', ')}` : ''] : 'anywhere')], ['Verdict', (d) => state(d.verdict)], ['Reasons', (d) => h('ul.reasons', null, d.reasons.map((r) => h('li', null, r.text))), 'wide']], against)) : null,
      Array.isArray(candidates) && candidates.length ? fold('candidates', 'How the places compare', table('How the places compare', [['Place', (d) => [c.worker(d.worker_id), ` #${d.device_no}`]], ['Rank', (d) => d.rank, 'num'], ['Score', (d) => figure(d.score), 'num'], ['Efficiency', (d) => figure(d.efficiency_ratio), 'num'], ['Load', (d) => percent(d.load_ratio), 'num'], ['Heat', (d) => figure(d.temperature_ratio), 'num'],
        ['Preference', (d) => figure(d.preference), 'num'], ['Predicted', (d) => duration(d.predicted_seconds), 'num'], ['Energy', (d) => (d.joules === null ? '–' : `${figure(d.joules / 3.6e6)} kWh`), 'num'], ['Cost', (d) => figure(d.cost), 'num'], ['But', (d) => d.reason ?? '', 'wide']], candidates)) : null),
    card('Attempts', runs.length ? gantt({ ...c, since: begin - (end - begin) * 0.02, until: end + (end - begin) * 0.02, change: () => {}, refresh: () => {} }, runs, { by: 'state', tall: 240 }) : null,
      table('Attempts', [['Attempt', (a) => `${a.run > 1 ? `run ${a.run}, ` : ''}${a.attempt}${a.shard_no ? `, shard ${a.shard_no}` : ''}`], ['State', (a) => state(a.state)], ['Where', (a) => [c.worker(a.worker_id), ` #${(a.device_nos ?? []).join(', ')} ${a.model_name ?? ''}`]], ['Placed', (a) => time(a.assigned_at), 'tight'], ['Started', (a) => time(a.started_at), 'tight'],
        ['Took', (a) => duration(a.seconds), 'num'], ['Predicted', (a) => duration(a.predicted_seconds), 'num'], ['Efficiency', (a) => figure(a.efficiency), 'num'], ['Error', (a) => a.error ?? '', 'wide'], ['Result', (a) => (a.result === null ? '–' : fold(`result-${a.assignment_id}`, 'result', json(a.result)))]], attempts, 'It has not been placed yet.')),
    card('Requirements', json(w.requirements)),
  ]
}
