// JSON as trees that can hold what objects cannot: a key twice, a key __proto__, a number beyond any number.
import { chance, oddNumbers, oddStrings, pick } from "./oddities.mjs";

/** A tree of a value: `{entries}`, `{items}`, or `{text}` as written. */
export function treeOf(value) {
  if (Array.isArray(value)) return { items: value.map(treeOf) };
  if (typeof value === "object" && value !== null) {
    return { entries: Object.entries(value).map(([key, inner]) => [key, treeOf(inner)]) };
  }
  return { text: JSON.stringify(value) };
}

export function textOf(tree) {
  if (tree.items !== undefined) return `[${tree.items.map(textOf).join(",")}]`;
  if (tree.entries === undefined) return tree.text;
  return `{${tree.entries.map(([key, inner]) => `${JSON.stringify(key)}:${textOf(inner)}`).join(",")}}`;
}

/** Every place that holds a tree: `read()` and `write(tree)`. */
function placesOf(tree, places, read, write) {
  places.push({ read, write });
  const list = tree.items ?? tree.entries;
  if (list === undefined) return places;
  // Of a vocabulary a few entries are enough: they are all alike.
  const step = Math.max(1, Math.floor(list.length / 24));
  for (let at = 0; at < list.length; at += step) {
    const get = () => (tree.items === undefined ? tree.entries[at][1] : tree.items[at]);
    const set = (inner) => {
      if (tree.items === undefined) tree.entries[at][1] = inner;
      else tree.items[at] = inner;
    };
    placesOf(get(), places, get, set);
  }
  return places;
}

const oddTree = (random) =>
  pick(random, [
    () => ({ text: "null" }),
    () => ({ text: pick(random, ["true", "false"]) }),
    () => ({ text: String(pick(random, oddNumbers)) }),
    () => ({ text: pick(random, ["1e999", "-1e999", "123456789012345678901234567890"]) }),
    () => ({ text: JSON.stringify(pick(random, oddStrings)) }),
    () => ({ items: [] }),
    () => ({ entries: [] }),
    () => ({ items: Array.from({ length: random.below(4) }, () => oddTree(random)) }),
    () => ({
      entries: Array.from({ length: random.below(4) }, () => [pick(random, oddStrings), oddTree(random)]),
    }),
    () => {
      let deep = { text: "0" };
      for (let level = pick(random, [10, 100, 450, 600]); level > 0; level--) {
        deep = chance(random, 0.5) ? { items: [deep] } : { entries: [["a", deep]] };
      }
      return deep;
    },
  ])();

/** The tree of a value with a few of its parts dropped, doubled, exchanged or made odd. */
export function mutatedTree(random, value) {
  let root = treeOf(value);
  for (let left = 1 + random.below(4); left > 0; left--) {
    const places = placesOf(
      root,
      [],
      () => root,
      (tree) => (root = tree),
    );
    const place = pick(random, places.length > 1 && chance(random, 0.98) ? places.slice(1) : places);
    const tree = place.read();
    const list = tree.items ?? tree.entries;
    switch (random.below(list === undefined || list.length === 0 ? 2 : 8)) {
      case 0:
        place.write(oddTree(random));
        break;
      case 1:
        place.write(structuredClone(pick(random, places).read()));
        break;
      case 2:
        list.splice(random.below(list.length), 1);
        break;
      case 3:
        list.push(structuredClone(pick(random, list)));
        break;
      case 4:
        list.length = random.below(list.length + 1);
        break;
      case 5:
        if (tree.entries !== undefined) pick(random, list)[0] = pick(random, oddStrings);
        else list.reverse();
        break;
      case 6:
        if (tree.entries !== undefined) list.push([pick(random, oddStrings), oddTree(random)]);
        else list.push(oddTree(random));
        break;
      default:
        place.write(
          tree.items === undefined
            ? { items: list.map(([, inner]) => inner) }
            : { entries: list.map((inner, i) => [String(i), inner]) },
        );
    }
  }
  return root;
}

/** Text with a few characters changed, for what no tree tells. */
export function damagedText(random, text) {
  if (!chance(random, 0.05)) return text;
  const at = random.below(text.length + 1);
  return (
    text.slice(0, at) +
    pick(random, ["", "}", "]", ",", '"', "\0", "\ud800", "/*"]) +
    text.slice(at + random.below(3))
  );
}
