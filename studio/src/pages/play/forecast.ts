/** A forecaster: its own history or another, whose points are dragged while the forecast follows. */

import { predict } from "../../api/client";
import type { Input, Result } from "../../api/types";
import { type Forecast, ForecastChart } from "../../charts/forecast";
import { errorBox } from "../../components/error";
import { debounce, h, replace } from "../../dom";
import { t } from "../../messages/play";
import type { View } from "../../page";
import type { OpenedRun } from "../ask/open";
import { parseNumbers } from "../ask/parse";
import { card, Play } from "./play";

const DRAG_PAUSE = 60;
type Row = (number | null)[];

export function playForecast(opened: OpenedRun, view: View): Promise<void> {
  const { run } = opened;
  let chart: ForecastChart | null = null;
  const draw = (results: readonly Result[]): void => {
    const history = readHistory(play.asker.asked());
    const channels = Math.max(1, run.input.channels.length);
    const charts = results.map((result, place) => {
      const target = String(result["target"] ?? "");
      const title = `${t("forecast")}: ${[result["series"], target].filter(Boolean).join(", ")}`;
      const channel = Math.max(0, run.input.channels.indexOf(target));
      const values = history === null || place >= channels ? [] : history.map((row) => row[channel] ?? null);
      chart = new ForecastChart({ signal: view.signal, title, history: values, times: [], onChange: (changed) => follow(place, channel, changed) });
      return { chart, result };
    });
    all = charts.map((one) => one.chart);
    replace(play.answer, charts.map((one) => h("section", { class: "card" }, one.chart.element)), history !== null && toolbar());
    for (const one of charts) one.chart.show(one.result as unknown as Forecast);
    current = history ?? [];
  };
  let all: ForecastChart[] = [];
  let current: Row[] = [];
  let asked = new AbortController();
  const error = h("div");
  const ask = debounce(DRAG_PAUSE, () => void askAgain());
  const follow = (_place: number, channel: number, changed: readonly (number | null)[]): void => {
    current = current.map((row, step) => row.map((value, place) => (place === channel ? (changed[step] ?? null) : value)));
    ask();
  };
  const askAgain = async (): Promise<void> => {
    asked.abort();
    asked = new AbortController();
    const { signal } = asked;
    try {
      const { results } = await predict(run.id, { inputs: [plain(current)] }, {}, signal);
      results.forEach((result, place) => all[place]?.show(result as unknown as Forecast));
      replace(error);
    } catch (failure) {
      if (!signal.aborted) replace(error, errorBox(failure));
    }
  };
  const toolbar = (): HTMLElement => card("", error, h("p", { class: "note" }, t("changed")), h("button", { type: "button", on: { click: () => void play.ask() } }, t("reset")));
  const play: Play = new Play(opened, view, { fixed: { steps: false }, draw });
  view.signal.addEventListener("abort", () => asked.abort());
  return play.ask();
}

/** The history that was handed over, a row for each step; null of a file, which the page has not read. */
export function readHistory(asked: ReturnType<Play["asker"]["asked"]>): Row[] | null {
  if (asked === null || !("inputs" in asked)) return null;
  const [input] = asked.inputs;
  const numbers = typeof input === "string" ? parseNumbers(input) : input;
  return Array.isArray(numbers) ? (numbers as (number | Row)[]).map((step) => (Array.isArray(step) ? step : [step])) : null;
}

function plain(rows: readonly Row[]): Input {
  return (rows.every((row) => row.length === 1) ? rows.map(([value]) => value) : rows) as Input;
}
