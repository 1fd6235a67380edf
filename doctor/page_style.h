// The style sheet of the page of a diagnosis.
#pragma once

#include <string_view>

namespace ptl::doctor {

inline constexpr std::string_view page_style = R"css(
:root { --page: #f6f7f8; --card: #ffffff; --ink: #1c2126; --soft: #5c6670; --line: #dfe3e7; --accent: #1f6f8b;
  --severe: #c0392b; --harmful: #b86a00; --note: #2c6fbb; --good: #2f8f4e; }
@media (prefers-color-scheme: dark) {
  :root { --page: #14171a; --card: #1c2024; --ink: #e4e8eb; --soft: #98a3ad; --line: #30363c; --accent: #6cb8d2;
    --severe: #ef7a6d; --harmful: #e2a355; --note: #78aef0; --good: #6fca8b; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
main { max-width: 1240px; margin: 0 auto; padding: 28px 24px 56px; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0 0 4px; overflow-wrap: anywhere; }
header p, section > p { color: var(--soft); margin: 0 0 12px; }
h2 { font-size: 1.12rem; margin: 36px 0 12px; }
.verdict { font-size: 1.1rem; font-weight: 600; padding: 12px 16px; border-radius: 10px; background: var(--card);
  border-left: 6px solid var(--good); }
.verdict.bad { border-color: var(--severe); }
.finding { background: var(--card); border: 1px solid var(--line); border-left: 6px solid var(--note); border-radius: 10px;
  padding: 12px 18px; margin: 0 0 14px; }
.finding.severe { border-left-color: var(--severe); } .finding.harmful { border-left-color: var(--harmful); }
h3 { margin: 0 0 8px; font-size: 1.02rem; }
.badge { font-size: .78rem; padding: 2px 8px; border-radius: 999px; color: var(--card); background: var(--note);
  margin-right: 6px; }
.badge.severe { background: var(--severe); } .badge.harmful { background: var(--harmful); }
.where { margin: 0 0 8px; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 14px; margin: 0 0 10px; }
dt { color: var(--soft); } dd { margin: 0; }
.shots { display: flex; flex-wrap: wrap; gap: 12px; }
.shot { margin: 0; max-width: 262px; } .shot svg { display: block; max-width: 100%; border-radius: 6px; }
.shot figcaption { font-size: .84rem; color: var(--soft); padding-top: 4px; overflow-wrap: anywhere; }
.shot b { color: var(--ink); font-weight: 600; }
.mark { fill: #ff2f92; stroke: #fff; stroke-width: .5; } .arrow { stroke: #ff2f92; stroke-width: 1.2; fill: none; }
.plan { display: block; width: 100%; max-width: 640px; border: 1px solid var(--line); border-radius: 10px; }
.ground { fill: #20262b; }
.plan text { fill: #cfd6dc; font-size: 12px; } .bar { stroke: #cfd6dc; stroke-width: 2; }
.camera { fill: none; stroke: #cfe3ea; stroke-width: 1.2; }
.camera.note { stroke: #78aef0; } .camera.harmful { stroke: #ffa640; stroke-width: 2; }
.camera.severe { stroke: #ff5a4d; stroke-width: 2.4; }
.ring { fill: none; stroke: #78aef0; } .ring.harmful { stroke: #ffa640; } .ring.severe { stroke: #ff5a4d; }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 300px), 1fr)); gap: 14px;
  margin-bottom: 16px; }
.chart { margin: 0; background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 10px 12px; }
.chart figcaption { font-weight: 600; font-size: .9rem; } .chart svg { display: block; width: 100%; }
.chart text { fill: var(--soft); font-size: 12px; } .column { fill: var(--accent); } .axis { stroke: var(--line); }
.end { text-anchor: end; } .middle { text-anchor: middle; } .shot text { fill: #cfd6dc; font-size: 13px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .86rem; background: var(--card); }
th, td { padding: 5px 12px; text-align: right; border-top: 1px solid var(--line); }
th:first-child { text-align: left; } tbody th { font-weight: 500; }
th.severe { color: var(--severe); } th.harmful { color: var(--harmful); } th.note { color: var(--note); }
summary { cursor: pointer; padding: 8px 0; }
)css";

}  // namespace ptl::doctor
