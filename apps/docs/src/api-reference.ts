import { writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  Application,
  Converter,
  OptionDefaults,
  ReflectionKind,
  type DeclarationReflection,
  type ProjectReflection,
} from "typedoc";
import type { PublicPackage } from "./packages.js";

/** The page of an entry point, from the root of the site. */
export const apiPage = (entry: string): string => `api/${entry}.md`;

/**
 * Writes a page for each entry point of the packages, from the sources and their docstrings.
 *
 * @param folder where `api/` is written
 * @throws Error if the sources do not compile, or an entry point has no page
 */
export async function writeApiReference(
  root: string,
  packages: readonly PublicPackage[],
  folder: string,
): Promise<void> {
  // Pages get their names in this order, and one that is taken gets a number: a class `Comparison` of
  // `@nasty/workflow` would take that of the entry point `@nasty/workflow/comparison`.
  const entries = packages
    .flatMap((one) => one.entries)
    .toSorted((a, b) => (`${a.name}/~` < `${b.name}/~` ? -1 : 1));
  const sources = new Map(entries.map(({ name, source }) => [join(root, source), name]));
  const tsconfig = join(folder, "tsconfig.json");
  writeFileSync(tsconfig, JSON.stringify(compilerSettings(root, entries)));
  const application = await Application.bootstrapWithPlugins({
    plugin: ["typedoc-plugin-markdown"],
    entryPoints: [...sources.keys()],
    tsconfig,
    basePath: root,
    name: "API reference",
    readme: "none",
    // Links are checked in the built site, with those of every other page.
    logLevel: "Error",
    blockTags: [...OptionDefaults.blockTags, "@generated"],
    notRenderedTags: [...OptionDefaults.notRenderedTags, "@generated"],
    excludeExternals: true,
    disableSources: true,
    sortEntryPoints: false,
    ...layout,
  });
  arrangeModules(application, sources);
  const project = await application.convert();
  if (project === undefined) throw new Error("docs: API reference: sources: expected to compile, got errors");
  expectEntries(project, entries);
  application.options.setValue("outputs", [{ name: "markdown", path: join(folder, "api") }]);
  await application.generateOutputs(project);
  if (application.logger.hasErrors())
    throw new Error("docs: API reference: pages: expected no error, got some");
}

/** Settings of typedoc-plugin-markdown, which declares them under names that typedoc's own types do not know. */
const layout: object = {
  outputFileStrategy: "modules",
  entryFileName: "index",
  // Links lead to anchors that are written out, not to ones that are guessed from headings.
  useHTMLAnchors: true,
  hidePageHeader: true,
  hideBreadcrumbs: true,
  parametersFormat: "table",
  interfacePropertiesFormat: "table",
  classPropertiesFormat: "table",
  typeAliasPropertiesFormat: "table",
  typeDeclarationFormat: "table",
};

// Packages import each other's sources here, so that a type of another package links to its page.
const compilerSettings = (root: string, entries: PublicPackage["entries"]) => ({
  extends: join(root, "tsconfig.base.json"),
  compilerOptions: {
    composite: false,
    declaration: false,
    declarationMap: false,
    noEmit: true,
    typeRoots: [join(root, "node_modules/@types")],
    paths: Object.fromEntries(entries.map(({ name, source }) => [name, [join(root, source)]])),
  },
  files: entries.map(({ source }) => join(root, source)),
});

/** Modules are called what users import, not where their sources lie; the paths of the pages follow. */
function arrangeModules(application: Application, sources: ReadonlyMap<string, string>): void {
  application.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }: { project: ProjectReflection }) => {
    for (const module of project.children ?? []) {
      const file = project.getSymbolIdFromReflection(module)?.fileName ?? "";
      module.name = sources.get(file) ?? module.name;
      liftMembers(module);
    }
  });
}

/**
 * The pages have no place for functions of a function (`quantize.plan`), so each stands beside it, under its whole
 * name.
 */
function liftMembers(module: DeclarationReflection): void {
  for (const outer of module.children ?? []) {
    if (!outer.kindOf(ReflectionKind.Function)) continue;
    for (const member of outer.children ?? []) {
      member.name = `${outer.name}.${member.name}`;
      for (const signature of member.signatures ?? []) signature.name = member.name;
      member.kind = ReflectionKind.Function;
      member.parent = module;
      module.addChild(member);
    }
    delete outer.children;
  }
}

function expectEntries(project: ProjectReflection, entries: PublicPackage["entries"]): void {
  const names = new Set(project.children?.map(({ name }) => name));
  const missing = entries.filter(({ name }) => !names.has(name)).map(({ name }) => name);
  if (missing.length > 0)
    throw new Error(
      `docs: API reference: entry points: expected every one, got none for ${missing.join(", ")}`,
    );
}
