import { FormatError } from "../format-error.js";
import type { ModelProto, OperatorSetIdProto } from "./gen/onnx_pb.js";

/** Oldest and newest version of the default operator set whose operators this project knows. */
export const supportedOpsets = { oldest: 7, newest: 25 } as const;

/**
 * Checks that a model's operators are of versions that this project knows, and returns the version of each domain.
 *
 * The default domain ("" or "ai.onnx") must be imported once, in version 7 to 25; versions of other domains are taken
 * as they are. Functions of the model are checked too.
 *
 * @param model the model
 * @returns version by domain; the default domain is `""`
 * @throws FormatError `version`, naming the domain and the version
 * @see ONNX 1.22, docs/Versioning.md
 * @example
 * ```ts
 * checkOpset(model).get(""); // 17
 * ```
 */
export function checkOpset(model: ModelProto): ReadonlyMap<string, number> {
  const versions = versionsOf(model.opsetImport, "model");
  // A model of functions or foreign operators alone is possible, but none of its nodes could be treated here.
  if (!versions.has("")) {
    const got = [...versions.keys()].join(", ") || "no operator sets";
    throw wrongVersion(`model: operator set "ai.onnx": expected to be imported, got ${got}`);
  }
  for (const definition of model.functions) {
    versionsOf(definition.opsetImport, `function ${JSON.stringify(definition.name)}`);
  }
  return versions;
}

function versionsOf(imports: readonly OperatorSetIdProto[], where: string): Map<string, number> {
  const versions = new Map<string, number>();
  for (const { domain: spelled, version } of imports) {
    const domain = spelled === "ai.onnx" ? "" : spelled;
    const label = `${where}: operator set ${JSON.stringify(domain || "ai.onnx")}`;
    const known = versions.get(domain);
    if (known !== undefined && BigInt(known) !== version) {
      throw wrongVersion(`${label}: expected one version, got ${known} and ${version}`);
    }
    const { oldest, newest } = supportedOpsets;
    if (domain === "" && (version < oldest || version > newest)) {
      const advice =
        version < oldest ? "convert the model to a newer opset" : "export the model with an older opset";
      throw wrongVersion(`${label}: expected version ${oldest} to ${newest}, got ${version}; ${advice}`);
    }
    versions.set(domain, Number(version));
  }
  return versions;
}

function wrongVersion(what: string): FormatError {
  return new FormatError("version", `checkOpset: ${what}`);
}
