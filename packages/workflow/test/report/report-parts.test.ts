import { homedir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { quantizeOperation } from "../../src/operations/index.js";
import { shownHistogram } from "../../src/quantization/activation-ranges.js";
import { commandLine } from "../../src/report/html/command-line.js";
import { flipsHtml } from "../../src/report/html/flips-html.js";
import { frontierOf } from "../../src/report/html/plots/frontier.js";
import { shortNames } from "../../src/report/html/plots/short-names.js";
import { withoutFolders } from "../../src/report/html/short-paths.js";

describe("the command line", () => {
  const settings = {
    model: "pos",
    calibration: [],
    skipLayers: [],
    perChannel: true,
    fallback: true,
    seed: 1,
  };

  test("has what is not the default, in the words of the command", () => {
    expect(commandLine(quantizeOperation, settings)).toBe("nasty quantize --model pos");
    const others = { perChannel: false, fallback: false, seed: 2, skipLayers: ["/a/**", "b"], limit: 5 };
    expect(commandLine(quantizeOperation, { ...settings, ...others })).toBe(
      "nasty quantize --model pos --limit 5 --no-per-channel --skip-layers '/a/**' --skip-layers b --no-fallback --seed 2",
    );
  });

  test("can be given to a shell", () => {
    expect(commandLine(quantizeOperation, { ...settings, model: "it's; here" })).toBe(
      String.raw`nasty quantize --model 'it'\''s; here'`,
    );
  });
});

describe("folders of the machine", () => {
  test("are left out where a path begins; nodes keep their names", () => {
    const page =
      "/data/models/pos.onnx, /data/models/pos.onnx.gz, /encoder/data/models/MatMul, a/data/models/x";
    expect(withoutFolders(page, ["/data/models/pos.onnx"])).toBe(
      "pos.onnx, pos.onnx.gz, /encoder/data/models/MatMul, a/data/models/x",
    );
  });

  test("files in the working folder are called by their place in it, those at home by ~", () => {
    const page = `${join(process.cwd(), "runs", "x")} ${join(homedir(), "y")}`;
    expect(withoutFolders(page, [])).toMatch(/^runs\/x (?:~\/)?y$/);
    expect(withoutFolders("/pos.onnx in /", ["/pos.onnx"])).toBe("pos.onnx in /");
  });

  test("with letters that HTML and patterns know", () => {
    expect(withoutFolders("/a&amp;b (1)/m.onnx /a&b (1)/m.onnx", ["/a&b (1)/m.onnx"])).toBe("m.onnx m.onnx");
  });
});

test("names lose what all have in common, then their middle; short ones nothing", () => {
  const most = (): number => 20;
  expect(shortNames(["/a/b", "/a/c"], most)).toEqual(["/a/b", "/a/c"]);
  const layers = ["query", "value"].map((name) => `/encoder/attention/${name}/MatMul`);
  expect(shortNames(layers, most)).toEqual(["…query/MatMul", "…value/MatMul"]);
  const long = shortNames(["abcdefghijklmnopqrstuvwxyz"], most);
  expect(long).toEqual(["abcdefghi…qrstuvwxyz"]);
});

test("the frontier has what no model of at most its size surpasses", () => {
  const model = (name: string, bytes: number, value: number) => ({ name, sign: name, bytes, value });
  const models = [
    model("large", 30, 0.9),
    model("worse", 20, 0.7),
    model("small", 10, 0.8),
    model("equal", 25, 0.8),
  ];
  expect(frontierOf(models).map(({ name }) => name)).toEqual(["small", "large"]);
});

test("a histogram is shown in at most 64 bins over what was seen; zeros have none", () => {
  const counts = new Float64Array(1000);
  counts.fill(1, 300, 900);
  const shown = shownHistogram({ counts, limit: 5, stride: 0.01, total: 600 });
  expect(shown?.from).toBeCloseTo(-2, 12);
  expect(shown?.width).toBeCloseTo(0.1, 12);
  expect(shown?.counts).toEqual(Array.from({ length: 60 }, () => 10));
  expect(shownHistogram({ counts: new Float64Array(256), limit: 0, stride: 0, total: 9 })).toBeUndefined();
});

test("of many changed words the first hundred are shown, of long sentences what stands around them", () => {
  const words = Array.from({ length: 200 }, (_, index) => `w${index}`);
  const flips = words.map((_, word) => ({ sentence: 0, word, original: "A", changed: "B" }));
  const html = flipsHtml({ flips, sentences: [{ words, labels: words.map(() => "A") }] });
  expect(html.match(/<li>/g)).toHaveLength(100);
  expect(html).toContain("100 more are not shown; --flips FILE.tsv writes all of them.");
  expect(html).toContain("… w30 w31");
  expect(html).not.toContain("w9 <mark>w50");
  expect(html).toContain('<span class="right">A</span> → <span class="wrong">B</span>');
});
