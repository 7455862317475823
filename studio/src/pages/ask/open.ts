/** A run as the pages Play and Inside open it: with inputs of its own held-out part to begin with. */

import { getExamples, getRun, getSession } from "../../api/client";
import type { Input, RunDetails, Session } from "../../api/types";
import { t } from "../../messages/ask";

export interface OpenedRun {
  run: RunDetails;
  session: Session;
  /** Of the run's own data; where these are gone, of a run that reads texts, a sentence of the page's. */
  examples: readonly Input[];
}

export async function openRun(id: string, signal: AbortSignal): Promise<OpenedRun> {
  const [run, session] = await Promise.all([getRun(id, signal), getSession()]);
  const { examples } = run.can.predict ? await getExamples(id, signal) : { examples: [] };
  return { run, session, examples: examples.length || run.input.kind !== "text" ? examples : [t("sentence")] };
}
