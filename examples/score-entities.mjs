// Score entity labels exactly as conlleval does.
import { score } from "@nasty/taggers";

const words = ["Ada", "Lovelace", "lived", "in", "London"];
const gold = [{ words, labels: ["B-PER", "I-PER", "O", "O", "B-LOC"] }];
const system = [{ words, labels: ["B-PER", "I-PER", "O", "O", "B-ORG"] }];
const { metric, value, precision, recall } = await score(gold, system);
console.log(metric, value, "precision", precision, "recall", recall);
