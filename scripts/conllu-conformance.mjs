// Checks the CoNLL-U reader and validator against a folder with `valid/` and `invalid/` files, such as the test cases of the
// UD validation tools (https://github.com/UniversalDependencies/tools, GPL: not part of this repository).
//
//   node scripts/conllu-conformance.mjs FOLDER     (after the build)
//
// Every file of valid/ must be accepted and come back byte for byte; every file of invalid/ must be reported.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { parseConllu, serializeConllu, validateConllu } from "../packages/formats/dist/conllu/index.js";

const folder = process.argv[2];
if (folder === undefined) {
  console.error("usage: node scripts/conllu-conformance.mjs FOLDER   (with FOLDER/valid and FOLDER/invalid)");
  process.exit(2);
}
const missing = ["valid", "invalid"].map((name) => join(folder, name)).filter((path) => !existsSync(path));
if (missing.length > 0) {
  console.error(`conllu-conformance: not checked: no folder ${missing.join(", ")}`);
  process.exit(3);
}

const filesOf = (name) =>
  readdirSync(join(folder, name))
    .filter((file) => file.endsWith(".conllu"))
    .map((file) => join(folder, name, file));
let failures = 0;

for (const path of filesOf("valid")) {
  const bytes = readFileSync(path);
  const problems = validateConllu(bytes);
  let fault = problems[0]?.message;
  if (fault === undefined && !Buffer.from(serializeConllu(parseConllu(bytes.toString()))).equals(bytes)) {
    fault = "does not come back byte for byte";
  }
  if (fault !== undefined) failures++;
  console.log(
    `${fault === undefined ? "ok  " : "FAIL"} valid/${basename(path)}${fault === undefined ? "" : `: ${fault}`}`,
  );
}
for (const path of filesOf("invalid")) {
  const problems = validateConllu(readFileSync(path), { level: 1 });
  if (problems.length === 0) failures++;
  const said = problems.map(({ message }) => `\n       ${message}`).join("") || ": no problem found";
  console.log(`${problems.length > 0 ? "ok  " : "FAIL"} invalid/${basename(path)}${said}`);
}
console.log(
  failures === 0 ? "conllu-conformance: all as expected" : `conllu-conformance: ${failures} failed`,
);
process.exit(failures === 0 ? 0 : 1);
