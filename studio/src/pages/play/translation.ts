/** A translator: its translation as one types, what each unit looked at, and what else it considered. */

import type { Result } from "../../api/types";
import { type Attention, attentionTable } from "../../charts/attention";
import { h, replace } from "../../dom";
import { decimal } from "../../i18n";
import { t } from "../../messages/play";
import type { View } from "../../page";
import type { OpenedRun } from "../ask/open";
import { card, Play } from "./play";

const BEST = 3;

export interface Alternative {
  log_prob: number;
  translation?: string;
  caption?: string;
  text?: string;
}

export function playTranslation(opened: OpenedRun, view: View): Promise<void> {
  const { run } = opened;
  const draw = ([result]: readonly Result[]): void => {
    if (!result) return;
    const attention = result["attention"] as Attention | null | undefined;
    replace(
      play.answer,
      card(t("translation"), h("p", { class: "big", dir: "auto" }, String(result["translation"]))),
      attention && h("section", { class: "card" }, attentionTable(t("lookedAt"), attention)),
      alternatives((result["alternatives"] ?? []) as Alternative[]),
    );
  };
  const has = (key: string): boolean => run.options.predict.some((option) => option.key === key);
  const play: Play = new Play(opened, view, { fixed: { ...(has("attention") ? { attention: true } : {}), best: BEST }, draw });
  return play.ask();
}

export function alternatives(found: readonly Alternative[]): HTMLElement | false {
  if (!found.length) return false;
  const items = found.map((one) => h("li", { dir: "auto" }, one.translation ?? one.caption ?? one.text ?? "", " ", h("small", { class: "note" }, decimal(one.log_prob))));
  return card(t("alternatives"), h("ol", {}, items));
}
