import { isHfDirectory } from "@nasty/formats/hf/node";
import type { ArchitectureName, Teacher } from "@nasty/tagger-training";
import { InputError, UsageError } from "../errors.js";
import type { distillOperation } from "../operations/training.js";
import type { SettingsOf } from "../schema/option.js";
import { networkOptionOf } from "./network-options.js";

type Settings = SettingsOf<typeof distillOperation.options>;

/** What learns: a network of our own, an encoder that is given, or a smaller one of the first teacher's family. */
export type Student =
  | { readonly kind: "network"; readonly architecture: ArchitectureName }
  | { readonly kind: "encoder"; readonly directory: string | undefined };

/**
 * The student that the settings name, or one of the first teacher's own kind.
 *
 * @throws UsageError for settings that a student of its kind has no use for, or that it needs; InputError for a
 *   directory that is none
 */
export async function studentOf(settings: Settings, teacher: Teacher): Promise<Student> {
  const named = settings.student ?? ownKind(teacher);
  if (named === "cnn" || named === "bilstm") {
    checkNetwork(settings, named);
    return { kind: "network", architecture: named };
  }
  if (named !== undefined) {
    checkGivenEncoder(settings, named);
    if (!(await isHfDirectory(named)))
      throw new InputError(
        `distill: --student ${named}: expected cnn, bilstm, or a Hugging Face directory, got no config.json in it`,
      );
  }
  const option = networkOptionOf(settings);
  if (option !== undefined) throw noUse(option, "a student cnn or bilstm", named ?? "transformer");
  return { kind: "encoder", directory: named };
}

function ownKind(teacher: Teacher): ArchitectureName | undefined {
  if (teacher.settings.kind === "transformer") return undefined;
  const inputs = teacher.model.graph?.input.map(({ name }) => name) ?? [];
  return inputs.includes("lengths") ? "bilstm" : "cnn";
}

function checkNetwork({ by, hidden, validation }: Settings, student: ArchitectureName): void {
  if (by !== undefined) throw noUse("--by", "a transformer student", student);
  if (hidden !== undefined) throw noUse("--hidden", "a transformer student", student);
  if (validation === undefined)
    throw new UsageError(
      `distill: --validation: expected labelled text that the best epoch of a ${student} is chosen by, got none`,
    );
}

function checkGivenEncoder({ studentSize, by }: Settings, student: string): void {
  const smaller = "a student that is made smaller, not one that is given";
  if (studentSize !== undefined) throw noUse("--student-size", smaller, student);
  if (by !== undefined) throw noUse("--by", smaller, student);
}

const noUse = (flag: string, expected: string, student: string): UsageError =>
  new UsageError(`distill: ${flag}: expected ${expected}, got it with the student ${student}`);
