import { escapeHtml, htmlPage, htmlTable } from "./html-report.js";
import { type PipelineResult, stageNotes, stageTable } from "./recipe-text.js";

/** The report of a pipeline as one self-contained page. */
export function recipeHtml(result: PipelineResult): string {
  const { stages, refused } = result;
  const { head, rows } = stageTable(stages);
  const facts: [string, string][] = [
    ["Recipe", result.recipe],
    ["Model", result.model],
    ["Measured on", result.test ?? "nothing: no test text"],
    ...(refused === null
      ? []
      : ([["Refused", `step ${refused.step}: ${refused.message}`]] as [string, string][])),
  ];
  const files = stages
    .filter(({ output }) => output !== null)
    .map(({ step, kind, output }) => [`${step} ${kind}`, output?.path ?? "", output?.sha256 ?? ""]);
  return htmlPage(
    `Pipeline ${result.recipe}`,
    `${htmlTable(["", ""], facts)}
<h2>Models</h2>
${htmlTable(head, rows)}
<h2>Files</h2>
${htmlTable(["step", "path", "SHA-256"], files)}
<h2>Notes</h2>
<ul>${stageNotes(stages)
      .map((note) => `<li>${escapeHtml(note)}</li>`)
      .join("\n")}</ul>`,
  );
}
