// Turns proto/onnx.proto into src/onnx/gen/onnx_pb.ts: `node scripts/generate-onnx.mjs` in packages/formats.
// The generator is fetched for the run and is not a dependency: nobody needs it to build or to test.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const template = JSON.stringify({
  version: "v2",
  plugins: [
    {
      local: "protoc-gen-es",
      out: "src/onnx/gen",
      opt: ["target=ts", "erasable_syntax=true", "import_extension=js"],
    },
  ],
});
const packages = ["@bufbuild/buf@1.75.0", "@bufbuild/protoc-gen-es@2.17.0"];
const { status } = spawnSync(
  "npx",
  [
    "--yes",
    ...packages.flatMap((name) => ["--package", name]),
    "--",
    "buf",
    "generate",
    "proto",
    "--template",
    template,
  ],
  { cwd: root, stdio: "inherit" },
);
process.exitCode = status ?? 1;
