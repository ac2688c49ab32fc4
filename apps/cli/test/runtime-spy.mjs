// Loaded before the command: writes down the threads and the file of each session, the batch of each run and the bytes
// of each model that is parsed.
import { appendFileSync } from "node:fs";
import { createRequire, register } from "node:module";

const fromRuntime = createRequire(new URL("../../../packages/runtime/package.json", import.meta.url));
const { InferenceSession } = fromRuntime("onnxruntime-node");
const log = (line) => appendFileSync(process.env.NASTY_TEST_LOG, `${line}\n`);

const { create } = InferenceSession;
InferenceSession.create = async (model, options) => {
  log(`threads ${options.intraOpNumThreads}`);
  if (typeof model === "string") log(`file ${model}`);
  const session = await create.call(InferenceSession, model, options);
  const run = session.run.bind(session);
  session.run = (feeds, ...rest) => {
    log(`batch ${Object.values(feeds)[0].dims[0]}`);
    return run(feeds, ...rest);
  };
  return session;
};

register("./parse-hooks.mjs", import.meta.url);
