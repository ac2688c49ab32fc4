// What a command line, or any other front, needs around the operations that it runs from checked settings.
export { exitCodes, GateError, InputError, UsageError } from "./errors.js";
export { type Explanation, explain } from "./explanation/explain.js";
export { type Given, perform } from "./perform.js";
export { type Pace, type ProgressEvent, type Reporter, reporterOf, type RunOptions } from "./reporter.js";
export { readingFor, type Reading, type ReadText, withReading } from "./texts/reading.js";
export { formName } from "./texts/text-form.js";
