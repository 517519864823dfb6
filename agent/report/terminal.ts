import { type Colour, colour, oneLine } from '../runtime/plain-text.ts'
import type { CheckResult } from '../verdict/verdict.ts'
import type { StatusView } from './document.ts'
import {
  agoOf,
  type CheckGroup,
  countBy,
  describePlaces,
  formatAge,
  formatDuration,
  groupChecks,
  headlineOf,
  linksOf,
  nameOf,
  networksOf,
  plural,
  staleness,
  type Tone,
  toneOfState,
  tones,
  troublesOf,
} from './summary.ts'

/** How much of a list is shown: all of it is one screen, however much there is. */
const most = { facts: 8, notes: 4, peers: 3, pods: 3, events: 5, troubles: 4, rules: 4 }
const width = 100

const signs: Readonly<Record<Tone, string>> = { good: '✓', warn: '!', bad: '✗', wait: '?', quiet: '-' }
const colours: Readonly<Record<Tone, Colour>> = {
  good: 'green',
  warn: 'yellow',
  bad: 'red',
  wait: 'blue',
  quiet: 'dim',
}

/** One line: a sign, words, and what is said aside at its end. */
interface Line {
  readonly tone: Tone
  readonly text: string
  readonly aside?: string
}

interface Section {
  readonly title: string
  readonly aside: string
  readonly lines: readonly Line[]
}

/**
 * What the page shows, for a terminal: one screen of text.
 * @param coloured whether it may be coloured; everything that has a colour has a sign or a word as well
 */
export function formatStatus(status: StatusView, coloured: boolean): string {
  const paint = (name: Colour, text: string) => (coloured ? colour(name, text) : text)
  const { tone, title, text } = headlineOf(status)
  const name = status.leader === null ? status.node : 'leader'
  const head = `${paint('bold', cut(name, 60))}  ${paint(colours[tone], `${signs[tone]} ${title}`)}`
  const sections = status.leader === null ? sectionsOfNode(status) : sectionsOfLeader(status)
  const renderLine = (line: Line) => {
    const aside = line.aside === undefined ? '' : oneLine(line.aside)
    const words = cut(line.text, width - 6 - aside.length)
    const gap =
      aside === '' ? '' : `${' '.repeat(Math.max(2, width - 3 - words.length - aside.length))}${paint('dim', aside)}`
    return ` ${paint(colours[line.tone], signs[line.tone])} ${words}${gap}`
  }
  const renderSection = ({ title: heading, aside, lines }: Section) => {
    const rest = aside === '' ? '' : `  ${paint('dim', cut(aside, width - 14))}`
    return [paint('bold', heading) + rest, ...lines.map(renderLine)].join('\n')
  }
  const first = [head, cut(text, width), cut(subtitleOf(status), width)]
  const notices = staleness(status).flatMap(each =>
    each.split(/(?<=\.) /).map(part => paint('yellow', cut(`! ${part}`, width))),
  )
  return `${[[...first, ...notices].join('\n'), ...sections.map(renderSection), factsOf(status)].join('\n\n')}\n`
}

/** What is neither good nor bad by itself. */
function factsOf({ facts }: StatusView): string {
  const names = facts.map(({ name }) => cut(name, 24))
  const room = Math.max(...names.map(({ length }) => length)) + 2
  return facts
    .slice(0, most.facts)
    .map(({ text }, at) => cut(`${(names[at] ?? '').padEnd(room)}${text}`, width))
    .join('\n')
}

function subtitleOf({ gate, verdictTime, time, startTime, version, leader, holder }: StatusView): string {
  const age = formatAge((Date.parse(time) - Date.parse(startTime)) / 1000)
  return [
    ...(gate === null ? [] : [gate.tainted ? 'closed to pods' : 'open to pods']),
    ...(verdictTime === null ? [] : [`verified ${agoOf(verdictTime, time)}`]),
    ...(leader === 'leading' && holder ? [`as ${holder}`] : []),
    `nopal ${version}, runs for ${age}`,
  ].join(' · ')
}

function sectionsOfNode(status: StatusView): readonly Section[] {
  return [checksOf(status), meshOf(status), attachmentsOf(status), eventsOf(status)].flatMap(each => each ?? [])
}

function sectionsOfLeader(status: StatusView): readonly Section[] {
  return [fleetOf(status), egressOf(status), poolOf(status), eventsOf(status)].flatMap(each => each ?? [])
}

function checksOf({ verdict }: StatusView): Section | undefined {
  if (verdict === null) return undefined
  let room = most.notes
  const lines = groupChecks(verdict).flatMap(group => {
    const wrong = group.notes.filter(({ result }) => result !== 'skip').slice(0, room)
    room -= wrong.length
    return [lineOfGroup(group), ...wrong.map(lineOfNote)]
  })
  return { title: 'CHECKS', aside: '', lines }
}

function lineOfGroup(group: CheckGroup): Line {
  const text = `${group.title.padEnd(24)}${describePlaces(group)}`
  return { tone: tones[group.result], text, aside: formatDuration(group.slowestSeconds) }
}

function lineOfNote({ result, from, reason, target, message }: CheckResult): Line {
  const where = from === 'host' ? '' : ` (${from})`
  return { tone: tones[result], text: `  ${reason ?? result}${where} ${target}: ${message}` }
}

function meshOf(status: StatusView): Section | undefined {
  if (status.wireguard === null) return undefined
  const links = linksOf(status)
  const bad = links.filter(link => link.bad)
  const lines = bad.slice(0, most.peers).map((link): Line => {
    const aside = link.handshakeAge === null ? 'no handshake' : `handshake ${formatAge(link.handshakeAge)} ago`
    return { tone: 'bad', text: `${nameOf(link)} ${link.class}: ${link.endpoint ?? ''} ${link.why}`, aside }
  })
  const unreadable = status.wireguard.devices
    .filter(({ readable }) => !readable)
    .map(({ name }): Line => ({ tone: 'bad', text: `${name} cannot be read` }))
  const counts = countBy(links, link => link.class).map(([name, count]) => `${count} ${name}`)
  const aside = counts.join(', ') || 'no peers'
  return { title: 'MESH', aside, lines: [...unreadable, ...lines, ...moreOf(bad, most.peers)] }
}

function attachmentsOf({ attachments }: StatusView): Section | undefined {
  if (attachments === null) return undefined
  const { attached, missing, pods } = attachments
  const wrong = pods.flatMap(({ pod, problems }) =>
    problems.map((text): Line => ({ tone: 'bad', text: `${pod}: ${text}` })),
  )
  const aside = `${attached} attached${missing === 0 ? '' : `, ${missing} missing`}`
  return { title: 'ATTACHMENTS', aside, lines: [...wrong.slice(0, most.pods), ...moreOf(wrong, most.pods)] }
}

function eventsOf({ events, time, node }: StatusView): Section | undefined {
  if (events === null || events.length === 0) return undefined
  const lines = events.slice(0, most.events).map(({ type, reason, about, note, time: when }): Line => {
    const whose = about === `Node ${node}` ? '' : ` ${about}`
    return { tone: type === 'Warning' ? 'warn' : 'good', text: `${reason}${whose}: ${note}`, aside: agoOf(when, time) }
  })
  return { title: 'EVENTS', aside: '', lines }
}

function fleetOf({ fleet }: StatusView): Section | undefined {
  if (fleet === null) return undefined
  const groups = troublesOf(fleet)
  const lines = groups.slice(0, most.troubles).flatMap(([first, ...others]): readonly Line[] => {
    if (first === undefined) return []
    const more = others.length === 0 ? '' : ` and ${others.length} more`
    const reason = first.reason === '' ? 'no word from its agent' : first.reason
    return [{ tone: toneOfState[first.state], text: `${reason}: ${first.name}${more}`, aside: first.state }]
  })
  const counts = countBy(fleet, ({ state }) => state).map(([state, count]) => `${count} ${state}`)
  return { title: 'NODES', aside: counts.join(', '), lines: [...lines, ...moreOf(groups, most.troubles)] }
}

function egressOf(status: StatusView): Section | undefined {
  const { egressRules, egressError, time } = status
  if (egressRules === null && egressError === null) return undefined
  const { noEffect = [], held = [], unmatched = [] } = egressRules ?? {}
  const lines: readonly Line[] = [
    ...(egressError === null ? [] : [{ tone: 'bad' as const, text: `the last pass failed: ${egressError}` }]),
    ...networksOf(status).map(({ network, wanted, present }) => ({
      tone: present < wanted ? ('warn' as const) : ('good' as const),
      text: `${network}: ${present} of ${plural(wanted, 'rule')}`,
    })),
    ...noEffect.map(({ node, range, cause }) => ({
      tone: 'warn' as const,
      text: `${node ?? ''} ${range} has no effect: ${cause}`,
    })),
    ...unmatched.map(({ node, reason }) => ({ tone: 'warn' as const, text: `${node} has no place: ${reason}` })),
    ...held.map(({ range, reason }) => ({ tone: 'wait' as const, text: `delete of ${range} is held: ${reason}` })),
  ]
  const aside = egressRules === null ? '' : `compared ${agoOf(egressRules.time, time)}`
  return { title: 'EGRESS RULES', aside, lines: [...lines.slice(0, most.rules), ...moreOf(lines, most.rules)] }
}

function poolOf({ pool }: StatusView): Section | undefined {
  if (pool === null) return undefined
  const lines: readonly Line[] = [
    ...pool.problems.map(text => ({ tone: 'bad' as const, text })),
    ...pool.held.map(({ action, block, reason }) => ({
      tone: 'wait' as const,
      text: `${action} ${block} is held: ${reason}`,
    })),
  ]
  const aside = `${pool.pool}: ${plural(pool.current.length, 'block')}, ${pool.desired.length} wanted`
  return { title: 'POOL', aside, lines: [...lines.slice(0, most.rules), ...moreOf(lines, most.rules)] }
}

function moreOf(all: readonly unknown[], shown: number): readonly Line[] {
  return all.length > shown ? [{ tone: 'quiet', text: `and ${all.length - shown} more` }] : []
}

/** Text of others, as one line that is no longer than there is room. */
function cut(text: string, room: number): string {
  const line = oneLine(text)
  return line.length <= room ? line : `${line.slice(0, Math.max(0, room - 1))}…`
}
