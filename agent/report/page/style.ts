/** Everything that the page looks like. Colours are told apart by signs too. */
export const style = `
:root {
  color-scheme: light dark;
  --bg: #f4f6f3; --card: #fff; --ink: #16201b; --muted: #57655d; --line: #e1e7e2; --well: #eef2ee;
  --good: #23774a; --good-bg: #e3f3e9; --warn: #8f5a00; --warn-bg: #fbf0d9; --bad: #c22a1c; --bad-bg: #fde9e6;
  --wait: #4a5f86; --wait-bg: #e8edf7; --quiet: #5e6b64; --quiet-bg: #eaeeeb;
}
@media (prefers-color-scheme: dark) {
  :root {
    --bg: #0e1311; --card: #161d19; --ink: #e5ece8; --muted: #98a79f; --line: #27312c; --well: #1d2622;
    --good: #5fcd92; --good-bg: #14301f; --warn: #ecb955; --warn-bg: #33270d; --bad: #ff8173; --bad-bg: #3b1815;
    --wait: #a3b8de; --wait-bg: #1c2637; --quiet: #8c9a92; --quiet-bg: #212a25;
  }
}
* { box-sizing: border-box }
html { -webkit-text-size-adjust: 100% }
body {
  margin: 0; background: var(--bg); color: var(--ink);
  font: 15px/1.5 Inter, ui-sans-serif, system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif;
  font-feature-settings: 'tnum';
}
h1, h2, p, dl, dd, ul, ol { margin: 0; padding: 0 }
ul, ol { list-style: none }
code, .mono { font: 13px/1.5 ui-monospace, 'SF Mono', Menlo, Consolas, 'Liberation Mono', monospace; overflow-wrap: anywhere }
a { color: inherit; text-decoration-color: var(--line); text-underline-offset: 3px }
a:hover { text-decoration-color: currentColor }
:focus-visible { outline: 2px solid var(--wait); outline-offset: 2px; border-radius: 4px }
.bar, main, footer { max-width: 1160px; margin: 0 auto; padding: 0 16px }
.bar { display: flex; align-items: center; gap: 10px; padding-top: 14px; padding-bottom: 14px; color: var(--muted); font-size: 14px }
.bar svg { width: 22px; height: 22px; flex: none }
.bar b { color: var(--ink); letter-spacing: -.01em }
#live { margin-left: auto; display: flex; align-items: center; gap: 7px; text-align: right }
#live::before { content: ''; width: 8px; height: 8px; border-radius: 50%; background: var(--good); flex: none }
#live:not(:has(:not(:empty))) { visibility: hidden }
.stale #live { position: fixed; z-index: 1; inset: 0 0 auto 0; justify-content: center; padding: 10px 16px; background: var(--bad); color: #fff; font-weight: 600 }
@media (prefers-color-scheme: dark) { .stale #live { color: #1d0a07 } }
.stale #live::before { display: none }
.stale main { opacity: .72; filter: saturate(.3) }
main, .columns > div { display: grid; gap: 14px; grid-template-columns: minmax(0, 1fr) }
.hero { display: grid; grid-template-columns: auto minmax(0, 1fr); gap: 4px 16px; align-items: center; padding: 18px 20px; border-radius: 14px; background: var(--tone-bg); border: 1px solid transparent }
.hero > .icon { width: 44px; height: 44px; grid-row: span 2 }
.hero h1 { font-size: 26px; line-height: 1.2; letter-spacing: -.02em; font-weight: 650; overflow-wrap: anywhere }
.hero h1 span { color: var(--tone) }
.hero p { color: var(--ink); overflow-wrap: anywhere; text-wrap: pretty }
.hero p.since { grid-column: 1 / -1; margin-top: 10px; display: flex; flex-wrap: wrap; gap: 8px }
.good { --tone: var(--good); --tone-bg: var(--good-bg) }
.warn { --tone: var(--warn); --tone-bg: var(--warn-bg) }
.bad { --tone: var(--bad); --tone-bg: var(--bad-bg) }
.wait { --tone: var(--wait); --tone-bg: var(--wait-bg) }
.quiet { --tone: var(--quiet); --tone-bg: var(--quiet-bg) }
.icon { width: 18px; height: 18px; flex: none; vertical-align: -4px; fill: none; stroke-linecap: round; stroke-linejoin: round }
.icon circle { fill: var(--tone); stroke: none }
.icon path { stroke: var(--card); stroke-width: 1.9 }
.chip { display: inline-flex; align-items: center; gap: 6px; padding: 2px 10px 2px 5px; border-radius: 99px; background: var(--card); font-size: 13.5px }
.chip .icon { width: 16px; height: 16px }
.chip.plain { padding-left: 10px }
.tile.good, .tile.warn, .tile.bad, .tile.wait, .tile.quiet { color: var(--ink) }
.notice { padding: 12px 16px; border-radius: 12px; background: var(--warn-bg); display: flex; gap: 10px; align-items: flex-start }
.notice .icon { margin-top: 2px }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 14px; padding: 16px 20px 18px; min-width: 0 }
.card > header { display: flex; align-items: baseline; gap: 12px; margin-bottom: 10px }
h2 { font-size: 16px; font-weight: 650; letter-spacing: -.01em }
.aside { margin-left: auto; color: var(--muted); font-size: 13.5px; text-align: right }
.empty, .muted { color: var(--muted) }
.rows > li { display: grid; grid-template-columns: 18px minmax(6em, 1fr) minmax(0, auto); gap: 2px 10px; padding: 8px 0; border-top: 1px solid var(--line); align-items: baseline }
.rows > li:first-child { border-top: 0 }
.rows .icon { align-self: start; margin-top: 2px }
.rows .what { font-weight: 550; overflow-wrap: anywhere }
.rows .where { color: var(--muted); font-size: 13.5px; text-align: right; max-width: 24em }
.rows .note { grid-column: 2 / -1; font-size: 14px; color: var(--muted); overflow-wrap: anywhere; white-space: pre-line }
.rows .note b { color: var(--tone); font-weight: 600 }
.rows > li.more { display: block; color: var(--muted) }
details { margin-top: 8px; font-size: 14px }
summary { cursor: pointer; color: var(--muted); width: fit-content; padding: 4px 0 }
.scroll { overflow-x: auto; margin: 4px -20px -18px; padding: 0 20px 14px }
table { border-collapse: collapse; width: 100%; font-size: 13.5px }
th { text-align: left; color: var(--muted); font-weight: 500; white-space: nowrap }
th, td { padding: 6px 14px 6px 0; border-bottom: 1px solid var(--line); vertical-align: top }
td { overflow-wrap: anywhere; min-width: 5em }
tr:last-child td { border-bottom: 0 }
td.num, th.num { text-align: right; min-width: 0; font-variant-numeric: tabular-nums }
.picture { display: grid; justify-items: center; gap: 10px }
.picture > svg { width: 100%; max-width: 400px; height: auto }
.picture text { font-size: 12px; fill: var(--ink); text-anchor: middle }
.picture .small { font-size: 10.5px; fill: var(--muted) }
.picture .ring { fill: none; stroke: var(--line) }
.picture .band { fill: var(--well); stroke: none }
.picture line { stroke: var(--tone); stroke-width: 1.6; stroke-opacity: .55 }
.picture line.bad { stroke-width: 2.4; stroke-opacity: 1; stroke-dasharray: 5 4 }
.picture line.wait, .picture line.quiet { stroke-dasharray: 1 5; stroke-linecap: round }
.picture .dots { fill: var(--tone) }
.picture g.dots { opacity: .62 }
.picture .hollow { fill: var(--card); stroke: var(--tone); stroke-width: 1.8 }
.picture .cross { stroke: var(--card); stroke-width: 2; stroke-linecap: round; fill: none }
.picture .self { fill: var(--ink) }
.picture .self-name { fill: var(--card); font-weight: 600 }
.picture .bad-name { font-weight: 650; fill: var(--bad) }
.picture .halo { paint-order: stroke; stroke: var(--card); stroke-width: 3.5px; stroke-linejoin: round }
.legend { display: flex; flex-wrap: wrap; justify-content: center; gap: 4px 14px; font-size: 13.5px; color: var(--muted) }
.legend li { display: flex; align-items: center; gap: 6px }
.legend b { color: var(--ink); font-weight: 600 }
.legend svg { width: 14px; height: 14px; flex: none }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(108px, 1fr)); gap: 8px; margin-bottom: 14px }
.tile { background: var(--well); border-radius: 10px; padding: 9px 12px }
.tile b { display: block; font-size: 24px; line-height: 1.15; font-weight: 650; letter-spacing: -.02em; color: var(--tone) }
.tile.zero b { color: var(--muted); font-weight: 500 }
.tile span { font-size: 13px; color: var(--muted) }
.cells { display: flex; flex-wrap: wrap; gap: 2px; margin-bottom: 12px }
.cells i { width: 10px; height: 10px; border-radius: 2.5px; background: var(--tone) }
.cells .good { background: color-mix(in srgb, var(--good) 42%, var(--card)) }
.cells .wait, .cells .quiet { background: none; border: 2px solid var(--tone) }
.cells .bad { position: relative; border-radius: 5px; transform: scale(1.25) }
.names { display: grid; grid-template-columns: repeat(auto-fill, minmax(140px, 1fr)); gap: 8px }
.names li { display: flex; gap: 8px; align-items: flex-start; padding: 8px 10px; border-radius: 10px; background: var(--tone-bg); min-width: 0; overflow-wrap: anywhere; line-height: 1.3 }
.names small { display: block; color: var(--muted); font-size: 12.5px }
.meter { width: 100%; height: 8px; display: block; border-radius: 4px; background: var(--well); margin: 4px 0 2px }
.meter rect { fill: var(--tone) }
.addresses { display: flex; flex-wrap: wrap; gap: 6px }
.addresses li { padding: 2px 9px; border-radius: 8px; background: var(--well); font: 13px/1.5 ui-monospace, 'SF Mono', Menlo, Consolas, 'Liberation Mono', monospace }
.addresses .warn, .addresses .good { background: var(--tone-bg); color: var(--tone) }
.addresses .more { background: none; color: var(--muted); font: inherit }
h3 { font-size: 13.5px; font-weight: 600; margin: 14px 0 4px; color: var(--muted) }
.facts { display: grid; grid-template-columns: minmax(0, 9em) minmax(0, 1fr); gap: 5px 14px; font-size: 14px }
.facts dt { color: var(--muted) }
.facts dd { overflow-wrap: anywhere }
footer { padding-top: 18px; padding-bottom: 28px; color: var(--muted); font-size: 13.5px; display: flex; flex-wrap: wrap; gap: 4px 16px }
@media (min-width: 820px) {
  .bar, main, footer { padding-left: 24px; padding-right: 24px }
  main, .columns > div { gap: 16px }
  .columns { display: grid; gap: 16px; grid-template-columns: repeat(2, minmax(0, 1fr)); align-items: start }
  .hero { padding: 22px 26px }
  .hero h1 { font-size: 32px }
  .hero > .icon { width: 54px; height: 54px }
  .hero p { font-size: 16px }
  .names { grid-template-columns: repeat(auto-fill, minmax(190px, 1fr)) }
  .cells { gap: 3px }
  .cells i { width: 16px; height: 16px; border-radius: 4px }
  .cells .bad { border-radius: 8px }
}
@media (max-width: 819px) {
  .hero > .icon { align-self: start; width: 36px; height: 36px; grid-row: span 1; margin-top: 2px }
  .hero p { grid-column: 1 / -1 }
  .hero h1 { font-size: 21px }
  .hero h1 span { display: block }
  .wide-only { display: none }
  .columns, .columns > div { display: contents }
  #checks { order: 1 } #mesh { order: 2 } #attachments { order: 3 }
  #egress { order: 1 } #pool { order: 2 } #events { order: 4 } #facts { order: 5 }
  .card { padding: 14px 16px 16px }
  .scroll { margin: 4px -16px -16px; padding: 0 16px 12px }
  .bar { position: relative; font-size: 13.5px }
}
@media (prefers-reduced-motion: no-preference) { .stale main, main { transition: opacity .3s } }
@media print { .bar #live, footer { display: none } body { background: none } }
`
