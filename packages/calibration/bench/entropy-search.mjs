// Time of the entropy search over as many histograms as a static plan of BERT-base has activations.
//   node packages/calibration/bench/entropy-search.mjs
import { seededRandom } from "@nasty/core";
import { entropySearch, streamingHistogram } from "../dist/index.js";

const random = seededRandom(1);
const values = streamingHistogram({ bins: 2048 });
values.add(Float32Array.from({ length: 20_000 }, () => random.normal()));
const histogram = values.read();
const times = [];
for (let round = 0; round < 5; round++) {
  const start = performance.now();
  for (let i = 0; i < 66; i++) entropySearch({ levels: 255 })(histogram, { min: -6, max: 6 });
  times.push(performance.now() - start);
}
console.log(`66 histograms of 2,048 bins: median ${times.sort((a, b) => a - b)[2].toFixed(0)} ms`);
