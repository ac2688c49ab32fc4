/**
 * Loaded into a process (`node --import scripts/kill-at.mjs …`), ends it by SIGKILL at the n-th call that changes the
 * file system, as a power cut would: `KILL_AT=17` before the call, `KILL_AT=17+` right after it. Without `KILL_AT` it
 * reports the number of calls on standard error.
 */
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";

const wanted = Number.parseInt(process.env.KILL_AT ?? "0", 10);
const isAfter = process.env.KILL_AT?.endsWith("+") === true;
let calls = 0;

const die = () => process.kill(process.pid, "SIGKILL");

function counted(owner, name) {
  const original = owner[name];
  owner[name] = (...parameters) => {
    calls += 1;
    const isIt = calls === wanted;
    if (isIt && !isAfter) die();
    const result = original.apply(owner, parameters);
    if (!isIt) return result;
    // A promise's work is done by another thread: it counts as done when it settles.
    if (typeof result?.finally === "function") return result.finally(die);
    die();
    return result;
  };
}

for (const name of ["rename", "link", "symlink", "mkdir", "rm", "rmdir", "chmod", "copyFile", "open"]) {
  counted(fs.promises, name);
}
for (const name of ["renameSync", "rmSync"]) counted(fs, name);
syncBuiltinESMExports();

if (wanted === 0) process.on("exit", () => process.stderr.write(`file system calls: ${calls}\n`));
