// The queue: how many wait and for how long, why, and who is next.

import { h, card, choose, table, count, duration, time, state, empty, part } from './dom.js'
import { lines, colour } from './charts.js'
import { summaryFigures, trouble } from './fleet.js'

export const title = 'Queue'

export async function show(c) {
  const by = c.parameters.by === 'tenant' ? 'tenant' : 'priority', order = c.parameters.order === 'wait' ? 'wait' : 'next'
  const [[summary], depth, reasons, next, reserved] = await Promise.all([
    c.query('summary', { pool: c.pool, ...c.period }), part(c.query('queue_depth', { pool: c.pool, by, ...c.period }), (rows) => rows), part(c.query('queue_reasons', { pool: c.pool }), (rows) => table('Why work waits', [
      ['Reason', (r) => r.reason, 'wide'], ['Workloads', (r) => count(r.workloads), 'num'], ['First place', (r) => count(r.first_position), 'num'],
      ['What helps', (r) => (r.ready ? 'room' : 'time, or other work')]], rows, 'Nothing waits.')),
    part(c.query('queue_next', { pool: c.pool, order }), (rows) => table(order === 'wait' ? 'Who waits longest' : 'Who is next', [
      ['Place', (r) => count(r.position), 'num'], ['Workload', (r) => c.work(r.workload_id)], ['Type', (r) => r.workload_type], ['Priority', (r) => (r.aged_priority !== r.priority ? `${r.priority}, aged to ${r.aged_priority}` : r.priority), 'num'],
      ['Tenant', (r) => r.tenant || '–'], ['Waits for', (r) => duration(r.wait_seconds), 'num'], ['Because', (r) => r.reason, 'wide'],
      ['Deadline', (r) => (r.deadline ? [time(r.deadline), r.deadline_missed ? ' missed' : ''] : '–'), 'tight']], rows, 'Nothing waits.')),
    part(c.query('reservations', { pool: c.pool }), (rows) => rows)])
  const names = Array.isArray(depth) ? [...new Set(depth.map((r) => r.key))] : []
  const name = (key) => (by === 'priority' ? `priority ${key || 'unknown'}` : key || 'no tenant')
  const series = (value) => names.map((key) => ({ name: name(key), colour: colour(by, key), points: depth.filter((r) => r.key === key).map((r) => [+new Date(r.time), r[value]]) }))
  const range = { since: +c.since, until: +c.until }
  return [
    h('div.head', null, h('h1', null, 'Queue'), h('div.actions', null, summary?.pending ? c.action('Cancel all that waits', 'cancel_many', { pool: c.pool, filter: '{"state": "pending"}' }, { question: `${count(summary.pending)} workloads are cancelled; this cannot be undone.`, danger: true }) : null)),
    ...trouble(summary), summaryFigures(summary),
    h('div.tools', null, choose('Lines by', by, [['priority', 'priority'], ['tenant', 'tenant']], (value) => c.change({ by: value }), 'by')),
    ...(Array.isArray(depth) ? [h('div.columns', null, card('How many waited', lines('How many waited', series('depth'), { ...range, format: count, stacked: true })),
      card('How long nine of ten waited at most', lines('How long nine of ten waited at most', series('p90'), { ...range, format: duration })))] : [depth]),
    card('Why work waits', reasons),
    card(order === 'wait' ? 'Who waits longest' : 'Who is next', h('div.tools', null, choose('Order', order, [['next', 'as the queue'], ['wait', 'longest wait first']], (value) => c.change({ order: value }), 'order')), next),
    Array.isArray(reserved) && reserved.length ? card('Places reserved for large work', table('Places reserved', [['For', (r) => c.work(r.workload_id)], ['Worker', (r) => c.worker(r.worker_id)], ['Devices', (r) => (r.device_nos ?? []).join(', ')], ['From', (r) => time(r.starts_at)], ['Filled up until', (r) => time(r.backfill_until)]], reserved)) : empty('No place is reserved for large work.'),
  ]
}
