import fc from "fast-check";

// The same cases on every run, so that a red run is the change's doing; PROPERTY_SEED=random looks for new ones.
const seed = process.env["PROPERTY_SEED"];
if (seed !== "random") fc.configureGlobal({ seed: seed === undefined ? 20261123 : Number(seed) });
