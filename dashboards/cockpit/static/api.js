// What the server is asked, and who asks.

export const who = { user: null, csrf: '', pools: [], coordinator: false, admin: false }

export class Problem extends Error {
  constructor(status, body) {
    super(body.error ?? `status ${status}`)
    Object.assign(this, { status, detail: body.detail, hint: body.hint })
  }
}

async function ask(path, options) {
  let answer
  try {
    answer = await fetch(path, { credentials: 'same-origin', ...options })
  } catch {
    throw new Problem(0, { error: 'The cockpit does not answer.' })
  }
  const body = await answer.json().catch(() => ({}))
  if (!answer.ok) throw new Problem(answer.status, body)
  return body
}

const post = (path, body) => ask(path, { method: 'POST', body: JSON.stringify(body), headers: { 'Content-Type': 'application/json', 'X-CSRF-Token': who.csrf } })

export async function identify() {
  Object.assign(who, { guest: false }, await ask('/api/session'))
  return who
}

export function query(name, parameters) {
  const given = Object.entries(parameters).filter(([, value]) => value !== null && value !== undefined && value !== '')
  return ask(`/api/query/${name}?${new URLSearchParams(given)}`)
}

export const login = (user, password) => post('/api/login', { user, password })
export const logout = () => post('/api/logout', {})
export const sqlOf = async (name, parameters) => (await post(`/api/sql/${name}`, parameters)).sql
export const act = (name, parameters) => post(`/api/act/${name}`, parameters)
