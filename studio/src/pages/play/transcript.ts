/** A transcriber: speech from the microphone or a file, a pen, or the picture of a line, and the text that it reads there. */

import type { Result } from "../../api/types";
import { percent } from "../../charts/probabilities";
import { plainTable } from "../../components/table";
import { h, replace } from "../../dom";
import { decimal } from "../../i18n";
import { t } from "../../messages/play";
import type { View } from "../../page";
import type { OpenedRun } from "../ask/open";
import { card, Play } from "./play";
import { type Alternative, alternatives } from "./translation";

interface Word {
  word: string;
  start: number;
  end: number;
  confidence: number;
}

export function playTranscript(opened: OpenedRun, view: View): Promise<void> {
  const { run } = opened;
  const draw = (results: readonly Result[]): void => {
    replace(play.answer, results.flatMap((result) => [transcript(result), alternatives((result["alternatives"] ?? []) as Alternative[]) || []]));
  };
  const has = (key: string): boolean => run.options.predict.some((option) => option.key === key);
  const fixed = { ...(has("times") ? { times: true } : {}), ...(has("best") ? { best: 3 } : {}), steps: run.can.steps };
  const play: Play = new Play(opened, view, { fixed, draw });
  return play.ask();
}

function transcript(result: Result): HTMLElement {
  const words = (result["words"] ?? []) as Word[];
  const steps = (result["steps"] ?? []) as { time?: number; text: string }[];
  const rows = words.map((word) => [word.word, decimal(word.start), decimal(word.end), percent(word.confidence)]);
  const grown = steps.filter((step, place) => step.text !== steps[place - 1]?.text).map((step) => h("li", { dir: "auto" }, `${step.time === undefined ? "" : `${decimal(step.time)} s: `}${step.text || "…"}`));
  return card(
    t("transcript"),
    h("p", { class: "big", dir: "auto" }, String(result["text"] ?? "")),
    h("p", { class: "note" }, `${t("confidence")}: ${percent(Number(result["confidence"] ?? 0))}`),
    rows.length > 0 && plainTable(t("transcript"), [t("word"), t("start"), t("end"), t("confidence")], rows),
    grown.length > 1 && h("details", {}, h("summary", {}, t("grows")), h("ol", {}, grown)),
  );
}
