import { type Command, Option } from "commander";
import { withQat } from "../quantization-aware/qat-arguments.js";
import { examples, repeatable, run, textCommand } from "./command.js";
import {
  engineOption,
  positiveInteger,
  positiveNumber,
  schemeOption,
  share,
  taskOption,
  trainedCosineOption,
  wholeNumber,
} from "./option-values.js";

/** `nasty fine-tune`. */
export function fineTuneCommand(): Command {
  return withQat(
    training(
      textCommand("fine-tune", "turn a pretrained encoder into a tagger of your labels")
        .requiredOption(
          "--model <dir>",
          "Hugging Face directory: config, tokenizer, safetensors or ONNX weights",
        )
        .addOption(
          new Option("--task <task>", "what is labelled").choices(["pos", "ner"]).makeOptionMandatory(),
        ),
    ),
  )
    .addOption(
      new Option(
        "--layer-decay <factor>",
        "learning rate of a layer relative to the one above (default: 1)",
      ).argParser(positiveNumber),
    )
    .addOption(
      new Option("--freeze-layers <n>", "leave the lowest layers as they are (default: 0)").argParser(
        wholeNumber,
      ),
    )
    .option("--freeze-embeddings", "leave the embeddings as they are")
    .option(
      "--keep-head",
      "go on with the model's own labels and classifier (default: where the labels agree)",
    )
    .option("--no-keep-head", "start a fresh classifier even where the labels agree")
    .addOption(engineOption())
    .addHelpText(
      "after",
      examples([
        "nasty fine-tune --model bert-tiny --task pos --train train.conllu --validation dev.conllu --output pos",
        "a directory that transformers.js loads",
      ]),
    )
    .action(run(async () => (await import("../commands/fine-tune.js")).fineTuneModel));
}

/** `nasty distill`. */
export function distillCommand(): Command {
  return training(
    textCommand("distill", "train a smaller tagger on what larger ones think")
      .addOption(
        repeatable(
          "--teacher <model>",
          "model file or Hugging Face directory of a tagger (repeatable: teachers of any kind are averaged)",
        ).makeOptionMandatory(),
      )
      .option(
        "--student <kind>",
        "cnn, bilstm, or the Hugging Face directory of an encoder (default: the first teacher's own kind)",
      )
      .addOption(
        new Option(
          "--student-size <share>",
          "share of the teacher's layers or width, or of the widths that cnn and bilstm have (default: 0.5; with --student 1)",
        ).argParser(positiveNumber),
      )
      .addOption(
        new Option("--by <dimension>", "what of a transformer is made smaller (default: depth)").choices([
          "depth",
          "width",
        ]),
      )
      .addOption(taskOption("what the teacher labels")),
    {
      output: "the directory to write; for a cnn or bilstm student the model file",
      epochs: "5; cnn and bilstm: 18",
      batchSize: "16; cnn and bilstm: 32",
      learningRate: "0.00005; cnn and bilstm: 0.003",
    },
  )
    .option("--unlabelled <file>", "more text, for the teachers to label")
    .addOption(
      new Option("--temperature <t>", "how soft the teachers' targets are (default: 2)").argParser(
        positiveNumber,
      ),
    )
    .addOption(
      new Option("--alpha <share>", "weight of the teachers against the labels (default: 0.5)").argParser(
        share,
      ),
    )
    .addOption(
      new Option(
        "--hidden <weight>",
        "weight of matching a transformer's hidden states (default: 0)",
      ).argParser(positiveNumber),
    )
    .addHelpText(
      "after",
      examples(
        [
          "nasty distill --teacher pos --student-size 0.5 --train train.conllu --output pos-small",
          "half the layers of a transformer",
        ],
        [
          "nasty distill --teacher a.onnx --teacher b.onnx --student cnn --train train.conllu --unlabelled text.txt --validation dev.conllu --output small.onnx",
          "one small network from two large ones",
        ],
      ),
    )
    .action(run(async () => (await import("../commands/distill.js")).distillModel));
}

const ofEncoders = {
  output: "the directory to write",
  epochs: "5",
  batchSize: "16",
  learningRate: "0.00005",
};

/** The options of both commands; what stands in for those that are not given is said in words. */
function training(to: Command, { output, ...defaults }: typeof ofEncoders = ofEncoders): Command {
  return to
    .requiredOption("--train <file>", "labelled text to learn from: .conllu, or columns")
    .option("--validation <file>", "labelled text that the best epoch is chosen by")
    .addOption(schemeOption("seen from the text"))
    .requiredOption("--output <path>", output)
    .addOption(
      new Option("--epochs <n>", `passes over the training text (default: ${defaults.epochs})`).argParser(
        positiveInteger,
      ),
    )
    .addOption(
      new Option("--batch-size <n>", `sentences of a step (default: ${defaults.batchSize})`).argParser(
        positiveInteger,
      ),
    )
    .addOption(
      new Option(
        "--learning-rate <rate>",
        `peak of the learning rate (default: ${defaults.learningRate})`,
      ).argParser(positiveNumber),
    )
    .addOption(
      new Option("--patience <n>", "stop after this many epochs without a better one").argParser(
        positiveInteger,
      ),
    )
    .addOption(trainedCosineOption());
}
