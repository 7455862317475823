/** A tagger: each word with its tag, as they stood after any number of words. */

import type { Result } from "../../api/types";
import { percent } from "../../charts/probabilities";
import { shade, visible } from "../../charts/shares";
import { h, replace } from "../../dom";
import { t } from "../../messages/play";
import type { View } from "../../page";
import type { OpenedRun } from "../ask/open";
import { card, Play } from "./play";

interface Tagged {
  tokens?: string[];
  series?: unknown[];
  tags: string[];
  probabilities: (number | Record<string, number>)[];
  spans?: { type: string; tokens: string[] }[];
}

export function playTags(opened: OpenedRun, view: View): Promise<void> {
  const { run } = opened;
  const draw = ([result]: readonly Result[]): void => {
    if (!result) return;
    const whole = result as unknown as Tagged;
    const steps = (result["steps"] ?? []) as Tagged[];
    const line = h("ol", { class: "tagged", dir: "auto" });
    const after = h("p", { class: "note", role: "status" });
    const slider = h("input", { type: "range", min: 1, max: Math.max(1, steps.length), value: steps.length });
    const show = (): void => {
      const n = Number(slider.value);
      const at = n >= steps.length ? whole : (steps[n - 1] ?? whole);
      after.textContent = t("tagsAfter", { n: steps.length ? n : whole.tags.length, all: whole.tags.length });
      replace(line, items(whole, at));
    };
    slider.addEventListener("input", show);
    show();
    const spans = whole.spans?.map((span) => `${span.tokens.join(" ")} (${span.type})`).join(", ");
    replace(
      play.answer,
      card(t("tags"), line, steps.length > 1 && h("label", { class: "control" }, h("span", {}, t("readSoFar")), slider), after, whole.spans && h("p", {}, spans ? t("spans", { names: spans }) : t("noSpans"))),
    );
  };
  const play: Play = new Play(opened, view, { fixed: run.can.steps ? { steps: true } : {}, draw });
  return play.ask();
}

/** All words, those that are not yet read without a tag. */
function items(whole: Tagged, at: Tagged): HTMLElement[] {
  const words = whole.tokens ?? whole.series?.map((each) => JSON.stringify(each)) ?? [];
  return words.map((word, place) => {
    const tag = at.tags[place];
    const given = at.probabilities[place];
    const share = typeof given === "number" ? given : (given?.[tag ?? ""] ?? 0);
    const label = h("span", { class: "tag", title: tag === undefined ? false : percent(share) }, tag ?? "");
    if (tag !== undefined && tag !== "O") shade(label, share, 1);
    return h("li", { class: tag === undefined ? "unread" : null }, h("span", {}, visible(word)), label);
  });
}
