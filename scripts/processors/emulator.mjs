// Runs Node on another x86 processor, by Debian's qemu-user: what it computes there, not how fast.
import { spawnSync } from "node:child_process";

const command = "qemu-x86_64";

/** Why processors cannot be emulated here; undefined where they can. */
export function emulator() {
  if (process.arch !== "x64" || process.platform !== "linux")
    return `this machine is ${process.platform} ${process.arch}, expected linux x64`;
  const { error } = spawnSync(command, ["--version"], { stdio: "ignore" });
  return error === undefined
    ? undefined
    : `${command} is not installed (on Debian: apt-get install qemu-user)`;
}

/**
 * Runs a Node script on an emulated processor; ends this process if it fails. Child processes of the script would run
 * natively.
 */
export function runEmulated(processor, args) {
  const { status, stderr } = spawnSync(command, ["-cpu", processor, process.execPath, ...args], {
    stdio: ["ignore", "inherit", "pipe"],
    encoding: "utf8",
  });
  // The emulator names each feature of the processor that it lacks; none is of use to a program.
  const said = stderr.split("\n").filter((line) => line !== "" && !line.includes("TCG doesn't support"));
  if (said.length > 0) console.error(said.join("\n"));
  if (status !== 0) process.exit(status ?? 1);
}
