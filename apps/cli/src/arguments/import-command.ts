import { type Command, Option } from "commander";
import { command, examples, run } from "./command.js";
import { positiveInteger, schemeOption, wholeNumber } from "./option-values.js";

/** `nasty import`. */
export function importCommand(): Command {
  return command("import", "turn a model of another framework into a model file")
    .argument("<dir>", "folder of a TensorFlow.js LayersModel: model.json and its weight shards")
    .addOption(
      new Option("--from <framework>", "where the model comes from").choices(["tfjs"]).makeOptionMandatory(),
    )
    .requiredOption("--output <file>", "the model file to write")
    .addOption(
      new Option("--task <task>", "what it labels: with --words and --labels the file is a tagger").choices([
        "pos",
        "ner",
      ]),
    )
    .addOption(schemeOption())
    .option("--words <file.json>", "its words: an object from word to id, or a list whose places are the ids")
    .option("--labels <file.json>", "its labels, in the same form")
    .addOption(
      new Option(
        "--unknown-id <id>",
        "id of words that are not in the list (default: that of <UNK>, <OOV>)",
      ).argParser(wholeNumber),
    )
    .addOption(
      new Option("--padding-id <id>", "id that fills rows (default: that of <PAD>, or 0)").argParser(
        wholeNumber,
      ),
    )
    .addOption(
      new Option(
        "--padding-side <side>",
        "where rows are filled, for models that read what fills them",
      ).choices(["left", "right"]),
    )
    .option("--lowercase", "look words up in lower case")
    .addOption(
      new Option("--max-length <n>", "most words in a row; longer sentences go through windows").argParser(
        positiveInteger,
      ),
    )
    .addHelpText(
      "after",
      examples(
        ["nasty import --from tfjs DIR --output model.onnx", "the network alone, for any ONNX runtime"],
        [
          "nasty import --from tfjs DIR --task pos --words words.json --labels labels.json --output pos.onnx",
          "a tagger that every command takes",
        ],
      ),
    )
    .action(run(async () => (await import("../commands/import.js")).importModel));
}
