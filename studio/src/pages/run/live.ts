/** A training that runs: how far it is, how long it takes, stop; what it measures is drawn as it comes. */

import { getCurves, stopRun } from "../../api/client";
import { followRun } from "../../api/events";
import type { Curves, Progress, RunDetails } from "../../api/types";
import { confirmDialog } from "../../components/dialog";
import { ProgressBar } from "../../components/progress";
import { toast, toastError } from "../../components/toast";
import { h } from "../../dom";
import { duration, integer } from "../../i18n";
import { t } from "../../messages/run";
import type { View } from "../../page";

const MILLISECONDS_BETWEEN_DRAWINGS = 1000;

export function live(view: View, run: RunDetails, changed: (curves: Curves) => void): HTMLElement {
  const bar = new ProgressBar(t("trains"));
  const stop = h("button", { type: "button" }, t("stop"));
  const state = h("p", { class: "note", role: "status" });
  bar.show(run.step !== null && run.steps ? run.step / run.steps : null, run.step === null ? t("waiting") : progressText(run.step, run.steps, null));
  stop.addEventListener("click", () => void askToStop(run, stop, state));
  let due: ReturnType<typeof setTimeout> | null = null;
  const draw = async (): Promise<void> => {
    try {
      changed(await getCurves(run.id, view.signal));
    } catch {
      return; // the next event asks again
    } finally {
      due = null;
    }
  };
  const listeners = {
    line: () => {
      if (state.textContent === t("connection_lost")) state.textContent = "";
      due ??= setTimeout(() => void draw(), MILLISECONDS_BETWEEN_DRAWINGS);
    },
    progress: (progress: Progress) => {
      const share = progress.steps ? progress.step / progress.steps : null;
      bar.show(share, progressText(progress.step, progress.steps, progress.left));
    },
    end: () => {
      toast(t("ended"));
      view.refresh();
    },
    broken: () => {
      state.textContent = t("connection_lost");
    },
  };
  followRun(run.id, 0, listeners, view.signal);
  return h("section", { class: "live", "aria-label": t("trains") }, bar.element, stop, state);
}

function progressText(step: number, steps: number | null, left: number | null): string {
  const where = steps ? t("progress", { step: integer(step), steps: integer(steps) }) : t("progress_open", { step: integer(step) });
  return left === null ? where : `${where} · ${t("left", { time: duration(left) })}`;
}

async function askToStop(run: RunDetails, button: HTMLButtonElement, state: HTMLElement): Promise<void> {
  if (!(await confirmDialog(t("stop_question"), t("stop_text"), t("stop")))) return;
  button.disabled = true;
  try {
    await stopRun(run.id);
    state.textContent = t("stopping");
  } catch (error) {
    button.disabled = false;
    toastError(error);
  }
}
