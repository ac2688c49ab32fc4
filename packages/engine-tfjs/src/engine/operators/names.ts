import { operators } from "./table.js";

// In a file of its own, so that the package's declarations do not ask for those of TensorFlow.js, which may not be
// installed.
/** Names of the operators that this engine runs, in alphabetical order. */
export const tensorflowOperators: readonly string[] = [...operators.keys(), "Constant", "Dropout"].sort();
