// What a command line, or any other front, needs around the operations that it runs from checked settings. It is loaded
// before anything is known of the command, so that nothing here imports what reads models or texts.
export { exitCodes, GateError, InputError, UsageError } from "./errors.js";
export { type Explanation, explain } from "./explanation/explain.js";
export { type Given, perform } from "./perform.js";
export { type Pace, type ProgressEvent, type Reporter, reporterOf, type RunOptions } from "./reporter.js";
export { readingFor, type Reading, type ReadText, withReading } from "./texts/reading.js";
export { formName } from "./texts/input-format.js";
export { toJson } from "./report/json.js";
