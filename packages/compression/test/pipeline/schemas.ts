import type { StepSchema } from "../../src/pipeline/index.js";

/** Steps for tests: one with every kind of option, one without any, one that needs data. */
export const schemas: readonly StepSchema[] = [
  {
    name: "quantize",
    options: [
      {
        name: "method",
        takes: "value",
        check: (value) =>
          ["minmax", "percentile"].includes(value) ? undefined : "expected one of minmax, percentile",
      },
      { name: "per-channel", takes: "flag" },
      { name: "skip-layers", takes: "list" },
      { name: "vocabulary", takes: "data" },
    ],
    needs: ({ method }) =>
      method === undefined
        ? []
        : [{ name: "calibration", isRequired: true, purpose: "ranges are measured on it" }],
  },
  { name: "compress", options: [] },
  {
    name: "prune",
    options: [
      {
        name: "sparsity",
        takes: "value",
        check: (value) => (Number(value) >= 0 ? undefined : "expected a share"),
      },
    ],
    needs: () => [{ name: "validation", isRequired: false, purpose: "judges" }],
  },
];
