// Checks the CoNLL-U reader and validator against a folder of files that are known to be valid or invalid, such as the
// test cases of the UD validation tools (https://github.com/UniversalDependencies/tools, GPL: not part of this
// repository).
//
//   node scripts/conllu-conformance.mjs FOLDER [TREEBANK.conllu]...     (after the build)
//
// Every file of valid/ must be accepted and come back byte for byte, every file of invalid/ and invalid-level1/ must be
// reported at level 1, every file of invalid-level2/ at level 2, and no treebank may have a problem at level 2. Folders
// that are not there are named.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { parseConllu, serializeConllu, validateConllu } from "../packages/formats/dist/conllu/index.js";

const [folder, ...treebanks] = process.argv.slice(2);
if (folder === undefined) {
  console.error("usage: node scripts/conllu-conformance.mjs FOLDER [TREEBANK.conllu]...");
  process.exit(2);
}
const kinds = ["valid", "invalid", "invalid-level1", "invalid-level2"];
const present = kinds.filter((name) => existsSync(join(folder, name)));
if (present.length === 0) {
  console.error(`conllu-conformance: not checked: ${folder} has none of ${kinds.join("/, ")}/`);
  process.exit(3);
}

/** What is wrong with a file that must be valid, or undefined. */
function faultOf(bytes) {
  const [problem] = validateConllu(bytes);
  if (problem !== undefined) return problem.message;
  const again = Buffer.from(serializeConllu(parseConllu(bytes.toString())));
  return again.equals(bytes) ? undefined : "does not come back byte for byte";
}

let failures = 0;
function say(isRight, path, remark) {
  if (!isRight) failures++;
  console.log(`${isRight ? "ok  " : "FAIL"} ${path}${remark}`);
}

const counts = [];
for (const name of kinds) {
  if (!present.includes(name)) {
    counts.push(`${name}: not checked, no such folder`);
    continue;
  }
  const files = readdirSync(join(folder, name)).filter((file) => file.endsWith(".conllu"));
  let right = 0;
  for (const file of files) {
    const bytes = readFileSync(join(folder, name, file));
    if (name === "valid") {
      const fault = faultOf(bytes);
      if (fault === undefined) right++;
      say(fault === undefined, `${name}/${file}`, fault === undefined ? "" : `: ${fault}`);
    } else {
      const problems = validateConllu(bytes, { level: name === "invalid-level2" ? 2 : 1 });
      if (problems.length > 0) right++;
      const said = problems.map(({ message }) => `\n       ${message}`).join("") || ": no problem found";
      say(problems.length > 0, `${name}/${file}`, said);
    }
  }
  counts.push(`${name}: ${right} of ${files.length} ${name === "valid" ? "accepted" : "found"}`);
}
for (const path of treebanks) {
  const fault = faultOf(readFileSync(path));
  say(fault === undefined, basename(path), fault === undefined ? "" : `: ${fault}`);
}
if (treebanks.length > 0) counts.push(`treebanks: ${treebanks.length} read`);
console.log(`\n${counts.join("\n")}`);
console.log(
  failures === 0 ? "conllu-conformance: all as expected" : `conllu-conformance: ${failures} failed`,
);
process.exit(failures === 0 ? 0 : 1);
