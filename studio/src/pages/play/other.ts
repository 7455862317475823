/** A task without a play of its own: what `predict` answers, field by field, and what it generates. */

import type { Result } from "../../api/types";
import { h, replace } from "../../dom";
import { t } from "../../messages/play";
import type { View } from "../../page";
import type { OpenedRun } from "../ask/open";
import { writer } from "./language";
import { card, Play } from "./play";

const LONGEST = 400;

export function playOther(opened: OpenedRun, view: View): Promise<void> {
  const { run } = opened;
  const draw = (results: readonly Result[]): void => {
    const shown = results.map((result) => h("dl", { class: "fields-found" }, Object.entries(result).flatMap(([key, value]) => [h("dt", { lang: "en" }, key), h("dd", { dir: "auto" }, write(value))])));
    replace(play.answer, card(t("result"), ...shown));
  };
  const play: Play = new Play(opened, view, { draw });
  if (run.can.generate) view.root.append(writer(run, view, () => play.asker.text()));
  return play.ask();
}

function write(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}
