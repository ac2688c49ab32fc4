// Loaded before the command: writes down the threads of each session and the batch of each run.
import { appendFileSync } from "node:fs";
import { createRequire } from "node:module";

const fromRuntime = createRequire(new URL("../../../packages/runtime/package.json", import.meta.url));
const { InferenceSession } = fromRuntime("onnxruntime-node");
const log = (line) => appendFileSync(process.env.NASTY_TEST_LOG, `${line}\n`);

const { create } = InferenceSession;
InferenceSession.create = async (model, options) => {
  log(`threads ${options.intraOpNumThreads}`);
  const session = await create.call(InferenceSession, model, options);
  const run = session.run.bind(session);
  session.run = (feeds, ...rest) => {
    log(`batch ${Object.values(feeds)[0].dims[0]}`);
    return run(feeds, ...rest);
  };
  return session;
};
