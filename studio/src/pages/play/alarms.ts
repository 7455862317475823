/** A detector: a series with what was expected, its scores, and the steps that are alarms. */

import type { Result, RunDetails } from "../../api/types";
import type { Extent } from "../../charts/heatmap-view";
import { LinesChart } from "../../charts/lines";
import { replace } from "../../dom";
import { decimal } from "../../i18n";
import { t as chart } from "../../messages/charts";
import { t } from "../../messages/play";
import type { View } from "../../page";
import type { OpenedRun } from "../ask/open";
import { type History, readHistory } from "../ask/history";
import { card, Play } from "./play";

interface Step {
  step?: number;
  time?: string;
  score: number | null;
  threshold: number | null;
  anomaly: boolean;
  channel: string | null;
  expected: number | (number | null)[] | null;
}

interface Event {
  start: string | number;
  end: string | number;
  score: number;
  channel: string;
}

export function playAlarms(opened: OpenedRun, view: View): Promise<void> {
  const { run } = opened;
  const draw = (results: readonly Result[]): void => {
    const history = readHistory(run, play.asker.asked());
    replace(play.answer, results.map((result) => card(`${t("alarms")}: ${String(result["series"] ?? "")}`, verdict(result), ...charts(result, run, history, view.signal))));
  };
  const play: Play = new Play(opened, view, { fixed: run.can.steps ? { steps: true } : {}, draw });
  return play.ask();
}

function verdict(result: Result): string {
  const events = result["events"] as Event[] | undefined;
  if (events === undefined)
    return t("whole", { score: decimal(result["score"] as number), threshold: decimal(result["threshold"] as number | null), verdict: t(result["anomaly"] ? "abnormal" : "normal") });
  const where = events.slice(0, 8).map((event) => (event.start === event.end ? `${event.start}` : `${event.start} – ${event.end}`));
  return events.length ? t("alarmCount", { n: events.length, where: where.join("; ") + (events.length > 8 ? " …" : "") }) : t("noAlarm");
}

function charts(result: Result, run: RunDetails, history: History | null, signal: AbortSignal): HTMLElement[] {
  const steps = (result["steps"] ?? []) as Step[];
  if (!steps.length) return [];
  const placeName = (place: number): string => String(steps[place]?.time ?? steps[place]?.step ?? place);
  const shared = { signal, axis: chart("step"), placeName, bands: alarms(steps) };
  const channels = Math.max(1, run.input.channels.length);
  const worst = Math.max(0, run.input.channels.indexOf(steps.find((step) => step.anomaly)?.channel ?? ""));
  const expected = steps.map((step) => (Array.isArray(step.expected) ? (step.expected[worst] ?? null) : step.expected));
  const given = history?.channel({ series: result["series"], channel: run.input.channels[worst] }).values;
  const values = given?.length === steps.length ? given : null;
  const name = channels > 1 ? ` (${run.input.channels[worst] ?? worst})` : "";
  const curves = [{ name: t("expected"), values: expected, style: "train" }, ...(values ? [{ name: t("value"), values, style: "known" }] : [])];
  return [
    new LinesChart({ ...shared, title: t("valuesTitle") + name, sentence: "", curves }).element,
    new LinesChart({
      ...shared,
      title: t("scoresTitle"),
      sentence: "",
      curves: [{ name: t("score"), values: steps.map((step) => step.score), style: "held" }, { name: t("threshold"), values: steps.map((step) => step.threshold), style: "early" }],
    }).element,
  ];
}

function alarms(steps: readonly Step[]): Extent[] {
  const found: Extent[] = [];
  for (const [place, step] of steps.entries()) {
    if (!step.anomaly) continue;
    const last = found.at(-1);
    if (last?.to === place) last.to = place + 1;
    else found.push({ from: place, to: place + 1 });
  }
  return found;
}
