// The style sheet and the script of our HTML pages.
#pragma once

#include <string_view>

namespace ptl::html {

inline constexpr std::string_view style_sheet = R"css(
:root {
  --page: #f6f7f8; --card: #ffffff; --ink: #1c2126; --soft: #5c6670; --line: #dfe3e7; --grid: #e8ebee;
  --accent: #1f6f8b; --accent-soft: #e3f0f4; --warn: #8a5a00; --warn-soft: #fbf2dd;
  --c0: #1f6f8b; --c1: #c8553d; --c2: #4f8a3f; --c3: #7b5ea7; --c4: #b0841f; --c5: #5a6772;
  --red: #c0392b; --green: #2f8f4e; --blue: #2c6fbb;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14171a; --card: #1c2024; --ink: #e4e8eb; --soft: #98a3ad; --line: #30363c; --grid: #282e33;
    --accent: #6cb8d2; --accent-soft: #1d333c; --warn: #e2b35c; --warn-soft: #322917;
    --c0: #6cb8d2; --c1: #ec8a72; --c2: #8cc67a; --c3: #b49ddb; --c4: #e0b85a; --c5: #a3afb9;
    --red: #ef7a6d; --green: #6fca8b; --blue: #78aef0;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
main { max-width: 1240px; margin: 0 auto; padding: 28px 24px 56px; }
header h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 4px; font-weight: 650; overflow-wrap: anywhere; }
header p { margin: 0; color: var(--soft); overflow-wrap: anywhere; }
h2 { font-size: 1.12rem; font-weight: 650; margin: 36px 0 12px; }
section > p { color: var(--soft); margin: 0 0 12px; max-width: 78ch; }
.tiles { display: flex; flex-wrap: wrap; gap: 1px; margin: 20px 0 8px;
  background: var(--line); border: 1px solid var(--line); border-radius: 10px; overflow: hidden; }
.tiles div { flex: 1 1 auto; min-width: 104px; background: var(--card); padding: 12px 16px; }
.tiles dt { color: var(--soft); font-size: .8rem; }
.tiles dd { margin: 0; font-size: 1.22rem; font-weight: 600; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.tiles dt { white-space: nowrap; }
.tiles .main dd { color: var(--accent); }
.protocol { color: var(--soft); font-size: .87rem; margin: 0; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
.notes { border-radius: 10px; background: var(--warn-soft); margin: 16px 0 0; padding: 10px 16px 10px 34px; }
.viewer { padding: 14px; }
.controls { display: flex; flex-wrap: wrap; gap: 8px 14px; align-items: center; margin-bottom: 12px; }
.controls .names { display: flex; gap: 6px; flex: 1 1 260px; min-width: 0; }
select, button.step { font: inherit; color: inherit; background: var(--page); border: 1px solid var(--line);
  border-radius: 7px; padding: 5px 10px; }
select { flex: 1; min-width: 0; }
button { cursor: pointer; }
.modes { display: inline-flex; border: 1px solid var(--line); border-radius: 7px; overflow: hidden; }
.modes button { font: inherit; font-size: .87rem; border: 0; background: transparent; color: var(--soft); padding: 6px 11px; }
.modes button + button { border-left: 1px solid var(--line); }
.modes button[aria-pressed=true] { background: var(--accent-soft); color: var(--accent); font-weight: 600; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.shot { margin: 0; }
.stage { position: relative; overflow: hidden; border-radius: 6px; background: #000; line-height: 0;
  touch-action: pan-y; margin: 0 auto; }
.stage img { width: 100%; height: auto; display: block; user-select: none; -webkit-user-drag: none; }
.js .stage img { position: absolute; inset: 0; height: 100%; visibility: hidden; }
.js .stage img.under, .js .stage img.over { visibility: visible; }
.js .stage img.over { clip-path: inset(0 calc(100% - var(--cut)) 0 0); z-index: 1; }
.stage::after { content: none; }
.js .stage::after { content: ""; position: absolute; z-index: 2; top: 0; bottom: 0; left: var(--cut); width: 2px;
  margin-left: -1px; background: #fff; box-shadow: 0 0 0 1px #0005; pointer-events: none; }
.js .stage::before { content: "\2194"; position: absolute; z-index: 3; top: 50%; left: var(--cut); width: 34px; height: 34px;
  margin: -17px 0 0 -17px; border-radius: 50%; background: #fff; color: #222; font: 18px/34px system-ui, sans-serif;
  text-align: center; box-shadow: 0 1px 5px #0007; pointer-events: none; }
.stage:focus-within { outline: 2px solid var(--accent); outline-offset: 2px; }
.stage input { display: none; }
.js .stage input { display: block; position: absolute; z-index: 4; inset: 0; width: 100%; height: 100%; margin: 0; opacity: 0;
  cursor: ew-resize; touch-action: pan-y; }
.tag { display: none; }
.js .tag { display: block; position: absolute; z-index: 3; top: 10px; padding: 3px 9px; border-radius: 5px; background: #000a;
  color: #fff; font-size: .8rem; line-height: 1.4; pointer-events: none; }
.tag.left { left: 10px; } .tag.right { right: 10px; }
.shot figcaption { display: flex; flex-wrap: wrap; gap: 2px 18px; padding-top: 10px; font-variant-numeric: tabular-nums; }
.shot figcaption b { font-weight: 600; overflow-wrap: anywhere; }
.shot figcaption span { color: var(--soft); }
.ramp { display: flex; align-items: center; gap: 8px; margin-top: 10px; color: var(--soft); font-size: .84rem;
  flex-wrap: wrap; }
.ramp i { width: 150px; height: 10px; border-radius: 3px; }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 370px), 1fr)); gap: 14px; }
.clouds { display: grid; gap: 14px; } .clouds img { display: block; width: 100%; max-width: 1080px; }
.chart { margin: 0; background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 12px 12px 8px; }
.chart figcaption { font-weight: 600; padding: 0 4px 4px; overflow-wrap: anywhere; }
.chart svg { display: block; width: 100%; height: auto; }
.chart .empty { color: var(--soft); padding: 0 4px; }
.chart text { fill: var(--soft); font-size: 12px; font-variant-numeric: tabular-nums; }
.chart .label { fill: var(--ink); }
.chart .end { text-anchor: end; } .chart .middle { text-anchor: middle; }
.chart .grid { stroke: var(--grid); } .chart .axis { stroke: var(--soft); }
.chart .equal { stroke: var(--soft); stroke-dasharray: 4 4; }
.chart .line { fill: none; stroke-width: 2; stroke-linejoin: round; }
.line.c0 { stroke: var(--c0); } .line.c1 { stroke: var(--c1); } .line.c2 { stroke: var(--c2); }
.line.c3 { stroke: var(--c3); } .line.c4 { stroke: var(--c4); } .line.c5 { stroke: var(--c5); }
.dot.c0 { fill: var(--c0); } .dot.c1 { fill: var(--c1); } .dot.c2 { fill: var(--c2); }
.dot.c3 { fill: var(--c3); } .dot.c4 { fill: var(--c4); } .dot.c5 { fill: var(--c5); }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: 2px 14px; margin: 2px 4px 4px; padding: 0; font-size: .84rem;
  color: var(--soft); }
.legend i { display: inline-block; width: 14px; height: 3px; border-radius: 2px; margin-right: 6px; vertical-align: middle; }
.legend .c0 { background: var(--c0); } .legend .c1 { background: var(--c1); } .legend .c2 { background: var(--c2); }
.legend .c3 { background: var(--c3); } .legend .c4 { background: var(--c4); } .legend .c5 { background: var(--c5); }
.rgb { --c0: var(--red); --c1: var(--green); --c2: var(--blue); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: 7px 16px; text-align: right; border-top: 1px solid var(--line); }
thead th { border-top: 0; color: var(--soft); font-weight: 600; font-size: .84rem; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; overflow-wrap: anywhere; }
tbody th { font-weight: 500; }
.ranked th:nth-child(2), .ranked td:nth-child(2) { text-align: left; }
.ranked th:first-child { width: 5em; }
tbody tr:hover { background: var(--accent-soft); }
tr.best td, tr.best th { color: var(--accent); font-weight: 600; }
tfoot td, tfoot th { font-weight: 650; border-top: 2px solid var(--line); }
th button { font: inherit; color: inherit; background: none; border: 0; padding: 0; }
th[aria-sort=ascending] button::after { content: " \2191"; } th[aria-sort=descending] button::after { content: " \2193"; }
td button { font: inherit; color: var(--accent); background: none; border: 0; padding: 0; text-align: left;
  overflow-wrap: anywhere; }
td button:hover { text-decoration: underline; }
.bar { display: inline-block; width: 84px; height: 7px; margin-left: 10px; border-radius: 3px; background: var(--grid);
  vertical-align: middle; overflow: hidden; }
.bar i { display: block; height: 100%; background: var(--accent); }
details { margin-bottom: 10px; } summary { cursor: pointer; padding: 10px 16px; font-weight: 600; }
.columns { columns: 360px; column-gap: 0; }
.columns > div { break-inside: avoid; padding-bottom: 10px; }
.columns h3 { font-size: .84rem; margin: 0; padding: 6px 16px 2px; color: var(--soft); font-weight: 600; }
.pairs th, .pairs td { text-align: left; padding: 4px 16px; border: 0; vertical-align: top; overflow-wrap: anywhere; }
.pairs th { width: 46%; color: var(--soft); font-weight: 400; }
footer { margin-top: 40px; color: var(--soft); font-size: .84rem; }
@media (max-width: 560px) {
  main { padding: 18px 14px 40px; }
  .tiles div { flex-basis: 40%; padding: 9px 12px; }
  .viewer { padding: 10px; } th, td { padding: 7px 8px; } td { font-size: .9rem; } .bar { display: none; }
  .modes { width: 100%; } .modes button { flex: 1; padding: 7px 2px; font-size: .8rem; white-space: nowrap; }
}
@media print { .controls, .stage input { display: none !important; } .shot[hidden] { display: block; } }
)css";

// Without a script all pictures stand below each other; with it one comparison is shown at a time.
inline constexpr std::string_view script = R"js(
(() => {
  'use strict';
  const all = (selector, from) => Array.from((from || document).querySelectorAll(selector));
  document.documentElement.classList.add('js');

  const shots = all('.shot');
  if (shots.length) {
    const choice = document.getElementById('shot-choice');
    const modes = all('.modes button');
    const names = { photo: 'photo', rendering: 'rendering', error: 'error map' };
    let pair = ['photo', 'rendering'];
    let cut = 50;
    const dress = shot => {
      const stage = shot.querySelector('.stage');
      for (const image of all('img', stage)) {
        image.classList.toggle('over', image.dataset.kind === pair[0]);
        image.classList.toggle('under', image.dataset.kind === pair[1]);
      }
      stage.style.setProperty('--cut', cut + '%');
      stage.querySelector('.left').textContent = names[pair[0]];
      stage.querySelector('.right').textContent = names[pair[1]];
      const slider = stage.querySelector('input');
      slider.value = cut;
      slider.setAttribute('aria-label', 'Divider: ' + names[pair[0]] + ' left, ' + names[pair[1]] + ' right');
    };
    const show = index => {
      const shown = (index + shots.length) % shots.length;
      choice.selectedIndex = shown;
      shots.forEach((shot, i) => { shot.hidden = i !== shown; });
      dress(shots[shown]);
    };
    for (const shot of shots) {
      const slider = shot.querySelector('.stage input');
      slider.addEventListener('input', () => { cut = Number(slider.value); dress(shot); });
    }
    for (const button of modes)
      button.addEventListener('click', () => {
        pair = button.dataset.pair.split(' ');
        modes.forEach(other => other.setAttribute('aria-pressed', String(other === button)));
        dress(shots[choice.selectedIndex]);
      });
    choice.addEventListener('change', () => show(choice.selectedIndex));
    for (const button of all('button.step'))
      button.addEventListener('click', () => show(choice.selectedIndex + Number(button.dataset.by)));
    for (const button of all('td button[data-shot]'))
      button.addEventListener('click', () => {
        show(Number(button.dataset.shot));
        document.getElementById('pictures').scrollIntoView({ block: 'start' });
      });
    show(0);
  }

  for (const table of all('table.sortable'))
    all('thead th', table).forEach((head, column) => {
      const button = head.querySelector('button');
      if (!button) return;
      button.addEventListener('click', () => {
        const falling = head.getAttribute('aria-sort') === 'ascending';
        all('thead th', table).forEach(other => other.removeAttribute('aria-sort'));
        head.setAttribute('aria-sort', falling ? 'descending' : 'ascending');
        const key = row => row.cells[column].dataset.value;
        const order = (a, b) => head.dataset.numbers === 'yes'
          ? Number(key(a)) - Number(key(b)) || (Number.isNaN(Number(key(a))) ? 1 : 0)
          : key(a).localeCompare(key(b), undefined, { numeric: true });
        const rows = all('tbody tr', table).sort(order);
        if (falling) rows.reverse();
        table.tBodies[0].append(...rows);
      });
    });
})();
)js";

}  // namespace ptl::html
