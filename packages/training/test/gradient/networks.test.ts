import { describe, it } from "vitest";
import { checkGradients } from "../reference/check-gradients.js";
import { smallNetworks } from "../reference/small-networks.js";

describe("whole networks against central differences in float64", () => {
  for (const [name, network] of smallNetworks)
    it(name, () => checkGradients({ ...network(), tolerance: 5e-4, elements: 8 }));
});
