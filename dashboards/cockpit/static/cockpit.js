// The frame: who looks, which page, pool and period; reads again when something has happened.
// All of that is in the address: #/page?pool=..&period=..&...

import { h, choose, timeText } from './dom.js'
import { who, identify, query, login, logout, sqlOf, act, Problem } from './api.js'
import * as fleet from './fleet.js'
import * as timeline from './timeline.js'
import * as queue from './queue.js'
import * as work from './work.js'
import * as workers from './workers.js'
import * as learning from './learning.js'
import * as policies from './policies.js'
import * as pools from './pools.js'

const pages = { fleet, timeline, queue, work, workers, learning, policies, pools }
const periods = { '1h': ['last hour', 36e5], '6h': ['last 6 hours', 216e5], '24h': ['last day', 864e5], '7d': ['last week', 6048e5], '30d': ['last 30 days', 2592e6] }
const main = document.getElementById('main'), bar = document.getElementById('bar'), nav = document.getElementById('nav'), said = document.getElementById('said')
let turn = 0, timer = null, cost = 0, kept = new Map(), keptFor = '', away = null, lastNews = null, stream = null, hold = 0

function address() {
  const [path, search] = location.hash.slice(1).split('?'), page = path.replace(/^\//, '')
  return { page: pages[page] ? page : 'fleet', parameters: Object.fromEntries(new URLSearchParams(search ?? '')) }
}

// Returns the address of a page with these parameters; pool and period stay.
export function linkTo(page, parameters) {
  const { parameters: now } = address()
  const all = { pool: now.pool, period: now.period, from: now.from, to: now.to, ...parameters }
  return `#/${page}?${new URLSearchParams(Object.entries(all).filter(([, value]) => value !== undefined && value !== null && value !== ''))}`
}

function change(parameters, quietly) {
  const { page, parameters: now } = address()
  const hash = linkTo(page, { ...now, ...parameters })
  if (hash === location.hash) return
  if (quietly) history.replaceState(null, '', hash)
  else location.hash = hash
}

function context(current = () => true) {
  const { page, parameters } = address(), until = parameters.to ? new Date(parameters.to) : new Date()
  const since = parameters.from ? new Date(parameters.from) : new Date(until - (periods[parameters.period] ?? periods['24h'])[1])
  const pool = parameters.pool ?? who.pools.find((p) => p !== 'default') ?? 'default'
  return {
    page, pool, parameters, since, until, who, change, linkTo,
    query: (name, more) => query(name, { ...more }),
    // an element that stays when the page is drawn again: what is typed into it, too; a drawing
    // that another has overtaken must not take it away from that one
    keep: (key, make) => { if (!current()) return make(); if (!kept.has(key)) kept.set(key, make()); return kept.get(key) },
    period: { since: since.toISOString(), until: until.toISOString() },
    work: (id) => h('a', { href: linkTo('work', { id }) }, id),
    worker: (id) => h('a', { href: linkTo('workers', { id }) }, id),
    action, refresh, hold: (by) => { hold += by },
  }
}

// A button for an action: asks first, shows its SQL, says what went wrong.
function action(title, name, parameters, { question, danger = false, may = 'coordinator', after, small = true, choices = null } = {}) {
  const allowed = who[may]
  return h(`button${small ? '.small' : ''}${danger ? '.danger' : ''}`, {
    type: 'button', disabled: !allowed, 'data-act': name, title: allowed ? null : `Log in as a member of hwsched_${may} for this.`,
    onclick: () => ask(title, name, parameters, { question, danger, after, choices }) }, title)
}

async function ask(title, name, parameters, { question, danger, after, choices }) {
  const values = { ...parameters }, sql = h('pre', { tabindex: 0 }, '…'), problem = h('div', { role: 'alert' })
  const show = async () => { sql.textContent = await sqlOf(name, values).catch((error) => error.message) }
  const copy = h('button', { type: 'button', onclick: async () => {
    await navigator.clipboard?.writeText(sql.textContent).catch(() => getSelection().selectAllChildren(sql))
    copy.textContent = 'Copied'
  } }, 'Copy as SQL')
  const go = h(`button.${danger ? 'danger' : 'main'}`, { type: 'button', onclick: async () => {
    go.disabled = true
    try {
      const { value } = await act(name, values)
      dialog.close()
      said.textContent = `${title}: done${value && /^\d+$/.test(value) ? `, ${value}` : ''}.`
      after?.()
      refresh()
    } catch (error) {
      go.disabled = false
      problem.replaceChildren(h('p.problem', null, error.message, error.detail ? ` ${error.detail}` : '', error.hint ? ` ${error.hint}` : ''))
    }
  } }, title)
  const fields = (choices ?? []).map((choice) => h('label.field', null, h('span', null, choice.title),
    choice.options ? h('select', { onchange: (event) => { values[choice.name] = event.target.value; show() } }, choice.options.map((o) => h('option', { value: o, selected: o === values[choice.name] }, o)))
      : h('input', { value: values[choice.name] ?? '', oninput: (event) => { values[choice.name] = event.target.value || null; show() } })))
  const dialog = h('dialog', { 'aria-labelledby': 'asks', onclose: () => { dialog.remove(); hold -= 1 } }, h('h2', { id: 'asks' }, `${title}?`), h('p', null, question ?? ''),
    fields.length ? h('div.tools', null, fields) : null, sql, problem,
    h('div.actions', null, copy, h('button', { type: 'button', onclick: () => dialog.close() }, 'Keep as it is'), go))
  document.body.append(dialog)
  hold += 1
  dialog.showModal()
  show()
}

function drawBar() {
  const { parameters } = address(), now = context()
  const theme = document.documentElement.dataset.theme
  const custom = parameters.from || parameters.to
  bar.replaceChildren(
    h('a.brand', { href: linkTo('fleet', {}) }, h('img', { src: '/icon.svg', alt: '' }), 'hwsched'),
    who.pools.length ? choose('Pool', now.pool, (who.pools.includes(now.pool) ? who.pools : [now.pool, ...who.pools]).map((p) => [p, p]), (pool) => change({ pool, id: null, from: null, to: null }), 'pool') : '',
    who.user ? choose('Period', custom ? 'custom' : parameters.period ?? '24h', [...Object.entries(periods).map(([key, [title]]) => [key, title]), ...(custom ? [['custom', `${timeText(now.since)} – ${timeText(now.until)}`]] : [])],
      (period) => { if (period !== 'custom') change({ period, from: null, to: null }) }, 'period') : '',
    h('span.space'),
    h(away ? 'span.live.away' : 'span.live', { id: 'live', title: away ?? '' }, away ? `no news since ${lastNews ? timeText(lastNews) : 'the beginning'}` : lastNews ? `as of ${timeText(lastNews)}` : 'connecting'),
    h('button.small', { type: 'button', id: 'theme', 'aria-label': 'Light or dark', title: 'Light or dark', onclick: () => {
      const next = (theme ?? (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light')) === 'dark' ? 'light' : 'dark'
      document.documentElement.dataset.theme = next
      try { localStorage.setItem('theme', next) } catch { /* it is forgotten, then */ }
      drawBar()
      refresh()
    } }, '◐'),
    who.user && !who.guest ? h('button.small', { type: 'button', id: 'logout', onclick: async () => { await logout(); location.reload() } }, `Log out ${who.user}`)
      : who.guest ? h('button.small', { type: 'button', id: 'login', onclick: () => drawLogin() }, 'Log in to act') : '')
}

function drawNav() {
  const { page } = address()
  nav.replaceChildren(...Object.entries(pages).map(([name, { title }]) => h('a', { href: linkTo(name, {}), 'aria-current': name === page ? 'page' : null }, title)))
  const at = nav.querySelector('[aria-current]')
  nav.scrollLeft = Math.max(0, at.offsetLeft - nav.clientWidth / 2 + at.offsetWidth / 2)
}

function drawLogin(why) {
  hold += 1
  const user = h('input', { id: 'user', autocomplete: 'username', required: true, autocapitalize: 'none' }), password = h('input', { id: 'password', type: 'password', autocomplete: 'current-password' })
  const problem = h('div', { role: 'alert' }, why ? h('p.problem', null, why) : '')
  nav.replaceChildren()
  main.replaceChildren(h('section.card.login', null, h('h1', null, 'Log in'), h('p.empty', null, 'With a role of the database: you see and do here what it may.'),
    h('form', { onsubmit: async (event) => {
      event.preventDefault()
      try {
        await login(user.value, password.value)
        hold = 0
        start()
      } catch (error) { problem.replaceChildren(h('p.problem', null, error.message)) }
    } }, problem, h('label.field', null, h('span', null, 'Role'), user), h('label.field', null, h('span', null, 'Password'), password), h('button.main', { type: 'submit' }, 'Log in'))))
  document.title = 'Log in – hwsched'
  user.focus()
}

// Draws the page.  What is open, focused and scrolled to stays so.
async function draw() {
  clearTimeout(timer)
  const mine = ++turn, { page, parameters } = address(), key = `${page} ${parameters.pool ?? ''} ${parameters.id ?? ''}`, begun = performance.now()
  const fresh = key !== keptFor
  if (fresh) { kept = new Map(); keptFor = key }
  const now = context(() => mine === turn)
  document.title = `${pages[page].title} – ${now.pool} – hwsched`
  drawNav()
  if (fresh) { drawBar(); main.setAttribute('aria-busy', 'true') }
  try {
    const content = await pages[page].show(now)
    if (mine !== turn) return
    const open = new Set([...main.querySelectorAll('details[open]')].map((d) => d.id)), focus = document.activeElement
    const mark = main.contains(focus) && (focus.id ? `#${CSS.escape(focus.id)}` : focus.getAttribute('href') ? `a[href="${CSS.escape(focus.getAttribute('href'))}"]` : null)
    const scrolled = [...main.querySelectorAll('.scroll')].map((s) => [s.getAttribute('aria-label'), s.scrollLeft, s.scrollTop])
    main.replaceChildren(...[content].flat().filter(Boolean))
    if (!fresh) {
      for (const details of main.querySelectorAll('details')) details.open = open.has(details.id) || details.open
      for (const [label, left, top] of scrolled) for (const box of main.querySelectorAll('.scroll')) if (box.getAttribute('aria-label') === label) box.scrollTo(left, top)
      if (main.contains(focus)) focus.focus({ preventScroll: true })
      else if (mark) main.querySelector(mark)?.focus({ preventScroll: true })
    }
    away = null
    lastNews = new Date()
    drawState()
  } catch (error) {
    if (mine !== turn) return
    if (error.status === 401) { await identify().then(() => {}, () => drawLogin(who.user ? 'The login has ended.' : null)); return }
    if (!(error instanceof Problem)) { console.error(error); main.replaceChildren(h('p.problem', null, String(error))) }
    else if (error.status === 0 || error.status === 503) { away = error.message; drawState(); timer = setTimeout(refresh, 3000) }
    else main.replaceChildren(h('h1', null, pages[page].title), h('p.problem', null, error.message, error.hint ? ` ${error.hint}` : ''))
  } finally {
    if (mine === turn) main.removeAttribute('aria-busy')
    cost = performance.now() - begun
  }
}

function drawState() {
  const live = document.getElementById('live')
  if (!live) return
  live.className = away ? 'live away' : 'live'
  live.title = away ?? ''
  live.textContent = away ? `no news since ${lastNews ? timeText(lastNews) : 'the beginning'}` : `as of ${timeText(lastNews)}`
}

function refresh() { hold <= 0 ? draw() : soon(1000) }

// Reads again soon, and never for more than a fifth of the time.
function soon(wait) {
  clearTimeout(timer)
  timer = setTimeout(() => { if (document.hidden) document.addEventListener('visibilitychange', () => soon(0), { once: true }); else refresh() }, Math.max(wait, 4 * cost))
}

function listen() {
  stream?.close()
  stream = new EventSource('/events')
  stream.addEventListener('changed', (event) => { if (JSON.parse(event.data).pools.includes(context().pool)) soon(300) })
  stream.addEventListener('tick', () => { if (!address().parameters.to) soon(0) })
  stream.addEventListener('back', () => soon(0))
  stream.addEventListener('away', (event) => { away = JSON.parse(event.data).why; drawState() })
  stream.onerror = () => { away = 'The cockpit does not answer.'; drawState(); soon(2000) }
}

async function start() {
  try {
    await identify()
  } catch (error) {
    drawBar()
    if (error.status === 401) drawLogin()
    else if (error.status === 403) drawLogin(`${error.message}: this role is no member of hwsched_viewer.`)
    else { main.replaceChildren(h('p.problem', null, error.message)); setTimeout(start, 3000) }
    return
  }
  keptFor = ''
  drawBar()
  listen()
  draw()
}

try { const theme = localStorage.getItem('theme'); if (theme) document.documentElement.dataset.theme = theme } catch { /* without a memory: as the system says */ }
addEventListener('hashchange', () => { if (who.user) { hold = 0; drawBar(); draw(); main.focus({ preventScroll: true }); scrollTo(0, 0) } })
start()
