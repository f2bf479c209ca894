// Pools, tenants and limits.

import { h, card, table, count, percent, time, figure, bytes, state, bar, part } from './dom.js'

export const title = 'Pools and tenants'

export async function show(c) {
  const of = (name, value, quota, format = count) => [name, (r) => `${format(r[value])}${quota && r[quota] !== null ? ` of ${format(r[quota])}` : ''}`, 'num']
  const [pools, tenants, limits] = await Promise.all([c.query('pools', {}),
    part(c.query('tenants', { pool: c.pool }), (rows) => table('Tenants', [['Tenant', (r) => (r.tenant ? h('a', { href: c.linkTo('work', { tenant: r.tenant }) }, r.tenant) : 'no tenant')], of('Weight', 'weight'), of('Workloads', 'workloads', 'workloads_quota'), of('Accelerators', 'accelerators', 'accelerators_quota'), of('Cores', 'cores', 'cores_quota'), of('Memory', 'memory_bytes', null, bytes),
      ['Share held', (r) => bar(r.dominant_share_ratio)], ['Share before', (r) => percent(r.past_share_ratio), 'num'], ['Use by weight', (r) => figure(r.usage), 'num']], rows, 'No work names a tenant.')),
    part(c.query('limits', { pool: c.pool }), (rows) => table('Limits', [['Key', (r) => r.key], ['In use', (r) => `${count(r.in_use)} of ${r.concurrent_limit === null ? 'any' : count(r.concurrent_limit)}`, 'num'], ['In the last minute', (r) => `${count(r.used_last_minute)}${r.per_minute_limit === null ? '' : ` of ${count(r.per_minute_limit)}`}`, 'num'], ['Waiting', (r) => count(r.waiting), 'num'], ['Held by', (r) => (r.held_by ? c.work(r.held_by) : '–')]], rows, 'No work names a concurrency key, and no limit is set.'))])
  const row = pools.find((p) => p.pool === c.pool)
  return [h('div.head', null, h('h1', null, 'Pools and tenants'), h('div.actions', null, row?.is_paused ? c.action('Resume the pool', 'resume', { pool: c.pool }, { question: 'Work is placed and started again.' }) : c.action('Pause the pool', 'pause', { pool: c.pool }, { question: 'Nothing is placed or started until it is resumed; what runs goes on.', danger: true }))),
    card('Pools', table('Pools', [['Pool', (p) => h('a', { href: c.linkTo('fleet', { pool: p.pool }), 'aria-current': p.pool === c.pool ? 'true' : null }, p.pool)], ['', (p) => (p.is_paused ? state('paused') : '')], ['Workers at work', (p) => `${count(p.active_workers)} of ${count(p.workers)}`, 'num'], ['Accelerators held', (p) => bar(p.accelerators ? p.reserved_accelerators / p.accelerators : 0)],
      ['Waiting', (p) => count(p.pending), 'num'], ['Placed', (p) => count(p.assigned), 'num'], ['Running', (p) => count(p.running), 'num'], ['Completed', (p) => count(p.completed), 'num'], ['Dead', (p) => count(p.dead), 'num'], ['Last assigned', (p) => time(p.last_assigned_at), 'tight'], ['Last maintained', (p) => time(p.last_maintained_at), 'tight'], ['Last error', (p) => p.last_error ?? '–', 'wide']], pools)),
    card(`Tenants of ${c.pool}`, tenants), card(`Limits of ${c.pool}`, limits)]
}
