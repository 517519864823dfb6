/**
 * What the page does by itself, in the browser: it asks for itself every few seconds, puts in the parts that have changed,
 * and says how old it is when nobody answers. It makes no HTML of its own, and nothing of what it gets can run.
 */
export const liveScript = `
'use strict'
const live = document.querySelector('#live [role=status]')
const howOld = document.querySelector('#live .age')
const every = Number(document.body.dataset.every) * 1000
let newest = Date.now()
let asking = false

function age() {
  const seconds = Math.round((Date.now() - newest) / 1000)
  return seconds < 120 ? seconds + ' s' : Math.floor(seconds / 60) + ' min'
}

function put(fresh) {
  if (!fresh.querySelector('main')) throw new Error('no page of ours')
  const known = new Set()
  let last = null
  for (const part of fresh.querySelectorAll('[data-part]')) {
    known.add(part.id)
    const old = document.getElementById(part.id)
    for (const open of old ? old.querySelectorAll('details[open]') : []) {
      const same = part.querySelector('details[data-key="' + open.dataset.key + '"]')
      if (same) same.open = true
    }
    const now = document.adoptNode(part)
    if (!old) last ? last.after(now) : document.querySelector('main').prepend(now)
    else if (!old.isEqualNode(now)) old.replaceWith(now)
    last = document.getElementById(part.id)
  }
  for (const old of document.querySelectorAll('[data-part]')) if (!known.has(old.id)) old.remove()
  document.title = fresh.title
}

function say(stale) {
  document.body.classList.toggle('stale', stale)
  const text = stale ? 'No answer.' : 'live'
  if (live.textContent !== text) live.textContent = text
  // Beside it: a screen reader need not hear of every second.
  howOld.textContent = stale ? 'What you see is ' + age() + ' old.' : ''
}

async function refresh() {
  if (asking || document.hidden) return
  asking = true
  try {
    const answer = await fetch(location.pathname, { cache: 'no-store', signal: AbortSignal.timeout(8000) })
    if (!answer.ok) throw new Error('no page')
    put(new DOMParser().parseFromString(await answer.text(), 'text/html'))
    newest = Date.now()
    say(false)
  } catch {
    say(true)
  } finally {
    asking = false
  }
}

say(false)
setInterval(refresh, every)
setInterval(() => { if (document.body.classList.contains('stale')) say(true) }, 1000)
document.addEventListener('visibilitychange', () => { if (Date.now() - newest > every) refresh() })
`
