export {
  findTagger,
  type FindTaggerOptions,
  type FoundTagger,
  openTagger,
  type OpenTaggerOptions,
  settingsOfModelFile,
} from "./open-tagger.js";
