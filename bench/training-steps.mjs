// Training steps of two builds in turn, so that what else the machine does weighs on both:
//   node bench/training-steps.mjs OLDER NEWER [THREADS] [BURSTS] [STEPS]     folders of built checkouts; 2, 5, 8
// Each burst is a process that runs packages/training/bench/step.mjs; the ratios are of the medians over all bursts.
import { execFileSync } from "node:child_process";

const [older, newer, threads = "2", bursts = "5", steps = "8"] = process.argv.slice(2);
if (newer === undefined)
  throw new Error("usage: node bench/training-steps.mjs OLDER NEWER [THREADS] [BURSTS] [STEPS]");

const line =
  /^(?<name>.*): median (?<median>[\d.]+) ms, best (?<best>[\d.]+) ms .* loss [\d.]+ -> (?<loss>[\d.]+)/;
const burst = (folder, only) => {
  const script = "packages/training/bench/step.mjs";
  const text = execFileSync(process.execPath, [script, threads, steps, only], {
    cwd: folder,
    encoding: "utf8",
  });
  return text.split("\n").flatMap((printed) => line.exec(printed)?.groups ?? []);
};
const middle = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

for (const only of ["6x384/1536, batch 16x32", "4x256", "bilstm"]) {
  const found = new Map();
  for (let i = 0; i < Number(bursts); i++) {
    for (const folder of i % 2 === 0 ? [older, newer] : [newer, older]) {
      for (const { name, median, best, loss } of burst(folder, only)) {
        const cases = found.get(name) ?? new Map([older, newer].map((key) => [key, []]));
        cases.get(folder).push({ median: Number(median), best: Number(best), loss: Number(loss) });
        found.set(name, cases);
      }
    }
  }
  for (const [name, cases] of found) {
    const [a, b] = [older, newer].map((folder) => {
      const all = cases.get(folder);
      return {
        median: middle(all.map(({ median }) => median)),
        best: Math.min(...all.map(({ best }) => best)),
        loss: all[0].loss,
      };
    });
    console.log(
      `${name}, ${threads} thread(s): median ${a.median.toFixed(1)} -> ${b.median.toFixed(1)} ms (${(a.median / b.median).toFixed(2)}x), best ${a.best.toFixed(1)} -> ${b.best.toFixed(1)} ms (${(a.best / b.best).toFixed(2)}x); loss ${a.loss} and ${b.loss}`,
    );
  }
}
