// Text of rows and columns with rows and cells dropped, doubled, exchanged and made odd.
import { chance, oddNumbers, oddStrings, pick } from "./oddities.mjs";

const oddCells = [
  ...oddStrings,
  "_",
  "1-2",
  "2-1",
  "1.1",
  "0.1",
  "1-9007199254740993",
  "0:root",
  "A=b|A=b",
  "a:b|c",
  "B-",
  "-PER",
  "I-constructor",
  "O",
  "B-__proto__",
  "E-PER",
];

export function mutatedRows(random, text, separator) {
  const rows = text.split("\n");
  for (let left = 1 + random.below(4); left > 0; left--) {
    const at = random.below(rows.length);
    const cells = rows[at].split(separator);
    switch (random.below(9)) {
      case 0:
        rows.splice(at, 1);
        break;
      case 1:
        rows.splice(at, 0, pick(random, rows));
        break;
      case 2:
        rows.splice(
          at,
          0,
          pick(random, [
            "",
            "# sent_id = constructor",
            "# newdoc",
            "# global.columns = ID FORM UPOS",
            "-DOCSTART- -X- O O",
            "#",
            "\t\t\t",
            " ",
          ]),
        );
        break;
      case 3:
        cells.splice(random.below(cells.length), 1);
        rows[at] = cells.join(separator);
        break;
      case 4:
        cells.push(pick(random, cells));
        rows[at] = cells.join(separator);
        break;
      case 5:
        rows[at] = cells.join(pick(random, [" ", "\t", "  ", "\u00a0", ","]));
        break;
      case 6:
        cells[random.below(cells.length)] = String(pick(random, oddNumbers));
        rows[at] = cells.join(separator);
        break;
      default:
        cells[random.below(cells.length)] = pick(random, oddCells);
        rows[at] = cells.join(separator);
    }
    if (rows.length === 0) rows.push("");
  }
  const whole = Buffer.from(rows.join(chance(random, 0.1) ? "\r\n" : "\n"));
  if (chance(random, 0.05)) whole[random.below(whole.length + 1)] = 0xff;
  return whole;
}
