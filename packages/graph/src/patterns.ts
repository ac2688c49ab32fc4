// Patterns of names apart from graphs: their engine of regular expressions is half of the code, and most programs that
// read a graph have no pattern.
export { matchLayers, type MatchedLayers, type NamedLayer } from "./layers/match-layers.js";
export { compilePattern, type NamePattern } from "./layers/pattern.js";
