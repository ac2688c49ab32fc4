// Type-checks and runs the examples that are written in TypeScript, as a user of Node and as one of a bundler would
// have them.
import { cpSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root, run } from "./pack.mjs";

const compilers = {
  nodenext: { module: "nodenext", moduleResolution: "nodenext" },
  bundler: { module: "esnext", moduleResolution: "bundler" },
};

/** @param project an empty project with the packed packages, tsx and typescript installed */
export function checkTypeScript(project) {
  const examples = readdirSync(join(root, "examples")).filter((name) => name.endsWith(".ts"));
  if (examples.length === 0) throw new Error("examples/: files: expected at least one .ts, got none");
  for (const [name, options] of Object.entries(compilers)) {
    const folder = join(project, `types-${name}`);
    mkdirSync(folder);
    for (const example of examples) cpSync(join(root, "examples", example), join(folder, example));
    writeFileSync(
      join(folder, "tsconfig.json"),
      JSON.stringify({
        compilerOptions: {
          ...options,
          target: "es2023",
          lib: ["es2023", "esnext.disposable"],
          strict: true,
          noEmit: true,
          types: ["node"],
        },
        include: ["*.ts"],
      }),
    );
    run("npx", ["--no-install", "tsc", "-p", folder], { cwd: project });
    process.stdout.write(`examples in TypeScript: types under ${name} ok\n`);
  }
  for (const example of examples) {
    const { stdout } = run("npx", ["--no-install", "tsx", join("examples", example)], { cwd: project });
    if (stdout === "") throw new Error(`example ${example}: output: expected some, got none`);
    process.stdout.write(`example ${example}: ok\n`);
  }
}
