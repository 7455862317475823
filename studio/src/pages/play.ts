import { h } from "../dom";
import { t } from "../messages/play";
import type { Page, View } from "../page";
import "../styles/play.css";
import { runHeading } from "./ask/heading";
import { type OpenedRun, openRun } from "./ask/open";
import { playAlarms } from "./play/alarms";
import { playCaption } from "./play/caption";
import { playClasses } from "./play/classes";
import { playForecast } from "./play/forecast";
import { playLanguage } from "./play/language";
import { playOther } from "./play/other";
import { playPixels } from "./play/pixels";
import { playTags } from "./play/tags";
import { playTranscript } from "./play/transcript";
import { playTranslation } from "./play/translation";
import { playVectors } from "./play/vectors";

/** How each task is played with; one that is not here is asked by `playOther`. */
const PLAYS: Readonly<Record<string, (opened: OpenedRun, view: View) => Promise<void>>> = {
  lm: playLanguage,
  classify: playClasses,
  tag: playTags,
  embed: playVectors,
  forecast: playForecast,
  detect: playAlarms,
  translate: playTranslation,
  caption: playCaption,
  transcribe: playTranscript,
  pixels: playPixels,
};

async function render(view: View, params: Record<string, string>): Promise<void> {
  const opened = await openRun(params["id"] ?? "", view.signal);
  const { run } = opened;
  view.setTitle(`${t("title")} · ${run.name}`);
  view.root.append(runHeading(t("title"), run));
  if (!run.can.predict) view.root.append(h("p", {}, t("cannot", { why: run.reason ?? "" })));
  else await (PLAYS[run.task] ?? playOther)(opened, view);
}

const page: Page = { path: "/play/:id", title: () => t("title"), parent: "/", opens: (run) => run.can.predict, render };
export default page;
