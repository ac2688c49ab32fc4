import type { SettingsOf, tagCommandOperation } from "@nasty/workflow/operations";

/** The options of `nasty tag`, for one text or a corpus. */
export type TagCommandOptions = SettingsOf<typeof tagCommandOperation.options>;
