/** Colours by their use, so that a dark page and a printed one change them in one place. */
const colours = {
  light:
    "--page: #fff; --ink: #1b1f24; --faint: #5c6570; --line: #d5dae0; --mark: #2563ad; --other: #c2570c; --third: #2e7d4f; --soft: #eef2f7;",
  dark: "--page: #14171b; --ink: #e4e7eb; --faint: #9aa4af; --line: #343b44; --mark: #6ba6ea; --other: #f0924c; --third: #6cc08d; --soft: #20262d;",
};

/** The style of every report: one column on a phone, plots side by side on a wide page, black on white on paper. */
export const pageStyle = `
:root { color-scheme: light dark; ${colours.light} }
@media (prefers-color-scheme: dark) { :root { ${colours.dark} } }
* { box-sizing: border-box; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 72rem; padding: 1rem; color: var(--ink); background: var(--page); overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: .5rem 0 1rem; } h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
table { border-collapse: collapse; margin: .5rem 0; max-width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .2rem .75rem .2rem 0; border-bottom: 1px solid var(--line); }
td { font-variant-numeric: tabular-nums; } .rows th { overflow-wrap: normal; } .facts th { font-weight: 400; color: var(--faint); min-width: 8rem; }
code { font-family: ui-monospace, monospace; font-size: .9em; }
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 320px), 1fr)); gap: 1rem 2rem; align-items: start; }
figure { margin: 0; min-width: 0; break-inside: avoid; } figcaption { font-weight: 600; font-size: .9rem; margin-bottom: .25rem; }
figcaption small { display: block; font-weight: 400; color: var(--faint); }
.plot { display: block; height: auto; max-width: 100%; --plot-background: var(--page); } .plot text, .plot tspan { white-space: pre; }
.flips { list-style: none; padding: 0; margin: .5rem 0; } .flips li { padding: .4rem 0; border-bottom: 1px solid var(--line); break-inside: avoid; }
.flips p { margin: 0; } .flips small { color: var(--faint); }
mark { background: none; color: var(--other); font-weight: 700; text-decoration: underline; }
.right { color: var(--third); font-weight: 600; } .wrong { color: var(--other); font-weight: 600; }
@media (max-width: 44rem) {
  .rows thead { display: none; } .rows, .rows tbody, .rows tr, .rows td { display: block; }
  .rows tr { border-bottom: 1px solid var(--line); padding: .4rem 0; } .rows td { border: 0; padding: 0; } .rows td:empty { display: none; }
  .rows td::before { color: var(--faint); margin-right: .5em; }
  .facts, .facts tbody, .facts tr { display: block; } .facts tr { border-bottom: 1px solid var(--line); padding: .2rem 0; }
  .facts th, .facts td { display: inline; border: 0; padding: 0; } .facts th { margin-right: .5em; }
}
@media print {
  :root { color-scheme: light; ${colours.light} } @page { margin: 15mm; }
  body { max-width: none; padding: 0; font-size: 10pt; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  h2 { break-after: avoid; } tr { break-inside: avoid; } thead { display: table-header-group; }
}`;
